import JSONFormat

/// Splits a typed line into tokens as a POSIX shell does, without its expansions.
///
/// - Blanks separate tokens; `#` at the start of a token begins a comment that ends with the line.
/// - `'single quotes'` keep everything unchanged.
/// - `"double quotes"` keep everything except escapes: `\"`, `\\`, `\$`, `` \` ``, `\n`, `\t`, `\r`, `\0`, `\xHH` (one
///   byte) and `\u{H...}` (one character). Before any other character a backslash is literal, as in sh.
/// - Outside quotes a backslash keeps the next character unchanged, so `a\b` is `ab`; only `\xHH` makes a byte.
/// - A backslash before a line end joins the lines. Adjacent parts are one token: `'it''s'` is `its`.
///
/// Nothing else is special and nothing is expanded: `x!!y` and `$HOME` stay as they are. Tokens are bytes, because a
/// `String` cannot hold what `\xFF` stands for.
package enum Tokenizer {
  /// The quotes around a token, or around the position where it stops.
  package enum Quoting: Hashable, Sendable {
    case bare, single, double
  }

  /// The result of splitting a line.
  package enum Outcome: Hashable, Sendable {
    case words([Word])
    /// A quote is open or the line ends with a backslash, so that the next line continues it.
    case incomplete
  }

  /// A possibly incomplete line, split for completion.
  package struct Line: Hashable, Sendable {
    /// All tokens, including an unfinished last one.
    package var words: [Word]
    /// Whether a quote is open or the line ends with a backslash.
    package var isIncomplete: Bool
    /// The context at the end of the text.
    package var cursor: Cursor
    /// The first token that a POSIX shell would read as the start of a here-document, as it was typed: `<<EOF`.
    package var hereDocument: String?
    /// The first argument that is an unquoted `|`, `>` or `>>`.
    package var redirection: RedirectionSign?
  }

  /// A token that a POSIX shell would read as a redirection of the output.
  package struct RedirectionSign: Hashable, Sendable {
    /// As it was typed.
    package var sign: String
    /// Its index among the arguments.
    package var index: Int
    /// The offset in bytes of the text after it.
    package var endOffset: Int
  }

  /// The token at the end of the text; empty after a blank.
  package struct Cursor: Hashable, Sendable {
    /// The offset in bytes of UTF-8 at which the raw text of the token begins.
    package var startOffset: Int
    /// Its index among the tokens; the number of tokens if it has not begun yet.
    package var index: Int
    /// The token so far, without quotes and escapes.
    package var word: Word
    /// The quotes that are open.
    package var quoting: Quoting
    /// Whether the text ends in a comment, where nothing is completed.
    package var isComment: Bool
  }

  /// Splits a whole line, or several lines of one command.
  ///
  /// *Complexity*: linear.
  package static func tokenize(_ line: String) -> Outcome { tokenize([UInt8](line.utf8)) }

  /// Splits a line of bytes, as scripts are read.
  package static func tokenize(_ bytes: [UInt8]) -> Outcome {
    let line = scan(bytes)
    return line.isIncomplete ? .incomplete : .words(line.words)
  }

  /// Splits the text before a cursor and reports the cursor's context.
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

  /// The context in which the text ends.
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

  /// Skips a line end of any kind after a backslash, which joins the lines.
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

  /// Consumes `xHH`, or nothing.
  private mutating func scanHexByte() -> UInt8? {
    guard position + 2 < bytes.count, bytes[position] == UInt8(ascii: "x"),
      let high = bytes[position + 1].hexDigit, let low = bytes[position + 2].hexDigit
    else { return nil }
    position += 3
    return high << 4 | low
  }

  /// Consumes `u{H...}`, or nothing.
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
  /// Whether it separates tokens.
  fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }
}
