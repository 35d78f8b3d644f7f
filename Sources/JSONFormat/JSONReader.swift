/// Reads a JSON text.
///
/// A number that is no whole one of 64 bits is kept as the text that it was written as: nothing here calculates with
/// such.
///
/// *Source*: RFC 8259.
package struct JSONReader {
  /// The maximum depth of nested arrays and objects; the shell's output needs six.
  private static let depthLimit = 64

  private let bytes: [UInt8]
  private var position = 0

  /// Reads a whole text.
  ///
  /// - Returns: nil when it is not JSON, or nested too deeply.
  package static func read(_ bytes: [UInt8]) -> JSON? {
    var reader = JSONReader(bytes: bytes)
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipBlanks()
    return reader.position == bytes.count ? value : nil
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func value(depth: Int) -> JSON? {
    skipBlanks()
    guard depth < Self.depthLimit, let first = peek() else { return nil }
    switch first {
    case UInt8(ascii: "{"): return object(depth: depth)
    case UInt8(ascii: "["): return array(depth: depth)
    case UInt8(ascii: "\""): return string().map(JSON.string)
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    case UInt8(ascii: "t"): return take("true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .bool(false) : nil
    default: return number()
    }
  }

  private mutating func object(depth: Int) -> JSON? {
    position += 1
    var members: [(key: String, value: JSON)] = []
    skipBlanks()
    if takeByte(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipBlanks()
      guard let key = string() else { return nil }
      skipBlanks()
      guard takeByte(UInt8(ascii: ":")), let value = value(depth: depth + 1) else { return nil }
      members.append((key, value))
      skipBlanks()
      if takeByte(UInt8(ascii: "}")) { return .object(members) }
      guard takeByte(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func array(depth: Int) -> JSON? {
    position += 1
    var items: [JSON] = []
    skipBlanks()
    if takeByte(UInt8(ascii: "]")) { return .array([]) }
    while true {
      guard let item = value(depth: depth + 1) else { return nil }
      items.append(item)
      skipBlanks()
      if takeByte(UInt8(ascii: "]")) { return .array(items) }
      guard takeByte(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func string() -> String? {
    guard takeByte(UInt8(ascii: "\"")) else { return nil }
    // Nearly all strings have no escapes, and are taken as they are.
    let begin = position
    while let byte = peek(), byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { position += 1 }
    if peek() == UInt8(ascii: "\"") {
      defer { position += 1 }
      return Self.text(bytes[begin..<position])
    }
    var text = [UInt8](bytes[begin..<position])
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return Self.text(text[...])
      case 0..<0x20: return nil
      case UInt8(ascii: "\\"):
        guard let scalar = escape() else { return nil }
        text += String(scalar).utf8
      default: text.append(byte)
      }
    }
    return nil
  }

  /// A text; nil if it is not UTF-8.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
    // For ASCII, which needs no check, this way costs a third of the other.
    bytes.withUnsafeBufferPointer { bytes in
      bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : String(validating: bytes, as: UTF8.self)
    }
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard let byte = peek() else { return nil }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let first = fourDigits() else { return nil }
      guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) }
      // Characters beyond U+FFFF are written as two halves.
      guard take("\\u"), let second = fourDigits(), (0xdc00..<0xe000).contains(second) else { return nil }
      return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    default: return nil
    }
  }

  private mutating func fourDigits() -> UInt32? {
    guard position + 4 <= bytes.count else { return nil }
    var code: UInt32 = 0
    for byte in bytes[position..<(position + 4)] {
      guard let digit = byte.hexDigit else { return nil }
      code = code << 4 | UInt32(digit)
    }
    position += 4
    return code
  }

  private mutating func number() -> JSON? {
    let text = bytes[position...].prefix { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
    guard text.contains(where: { (0x30...0x39).contains($0) }) else { return nil }
    position = text.endIndex
    let word = String(decoding: text, as: UTF8.self)
    if let number = Int64(word) { return .number(number) }
    return Double(word) == nil ? nil : .raw([UInt8](word.utf8))
  }

  private mutating func take(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func takeByte(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }
}

extension JSON {
  /// The member of an object; nil if there is none, or if the value is not an object.
  package subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The text of a string; nil for any other value.
  package var text: String? { if case .string(let text) = self { text } else { nil } }
}
