/// A function, initializer or type found in a source.
struct Declaration: Equatable {
  /// What a declaration declares.
  enum Kind: Equatable {
    case function
    case type
    case `extension`
  }

  let kind: Kind
  /// The keyword and what follows it, as far as it names the thing.
  let name: String
  /// The line of its keyword, counted from 1.
  let line: Int
  /// Written `private` or `fileprivate`, or inside of something that is.
  let isPrivate: Bool
  /// Inside a function, closure or accessor, and so not seen from outside.
  let isLocal: Bool
  /// The lines of its body, from the one with the opening brace to the one with the closing; 0 without a body.
  var bodyLineCount = 0
}

/// Finds the declarations of a source by following its brackets.
struct DeclarationFinder {
  /// A bracket that is open.
  private struct Scope {
    let opening: Character
    /// The declaration whose body this is.
    let declarationIndex: Int?
    let startLine: Int
    let isProtocol: Bool
  }

  /// A keyword or identifier of the code, and its position.
  private struct Word {
    let text: String
    let line: Int
    /// The nearest characters that are no spaces, on both sides.
    let before: Character?
    let after: Character?
  }

  private let code: [Character]
  private var declarations: [Declaration] = []
  private var scopes: [Scope] = []
  /// A declaration whose body may follow, and at which depth of brackets.
  private var pending: (index: Int, depth: Int, isProtocol: Bool)?
  /// The words since the statement began: attributes, modifiers.
  private var modifiers: [String] = []
  private var line = 1
  private var index = 0

  private init(code: [Character]) { self.code = code }

  /// All declarations of `text`, in order.
  static func declarations(in text: SwiftText) -> [Declaration] {
    var finder = DeclarationFinder(code: text.code)
    finder.run()
    return finder.declarations
  }

  private mutating func run() {
    while index < code.count {
      let character = code[index]
      if character.isLetter || character == "_" {
        visit(takeWord())
        continue
      }
      visit(character)
      index += 1
    }
  }

  private mutating func visit(_ character: Character) {
    switch character {
    case "\n":
      line += 1
    case "(", "[":
      scopes.append(Scope(opening: character, declarationIndex: nil, startLine: line, isProtocol: false))
    case ")", "]":
      if !scopes.isEmpty { scopes.removeLast() }
    case "{":
      openBrace()
    case "}":
      closeBrace()
    case "=", ";":
      modifiers = []
    default:
      break
    }
  }

  private mutating func openBrace() {
    var scope = Scope(opening: "{", declarationIndex: nil, startLine: line, isProtocol: false)
    if let found = pending, found.depth == scopes.count {
      scope = Scope(opening: "{", declarationIndex: found.index, startLine: line, isProtocol: found.isProtocol)
      pending = nil
    }
    scopes.append(scope)
    modifiers = []
  }

  private mutating func closeBrace() {
    guard let scope = scopes.popLast() else { return }
    if let index = scope.declarationIndex { declarations[index].bodyLineCount = line - scope.startLine + 1 }
    if let found = pending, found.depth > scopes.count { pending = nil }
    modifiers = []
  }

  private mutating func takeWord() -> Word {
    let start = index
    while index < code.count, code[index].isLetter || code[index].isNumber || code[index] == "_" { index += 1 }
    return Word(
      text: String(code[start..<index]), line: line, before: code[..<start].last { $0 != " " },
      after: code[index...].first { $0 != " " })
  }

  private mutating func visit(_ word: Word) {
    guard word.before != "." && word.before != "`" else { return }
    let isNamed = word.after.map { $0.isLetter || $0 == "_" || $0 == "`" } ?? false
    switch word.text {
    case "import":
      skipLine()
    case "func":
      declare(.function, word)
    case "init" where word.after.map { "(<?!".contains($0) } ?? false:
      declare(.function, word)
    case "class" where isNamed && ["func", "var", "let", "subscript"].contains(nextWord()):
      modifiers.append(word.text)
    case "struct", "class", "enum", "actor", "protocol":
      if isNamed { declare(.type, word) }
    case "extension":
      if isNamed { declare(.extension, word) }
    case "var", "let", "case", "subscript", "deinit", "typealias", "associatedtype", "return", "if", "guard", "in":
      modifiers = []
      // A requirement or a stored property ends the hope for a body of what came before.
      if let found = pending, found.depth == scopes.count { pending = nil }
    default:
      modifiers.append(word.text)
    }
  }

  private mutating func declare(_ kind: Declaration.Kind, _ word: Word) {
    let enclosing = scopes.compactMap { $0.declarationIndex.map { declarations[$0] } }
    let isLocal = scopes.contains { scope in
      guard scope.opening == "{" else { return true }
      return scope.declarationIndex.map { declarations[$0].kind == .function } ?? true
    }
    let isMarkedPrivate = modifiers.contains { $0 == "private" || $0 == "fileprivate" }
    let isPrivate = isMarkedPrivate || enclosing.contains(where: \.isPrivate)
    let name = word.text == "init" ? "init" : "\(word.text) \(nextWord())"
    declarations.append(
      Declaration(kind: kind, name: name, line: word.line, isPrivate: isPrivate, isLocal: isLocal))
    modifiers = []
    let isRequirement = kind == .function && scopes.last?.isProtocol == true
    pending = isRequirement ? nil : (declarations.count - 1, scopes.count, word.text == "protocol")
  }

  /// The name that follows here: a word, or an operator.
  private func nextWord() -> String {
    let rest = code[index...].drop { $0 == " " || $0 == "`" }
    if rest.first.map({ $0.isLetter || $0 == "_" }) == true {
      return String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    }
    return String(rest.prefix { $0 != " " && $0 != "(" })
  }

  private mutating func skipLine() {
    while index < code.count, code[index] != "\n" { index += 1 }
  }
}
