import JSONFormat

extension Tokenizer {
  /// Quotes a token so that `tokenize` reads it back, in the simplest way: unquoted, in single quotes, or in double
  /// quotes with escapes.
  ///
  /// - Parameter quoting: the quotes that the user has opened already, which are kept if possible.
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

  /// Quotes a text so that `tokenize` reads it back.
  package static func quote(_ text: String, in quoting: Quoting = .bare) -> String { quote(Word(text), in: quoting) }

  /// Whether the text has only characters that are safe in other shells too, so that a line keeps its meaning when it
  /// is copied there.
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

  /// Whether the character is invisible in a terminal, or looks like another one.
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
      // If some bytes are not UTF-8, their neighbours are doubtful too, so all are shown as bytes.
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
