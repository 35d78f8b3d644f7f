/// Bytes that are escaped for a terminal, where some would move the cursor, set the title or ring the bell.
///
/// Control characters other than line ends and tabs, and bytes that are not UTF-8, become `\xHH`. If anything is
/// escaped, backslashes are doubled, so that a literal one is not mistaken for the start of an escape.
package struct TerminalText: Hashable, Sendable {
  /// Which backslashes are doubled.
  package enum Backslashes: Hashable, Sendable {
    /// All, for pieces of a line, of which some may have escapes and some not.
    case always
    /// All, if the text has an escape or looks as if it had one; otherwise none.
    case whereNeeded
  }

  /// The text.
  package private(set) var text = ""
  /// The number of bytes that are shown as `\xHH`.
  package private(set) var escapedCount = 0
  /// Whether backslashes are doubled.
  package let doublesBackslashes: Bool

  /// Escapes bytes.
  ///
  /// *Complexity*: linear.
  package init(_ bytes: [UInt8], backslashes: Backslashes = .whereNeeded) {
    doublesBackslashes = backslashes == .always || Self.canBeMistaken(bytes) || Self.needsEscapes(bytes)
    Self.forEachPiece(of: bytes) { piece in
      switch piece {
      case .shown("\\") where doublesBackslashes: text += "\\\\"
      case .shown(let scalar): text.unicodeScalars.append(scalar)
      case .escaped(let bytes): escape(bytes)
      }
    }
  }

  /// Output that is safe for a terminal: lines without control characters as they are, others escaped.
  ///
  /// All output of the shell to a terminal passes through this function.
  ///
  /// - Parameter mayBeginEmphasized: whether `emphasisOn` at the start and the first `emphasisOff` after it come from
  ///   the shell itself.
  package static func sanitized(_ bytes: [UInt8], mayBeginEmphasized: Bool = false) -> [UInt8] {
    guard !isHarmless(bytes[...]) else { return bytes }
    if mayBeginEmphasized, bytes.starts(with: emphasisOn),
      let off = firstRange(of: emphasisOff, in: bytes, from: emphasisOn.count)
    {
      let inside = [UInt8](bytes[emphasisOn.count..<off])
      let behind = [UInt8](bytes[(off + emphasisOff.count)...])
      return emphasisOn + sanitized(inside) + emphasisOff + sanitized(behind)
    }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 8)
    for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      if index > 0 { result.append(0x0a) }
      if isHarmless(line) || !needsEscapes([UInt8](line)) {
        result += line
      } else {
        result += TerminalText([UInt8](line)).text.utf8
      }
    }
    return result
  }

  /// Begins a bold red text.
  package static let emphasisOn = [UInt8]("\u{1b}[1;31m".utf8)
  /// Ends it.
  package static let emphasisOff = [UInt8]("\u{1b}[0m".utf8)

  private enum Piece {
    case shown(Unicode.Scalar)
    case escaped(ArraySlice<UInt8>)
  }

  private static func forEachPiece(of bytes: [UInt8], _ body: (Piece) -> Void) {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .emptyInput: return
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        body(isShown(scalar) ? .shown(scalar) : .escaped(bytes[offset..<(offset + encoded.count)]))
        offset += encoded.count
      case .error(let length):
        body(.escaped(bytes[offset..<(offset + length)]))
        offset += length
      }
    }
  }

  private mutating func escape(_ bytes: ArraySlice<UInt8>) {
    for byte in bytes {
      text += "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
      escapedCount += 1
    }
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
  }

  private static func needsEscapes(_ bytes: [UInt8]) -> Bool {
    guard !isHarmless(bytes[...]) else { return false }
    var isNeeded = false
    forEachPiece(of: bytes) { piece in if case .escaped = piece { isNeeded = true } }
    return isNeeded
  }

  /// Whether the bytes are ASCII without control characters, as in nearly all output.
  private static func isHarmless(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.allSatisfy { (0x20..<0x7f).contains($0) || $0 == 0x0a || $0 == 0x09 }
  }

  /// Whether a text without escapes looks as if it had some.
  private static func canBeMistaken(_ bytes: [UInt8]) -> Bool {
    func isHex(_ byte: UInt8) -> Bool { Character(Unicode.Scalar(byte)).isHexDigit }
    return bytes.indices.contains { index in
      guard bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count else { return false }
      if bytes[index + 1] == UInt8(ascii: "\\") { return true }
      return index + 3 < bytes.count && bytes[index + 1] == UInt8(ascii: "x") && isHex(bytes[index + 2])
        && isHex(bytes[index + 3])
    }
  }

  private static func firstRange(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= start + needle.count else { return nil }
    return (start...(bytes.count - needle.count)).first { bytes[$0..<($0 + needle.count)].elementsEqual(needle) }
  }
}
