/// The variables that `conf/java.env` or `conf/zookeeper-env.sh` sets.
///
/// Apache's scripts let a shell run these files. Here nothing is run: only assignments of plain values are read, with
/// quotes, `$NAME`, `${NAME}`, `${NAME:-default}` and `+=`, which is all that nearly all such files have. What only a
/// shell can evaluate, such as a command substitution or an assignment under a condition, is left out and reported.
///
/// *Source*: `bin/zkEnv.sh`; the Shell Command Language of POSIX, 2.2 and 2.9.1.
public struct JavaEnvironmentFile: Hashable, Sendable {
  /// A statement that was left out.
  public struct Statement: Hashable, Sendable {
    /// The line that it begins on, from 1.
    public var line: Int
    /// The statement as it was written, in one line.
    public var text: String

    public init(line: Int, text: String) {
      self.line = line
      self.text = text
    }
  }

  /// All variables as they are after the file: those that were given, and those that it assigns.
  public let variables: [String: String]
  /// What was left out, comments and blank lines apart.
  public let notUnderstood: [Statement]

  /// Reads a file.
  ///
  /// - Parameter variables: the variables that are set already; the file may refer to them.
  public init(parsing text: String, variables: [String: String] = [:]) {
    var reader = ShellAssignmentReader(text, variables)
    reader.run()
    self.variables = reader.variables
    notUnderstood = reader.notUnderstood
  }
}

/// One pass over such a file.
private struct ShellAssignmentReader {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  var variables: [String: String]
  var notUnderstood: [JavaEnvironmentFile.Statement] = []
  /// How many compound commands (`if`, `for`, braces) are open. Assignments inside them might not be carried out.
  private var depth = 0

  /// A token of a statement.
  private struct ScannedWord {
    /// The token without its quotes; of an assignment, the value.
    var text = ""
    /// The name in front of an unquoted `=` or `+=`, where there is one.
    var assignment: (name: String, appends: Bool)?
    var isUnderstood = true
  }

  private static let openers: Set<String> = ["if", "for", "while", "until", "case", "{", "select"]
  private static let closers: Set<String> = ["fi", "done", "esac", "}"]

  init(_ text: String, _ variables: [String: String]) {
    var scalars = [Unicode.Scalar](text.unicodeScalars)
    if scalars.first == "\u{feff}" { scalars.removeFirst() }
    // In a file that was written on Windows, values would end with a carriage return, which is never meant.
    var unix: [Unicode.Scalar] = []
    unix.reserveCapacity(scalars.count)
    for (index, scalar) in scalars.enumerated() {
      if scalar == "\r" {
        let isPair = index + 1 < scalars.count && scalars[index + 1] == "\n"
        if !isPair { unix.append("\n") }
      } else {
        unix.append(scalar)
      }
    }
    self.scalars = unix
    self.variables = variables
  }

  mutating func run() {
    while position < scalars.count { readStatement() }
  }

  /// Reads up to the end of a line, or to a semicolon that no quotes hold.
  private mutating func readStatement() {
    let (start, startLine) = (position, line)
    var words: [ScannedWord] = []
    var isUnderstood = true
    reading: while let scalar = peek() {
      switch scalar {
      case " ", "\t": advance()
      case "\\" where position + 1 < scalars.count && scalars[position + 1] == "\n":
        advance()
        advance()
      case "\n", ";":
        advance()
        break reading
      case "#": while let next = peek(), next != "\n" { advance() }
      case "&", "|", "<", ">", "(", ")":
        isUnderstood = false
        advance()
      default:
        let word = readWord()
        isUnderstood = isUnderstood && word.isUnderstood
        words.append(word)
      }
    }
    guard let first = words.first else { return }
    let wasOpen = depth > 0
    // An opener may follow other tokens (`f() {`, `else if`). A token that only looks like one leaves out too much,
    // which is the safe side.
    if words.contains(where: { $0.assignment == nil && Self.openers.contains($0.text) }) { depth += 1 }
    if first.assignment == nil, Self.closers.contains(first.text) { depth = max(0, depth - 1) }
    if isUnderstood, !wasOpen, depth == 0, apply(words) { return }
    let text = scalars[start..<position].split { $0 == "\n" || $0 == " " || $0 == "\t" }
      .map { String(String.UnicodeScalarView($0)) }.joined(separator: " ")
    notUnderstood.append(.init(line: startLine, text: text))
  }

  /// Carries out the assignments of a statement.
  ///
  /// - Returns: false if it consists of anything but assignments.
  private mutating func apply(_ words: [ScannedWord]) -> Bool {
    let isExport = words[0].assignment == nil && words[0].text == "export"
    let assignments = isExport ? words.dropFirst() : words[...]
    // `export NAME` changes nothing here; `NAME=value command` sets it for that command alone.
    guard assignments.allSatisfy({ $0.assignment != nil || (isExport && Self.isName($0.text)) }) else { return false }
    for word in assignments {
      guard let (name, appends) = word.assignment else { continue }
      variables[name] = (appends ? variables[name] ?? "" : "") + word.text
    }
    return true
  }

  private mutating func readWord() -> ScannedWord {
    var word = ScannedWord()
    var isQuoted = false
    while let scalar = peek() {
      switch scalar {
      case " ", "\t", "\n", ";", "&", "|", "<", ">", "(", ")": return word
      case "'":
        isQuoted = true
        advance()
        while let next = peek(), next != "'" { append(next, to: &word) }
        guard peek() != nil else { word.isUnderstood = false; return word }
        advance()
      case "\"":
        isQuoted = true
        advance()
        readDoubleQuotes(into: &word)
      case "\\":
        isQuoted = true
        advance()
        if peek() == "\n" { advance() } else if let next = peek() { append(next, to: &word) }
      case "$": readExpansion(into: &word)
      case "`":
        word.isUnderstood = false
        advance()
      case "=" where word.assignment == nil && !isQuoted && Self.isAssignable(word.text):
        let appends = word.text.hasSuffix("+")
        word.assignment = (appends ? String(word.text.dropLast()) : word.text, appends)
        word.text = ""
        advance()
      default: append(scalar, to: &word)
      }
    }
    return word
  }

  private mutating func readDoubleQuotes(into word: inout ScannedWord) {
    while let scalar = peek() {
      switch scalar {
      case "\"":
        advance()
        return
      case "\\":
        advance()
        guard let next = peek() else { break }
        switch next {
        case "\n": advance()
        case "$", "`", "\"", "\\": append(next, to: &word)
        default:
          word.text.unicodeScalars.append("\\")
          append(next, to: &word)
        }
      case "$": readExpansion(into: &word)
      case "`":
        word.isUnderstood = false
        advance()
      default: append(scalar, to: &word)
      }
    }
    word.isUnderstood = false
  }

  /// Reads `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME:-default}`; anything else is for a shell.
  private mutating func readExpansion(into word: inout ScannedWord) {
    advance()
    guard let first = peek() else { return word.text.unicodeScalars.append("$") }
    if Self.isNameStart(first) {
      let name = readName()
      word.text += variables[name] ?? ""
      return
    }
    guard first == "{" else {
      word.isUnderstood = word.isUnderstood && (first == "\"" || first == " ")
      return word.text.unicodeScalars.append("$")
    }
    advance()
    let name = readName()
    var rest = ""
    while let next = peek(), next != "}", next != "\n" {
      rest.unicodeScalars.append(next)
      advance()
    }
    guard peek() == "}", Self.isName(name) else { return word.isUnderstood = false }
    advance()
    if rest.isEmpty { return word.text += variables[name] ?? "" }
    let isPlain = !rest.unicodeScalars.contains { "$`'\"\\".unicodeScalars.contains($0) }
    guard isPlain, rest.hasPrefix(":-") || rest.hasPrefix("-") else { return word.isUnderstood = false }
    let countsEmpty = rest.hasPrefix(":")
    let present = variables[name].flatMap { countsEmpty && $0.isEmpty ? nil : $0 }
    word.text += present ?? String(rest.dropFirst(countsEmpty ? 2 : 1))
  }

  private mutating func readName() -> String {
    var name = ""
    while let scalar = peek(), Self.isNameStart(scalar) || ("0"..."9").contains(scalar) {
      name.unicodeScalars.append(scalar)
      advance()
    }
    return name
  }

  private func peek() -> Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func advance() {
    if scalars[position] == "\n" { line += 1 }
    position += 1
  }

  private mutating func append(_ scalar: Unicode.Scalar, to word: inout ScannedWord) {
    word.text.unicodeScalars.append(scalar)
    advance()
  }

  private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, isNameStart(first) else { return false }
    return text.unicodeScalars.allSatisfy { isNameStart($0) || ("0"..."9").contains($0) }
  }

  private static func isAssignable(_ text: String) -> Bool {
    isName(text.hasSuffix("+") ? String(text.dropLast()) : text)
  }
}
