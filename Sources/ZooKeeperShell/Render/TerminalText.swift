/// Bytes made fit for a terminal, where some would move the cursor or ring the bell.
struct TerminalText: Hashable, Sendable {
  /// The text, with `\xHH` for each byte that cannot be shown.
  private(set) var text = ""
  /// How many bytes that is.
  private(set) var escapedCount = 0

  /// Escapes what is not UTF-8, and all control characters but line end and tabulator.
  ///
  /// *Complexity*: linear.
  init(_ bytes: [UInt8]) {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .emptyInput: return
      case .valid(let encoded):
        let scalar = Unicode.UTF8.decode(encoded)
        if Self.isShown(scalar) { text.unicodeScalars.append(scalar) } else { escape(encoded) }
        offset += encoded.count
      case .error(let length):
        escape(bytes[offset..<(offset + length)])
        offset += length
      }
    }
  }

  private mutating func escape(_ bytes: some Collection<UInt8>) {
    for byte in bytes { text += "\\x" + Hex.text(byte) }
    escapedCount += bytes.count
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "\n" || scalar == "\t" || scalar.properties.generalCategory != .control
  }
}
