import JSONFormat

extension Tokenizer {
  /// Writes a word so that `tokenize` reads it back, in the plainest form that does: as it is, else in single
  /// quotes, else in double quotes with escapes.
  ///
  /// - Parameter quoting: the quotes that the person has opened already, which are kept where they can be.
  package static func quote(_ word: Word, in quoting: Quoting = .bare) -> String {
    guard let text = word.exactText, !text.unicodeScalars.contains(where: needsEscape) else {
      return doubleQuoted(word)
    }
    switch quoting {
    case .bare where isPlain(text): return text
    case .double: return doubleQuoted(word)
    case .bare, .single: return text.utf8.contains(UInt8(ascii: "'")) ? doubleQuoted(word) : "'" + text + "'"
    }
  }

  /// Writes a text so that `tokenize` reads it back.
  package static func quote(_ text: String, in quoting: Quoting = .bare) -> String { quote(Word(text), in: quoting) }

  /// Characters that are as safe in the shells of this world as in this one: a line that a person copies from
  /// here to there keeps its meaning.
  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.utf8.first, first != UInt8(ascii: "#") else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: true
      default: "/._-:,=+@%^#".utf8.contains(byte)
      }
    }
  }

  /// Whether the character cannot be seen, or not be told from another, in a terminal.
  private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
    case .spaceSeparator: scalar != " "
    default: false
    }
  }

  private static func doubleQuoted(_ word: Word) -> String {
    var result = "\""
    if let text = word.exactText {
      for scalar in text.unicodeScalars { appendEscaped(scalar, to: &result) }
    } else {
      // Bytes that are not UTF-8 make the neighbours doubtful too: all of them are shown as bytes.
      for byte in word.bytes {
        if byte < 0x80 { appendEscaped(Unicode.Scalar(byte), to: &result) } else { appendHex(byte, to: &result) }
      }
    }
    return result + "\""
  }

  private static func appendEscaped(_ scalar: Unicode.Scalar, to result: inout String) {
    switch scalar {
    case "\"", "\\": result += "\\" + String(scalar)
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case "\0": result += "\\0"
    case _ where !needsEscape(scalar): result.unicodeScalars.append(scalar)
    case _ where scalar.isASCII: appendHex(UInt8(scalar.value), to: &result)
    default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
    }
  }

  private static func appendHex(_ byte: UInt8, to result: inout String) {
    result += "\\x" + Hex.text(byte)
  }
}
