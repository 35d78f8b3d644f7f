/// The words and phrases that the glossary replaces, in the comments and strings of sources.
///
/// They are counted for each target, and the numbers are committed. More than before is a breach, and so is fewer,
/// until the number is lowered: the counts can only go down.
enum BannedWords {
  /// One use of a banned phrase.
  struct Use: Equatable {
    let phrase: String
    /// Where its first word is, counted from 1.
    let line: Int
  }

  /// The phrases in lower case, as the words that must follow each other. `Glossary.md` says what to write instead.
  static let phrases: [String] = [
    "behind", "stands", "stood", "counts it", "somebody", "nobody", "whoever", "whom", "he who", "has called",
    "time has come", "its time", "for ever", "without end", "tells", "has to", "have to", "word", "words", "in force",
    "that is none", "that are none", "none that", "no more", "any more", "of its own", "of their own", "of his own",
    "server alone", "of the system's", "comes of that", "what comes", "given fields", "given parts", "is to be",
    "are to be", "lacks its",
  ]

  /// The phrases by their first words, longest first.
  private static let byFirstWord = Dictionary(
    grouping: phrases.map { $0.split(separator: " ").map(String.init) }.sorted { $0.count > $1.count }, by: { $0[0] })

  /// All uses in a source, in order.
  static func uses(in text: SwiftText) -> [Use] {
    let tokens = Prose.tokens(of: text)
    var uses: [Use] = []
    var index = 0
    while index < tokens.count {
      let found = (byFirstWord[tokens[index].text] ?? []).first { words in
        tokens[index...].prefix(words.count).map(\.text) == words && !isUsual(words, at: index, in: tokens)
      }
      if let found { uses.append(Use(phrase: found.joined(separator: " "), line: tokens[index].line)) }
      index += found?.count ?? 1
    }
    return uses
  }

  /// Whether a banned phrase is part of usual English, or of ZooKeeper's terms: "stands for", "no more failures than",
  /// "four-letter word"; or a name: of a parameter in its documentation, of the command `word`, or of zsh's array
  /// `words`.
  private static func isUsual(_ words: [String], at index: Int, in tokens: [Prose.Token]) -> Bool {
    let previous = index > 0 ? tokens[index - 1].text : ""
    let next = index + words.count < tokens.count ? tokens[index + words.count].text : ""
    switch words.joined(separator: " ") {
    case "stands": return next == "for"
    case "no more": return next == "than" || index + 3 < tokens.count && tokens[index + 3].text == "than"
    case "word", "words":
      if previous == "four-letter" || next == "[" { return true }
      if next == ":" { return previous == "-" || previous == "parameter" }
      return ["", "\""].contains(previous) && ["", "\"", "srvr"].contains(next)
    default: return false
    }
  }

  /// What is wrong with the uses that each target has, in view of the numbers that it may have.
  static func breaches(_ uses: [String: [(path: String, use: Use)]], allowed: [String: Int]) -> [Breach] {
    Set(uses.keys).union(allowed.keys).sorted().flatMap { target -> [Breach] in
      let found = uses[target] ?? []
      let limit = allowed[target] ?? 0
      if found.count < limit {
        let message = "\(target) has \(found.count) banned words, not \(limit): lower its number (ZK_REWRITE=1 does it)"
        return [Breach(path: BannedWordTable.path, line: 0, message: message)]
      }
      if found.count == limit { return [] }
      let message = "\(target) has \(found.count) banned words, and may have \(limit); see Glossary.md. They are:"
      return [Breach(path: BannedWordTable.path, line: 0, message: message)]
        + found.map { Breach(path: $0.path, line: $0.use.line, message: $0.use.phrase) }
    }
  }
}

/// The committed numbers.
enum BannedWordTable {
  static let path = "Tests/TidyTests/BannedWords.txt"

  private static let head = """
    # The number of banned words in the comments and strings of each target; targets that are not listed have none.
    # The numbers can only go down. ZK_REWRITE=1 in the environment of the tests writes this file anew.

    """

  /// The numbers by target.
  ///
  /// - Returns: nil if a line is neither a comment nor a target and a number.
  static func parse(_ text: String) -> [String: Int]? {
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(separator: " ")
      guard fields.count == 2, let count = Int(fields[1]), count > 0 else { return nil }
      counts[String(fields[0])] = count
    }
    return counts
  }

  /// The text of the file.
  static func text(_ counts: [String: Int]) -> String {
    head + counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
  }
}

/// What people read in a source: its comments and strings, without the code in them.
enum Prose {
  /// A word in lower case, or a single other character.
  struct Token: Equatable {
    let text: String
    let line: Int
  }

  /// The words of all comments and strings. Between two of them, and in place of code in backticks or interpolations,
  /// there is a token that is no word, so that no phrase goes across.
  static func tokens(of text: SwiftText) -> [Token] {
    var tokens: [Token] = []
    for (index, (line, code)) in zip(text.lines, text.codeLines).enumerated() {
      append(Array(line), Array(code), line: index + 1, to: &tokens)
    }
    return tokens
  }

  private static func append(_ line: [Character], _ code: [Character], line number: Int, to tokens: inout [Token]) {
    // Two lines without a comment between them are not one sentence.
    guard line != code else { return appendBreak(number, to: &tokens) }
    var index = 0
    while index < line.count {
      let character = line[index]
      if character == code[index] {
        if character != " " { appendBreak(number, to: &tokens) }
        index += 1
      } else if character == "`", let end = endOfCode(line, from: index) {
        appendBreak(number, to: &tokens)
        index = end
      } else if character == "\\", index + 1 < line.count, line[index + 1] == "(" {
        appendBreak(number, to: &tokens)
        index = endOfInterpolation(line, from: index + 1)
      } else if isWordCharacter(character) {
        let end = line[index...].firstIndex { !isWordCharacter($0) } ?? line.count
        tokens.append(Token(text: String(line[index..<end]).lowercased(), line: number))
        index = end
      } else {
        // The slashes in front of a comment's line do not end its sentence.
        if character != "/" { tokens.append(Token(text: String(character), line: number)) }
        index += 1
      }
    }
  }

  private static func appendBreak(_ line: Int, to tokens: inout [Token]) {
    if tokens.last?.text != "" { tokens.append(Token(text: "", line: line)) }
  }

  private static func isWordCharacter(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "'" || character == "-" || character == "_"
  }

  /// The index after the backticks that close those at `start`, one or two; nil if there are none.
  private static func endOfCode(_ line: [Character], from start: Int) -> Int? {
    guard let code = line[start...].firstIndex(where: { $0 != "`" }) else { return nil }
    guard let closing = line[code...].firstIndex(of: "`") else { return nil }
    return line[closing...].firstIndex { $0 != "`" } ?? line.count
  }

  /// The index after the parenthesis that closes the one at `start`, or the end of the line.
  private static func endOfInterpolation(_ line: [Character], from start: Int) -> Int {
    var depth = 0
    for index in start..<line.count {
      if line[index] == "(" { depth += 1 }
      if line[index] == ")" { depth -= 1 }
      if depth == 0 { return index + 1 }
    }
    return line.count
  }
}
