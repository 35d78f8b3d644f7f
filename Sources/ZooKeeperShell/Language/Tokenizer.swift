/// Splits a typed line into words the way a POSIX shell does, without its expansions.
///
/// - Blanks separate words; `#` at the start of a word begins a comment that ends with the line.
/// - `'single quotes'` keep everything unchanged.
/// - `"double quotes"` keep everything but escapes: `\"`, `\\`, `\$`, `` \` ``, `\n`, `\t`, `\r`, `\0`, `\xHH`
///   (one byte) and `\u{H...}` (one character). Before anything else a backslash is itself, as in sh.
/// - Outside quotes a backslash keeps the next character unchanged, so `a\b` is `ab`; only `\xHH` makes a byte.
/// - A backslash before a line end joins the lines. Parts that touch are one word: `'it''s'` is `its`.
///
/// Nothing else is special, so no text can expand to another: `x!!y` and `$HOME` are just that. Words are bytes,
/// because `\xFF` makes what no `String` holds.
package enum Tokenizer {
  /// The quotes around a word, or around the place where it stops.
  package enum Quoting: Hashable, Sendable {
    case bare, single, double
  }

  /// What a line comes to.
  package enum Outcome: Hashable, Sendable {
    case words([Word])
    /// A quote is open or a backslash is last: the next line belongs to this one.
    case incomplete
  }

  /// A line split as far as it goes, for completion.
  package struct Line: Hashable, Sendable {
    /// All words, an unfinished last one included.
    package var words: [Word]
    /// Whether a quote is open or a backslash is last.
    package var isIncomplete: Bool
    /// What the end of the text is in.
    package var cursor: Cursor
    /// The first word that a POSIX shell would take for the beginning of a here-document, as it was typed: `<<EOF`.
    package var hereDocument: String?
    /// The first argument that is an unquoted `|`, `>` or `>>`.
    package var redirection: RedirectionSign?
  }

  /// A sign that a POSIX shell would take for a redirection of the output.
  package struct RedirectionSign: Hashable, Sendable {
    /// As it was typed.
    package var sign: String
    /// Its place among the arguments.
    package var index: Int
    /// Where the text after it begins: an offset in bytes.
    package var endOffset: Int
  }

  /// The word that the end of the text touches; empty after a blank.
  package struct Cursor: Hashable, Sendable {
    /// Where the raw text of the word begins: an offset in bytes of UTF-8.
    package var startOffset: Int
    /// Its place among the words; the number of words when it is still to be begun.
    package var index: Int
    /// The word so far, quotes and escapes taken away.
    package var word: Word
    /// The quotes that are open.
    package var quoting: Quoting
    /// Whether the text ends in a comment, where nothing is to be completed.
    package var isComment: Bool
  }

  /// Splits a whole line, or several lines of one command.
  ///
  /// *Complexity*: linear.
  package static func tokenize(_ line: String) -> Outcome { tokenize([UInt8](line.utf8)) }

  /// Splits a line given as bytes, as scripts are read.
  package static func tokenize(_ bytes: [UInt8]) -> Outcome {
    let line = scan(bytes)
    return line.isIncomplete ? .incomplete : .words(line.words)
  }

  /// Splits the text before a cursor and reports what the cursor is in.
  package static func scan(_ bytes: [UInt8]) -> Line {
    var scanner = TokenScanner(bytes)
    return scanner.scan()
  }
}

/// One pass over a line.
private struct TokenScanner {
  let bytes: [UInt8]
  var position = 0
  var words: [Word] = []
  private var hereDocument: String?
  private var redirection: Tokenizer.RedirectionSign?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func scan() -> Tokenizer.Line {
    while true {
      skip { $0.isBlank }
      guard position < bytes.count else { return end(startOffset: position) }
      if bytes[position] == UInt8(ascii: "#") {
        skip { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard position < bytes.count else { return end(startOffset: position, isComment: true) }
        continue
      }
      let start = position
      let (word, state) = scanWord()
      words.append(Word(bytes: word))
      let raw = bytes[start..<position]
      if redirection == nil, raw.count <= 2, let sign = ["|", ">", ">>"].first(where: { raw.elementsEqual($0.utf8) }) {
        redirection = .init(sign: sign, index: words.count - 1, endOffset: position)
      }
      if hereDocument == nil, bytes[start..<position].starts(with: "<<".utf8) {
        hereDocument = String(decoding: bytes[start..<position], as: UTF8.self)
      }
      guard position < bytes.count else { return end(of: word, startOffset: start, state: state) }
    }
  }

  /// Where a word stops.
  private enum State {
    case closed, inSingleQuotes, inDoubleQuotes, behindBackslash
  }

  private mutating func scanWord() -> (word: [UInt8], state: State) {
    var word: [UInt8] = []
    while position < bytes.count, !bytes[position].isBlank {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "'"):
        guard scanSingleQuotes(into: &word) else { return (word, .inSingleQuotes) }
      case UInt8(ascii: "\""):
        guard scanDoubleQuotes(into: &word) else { return (word, .inDoubleQuotes) }
      case UInt8(ascii: "\\"):
        guard position < bytes.count else { return (word, .behindBackslash) }
        scanBareEscape(into: &word)
      default: word.append(byte)
      }
    }
    return (word, .closed)
  }

  private mutating func scanSingleQuotes(into word: inout [UInt8]) -> Bool {
    let start = position
    skip { $0 != UInt8(ascii: "'") }
    word += bytes[start..<position]
    guard position < bytes.count else { return false }
    position += 1
    return true
  }

  private mutating func scanDoubleQuotes(into word: inout [UInt8]) -> Bool {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return true }
      guard byte == UInt8(ascii: "\\") else {
        word.append(byte)
        continue
      }
      guard position < bytes.count else { return false }
      scanQuotedEscape(into: &word)
    }
    return false
  }

  /// Reads what follows a backslash outside quotes.
  private mutating func scanBareEscape(into word: inout [UInt8]) {
    if let byte = scanHexByte() { return word.append(byte) }
    if skipLineEnd() { return }
    word.append(bytes[position])
    position += 1
  }

  /// Skips a line end of any kind, which a backslash in front of it takes away.
  private mutating func skipLineEnd() -> Bool {
    let isReturn = bytes[position] == UInt8(ascii: "\r")
    guard isReturn || bytes[position] == UInt8(ascii: "\n") else { return false }
    position += 1
    if isReturn, position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
    return true
  }

  /// Reads what follows a backslash in double quotes.
  private mutating func scanQuotedEscape(into word: inout [UInt8]) {
    if let byte = scanHexByte() { return word.append(byte) }
    if let scalar = scanScalar() {
      word += String(scalar).utf8
      return
    }
    if skipLineEnd() { return }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): word.append(0x0a)
    case UInt8(ascii: "t"): word.append(0x09)
    case UInt8(ascii: "r"): word.append(0x0d)
    case UInt8(ascii: "0"): word.append(0x00)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"), UInt8(ascii: "`"): word.append(byte)
    default: word += [UInt8(ascii: "\\"), byte]
    }
  }

  /// Takes `xHH`, or nothing.
  private mutating func scanHexByte() -> UInt8? {
    guard position + 2 < bytes.count, bytes[position] == UInt8(ascii: "x"),
      let high = bytes[position + 1].hexDigit, let low = bytes[position + 2].hexDigit
    else { return nil }
    position += 3
    return high << 4 | low
  }

  /// Takes `u{H...}`, or nothing.
  private mutating func scanScalar() -> Unicode.Scalar? {
    guard position + 2 < bytes.count, bytes[position] == UInt8(ascii: "u"), bytes[position + 1] == UInt8(ascii: "{")
    else { return nil }
    let digits = bytes[(position + 2)...].prefix { $0.hexDigit != nil }
    guard (1...6).contains(digits.count), digits.endIndex < bytes.count,
      bytes[digits.endIndex] == UInt8(ascii: "}"),
      let scalar = Unicode.Scalar(digits.reduce(UInt32(0)) { $0 << 4 | UInt32($1.hexDigit ?? 0) })
    else { return nil }
    position = digits.endIndex + 1
    return scalar
  }

  private mutating func skip(while condition: (UInt8) -> Bool) {
    while position < bytes.count, condition(bytes[position]) { position += 1 }
  }

  private func end(startOffset: Int, isComment: Bool = false) -> Tokenizer.Line {
    let cursor = Tokenizer.Cursor(
      startOffset: startOffset, index: words.count, word: Word(bytes: []), quoting: .bare, isComment: isComment)
    return Tokenizer.Line(
      words: words, isIncomplete: false, cursor: cursor, hereDocument: hereDocument, redirection: redirection)
  }

  private func end(of word: [UInt8], startOffset: Int, state: State) -> Tokenizer.Line {
    let quoting: Tokenizer.Quoting =
      switch state {
      case .closed, .behindBackslash: .bare
      case .inSingleQuotes: .single
      case .inDoubleQuotes: .double
      }
    let cursor = Tokenizer.Cursor(
      startOffset: startOffset, index: words.count - 1, word: Word(bytes: word), quoting: quoting, isComment: false)
    return Tokenizer.Line(
      words: words, isIncomplete: state != .closed, cursor: cursor, hereDocument: hereDocument, redirection: redirection
    )
  }
}

extension UInt8 {
  /// Whether it separates words.
  fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }

  /// The value of a hexadecimal digit, or nil.
  var hexDigit: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
