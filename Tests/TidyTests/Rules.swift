/// The rules of the house that a program can check.
///
/// Each is a function of a path, counted from the root of the repository, and of the text there, to what is wrong with
/// them.
enum Rules {
  /// A rule over one file.
  typealias Rule = @Sendable (_ path: String, _ text: SwiftText) -> [Breach]

  /// Every rule over one file of Swift.
  static let all: [Rule] = [
    imports, functionLength, lineLength, fileLength, openPoints, printing, docComments,
  ]

  static let maxFunctionLines = 70
  static let maxColumns = 120
  static let maxFileLines = 700

  /// Only what the table allows to be imported in `Sources` is, and Foundation nowhere.
  static let imports: Rule = { path, text in
    guard let target = target(ofSource: path) else { return [] }
    guard ImportTable.allowed[target] != nil else {
      return [Breach(path: path, line: 0, message: "target \(target) is not in the import table")]
    }
    let fileName = String(path.split(separator: "/").last ?? "")
    return text.codeLines.enumerated().compactMap { index, line in
      guard let module = importedModule(line) else { return nil }
      guard !ImportTable.allows(module, in: target, fileName: fileName) else { return nil }
      return Breach(path: path, line: index + 1, message: "\(target) may not import \(module)")
    }
  }

  /// No body of a function or initializer has more than 70 lines.
  static let functionLength: Rule = { path, text in
    DeclarationFinder.declarations(in: text).compactMap { declaration in
      guard declaration.kind == .function, declaration.bodyLineCount > maxFunctionLines else { return nil }
      let message = "\(declaration.name) has \(declaration.bodyLineCount) lines"
      return Breach(path: path, line: declaration.line, message: message)
    }
  }

  /// No line has more than 120 columns.
  static let lineLength: Rule = { path, text in
    if isGenerated(text) { return [] }
    return text.lines.enumerated().compactMap { index, line in
      guard line.count > maxColumns else { return nil }
      return Breach(path: path, line: index + 1, message: "\(line.count) columns")
    }
  }

  /// No file in `Sources` has more than 700 lines.
  static let fileLength: Rule = { path, text in
    // A text that ends with a line feed has an empty line after it.
    let count = text.lines.count - (text.lines.last == "" ? 1 : 0)
    guard target(ofSource: path) != nil, count > maxFileLines, !isGenerated(text) else { return [] }
    return [Breach(path: path, line: 0, message: "\(count) lines")]
  }

  /// Nothing is left open in a comment without an issue to follow it.
  static let openPoints: Rule = { path, text in
    // In two parts, so that this file does not break its own rule.
    let mark = "FIX" + "ME"
    return text.lines.enumerated().compactMap { index, line in
      line.contains(mark) ? Breach(path: path, line: index + 1, message: mark) : nil
    }
  }

  /// Only renderers and `main.swift` print.
  static let printing: Rule = { path, text in
    guard let target = target(ofSource: path), !path.hasSuffix("/main.swift") else { return [] }
    guard !path.hasPrefix("Sources/\(target)/Render/") else { return [] }
    return text.codeLines.enumerated().compactMap { index, line in
      callsPrint(line) ? Breach(path: path, line: index + 1, message: "prints outside of Render/") : nil
    }
  }

  /// Functions that a protocol asks for, and that are documented there once for all who have them.
  private static let witnesses: Set<String> = [
    "func encode", "func <", "func ==", "func hash", "func next", "func makeAsyncIterator", "func channelRead",
    "func channelReadComplete", "func channelActive", "func channelInactive", "func channelWritabilityChanged",
    "func errorCaught", "func handlerAdded", "func handlerRemoved", "func userInboundEventTriggered",
  ]

  /// Every type and function in `Sources` that is not private has a doc comment.
  ///
  /// Initializers are left out: most only store what they are given, and the type says what that is.
  static let docComments: Rule = { path, text in
    guard target(ofSource: path) != nil, !isGenerated(text) else { return [] }
    return DeclarationFinder.declarations(in: text).compactMap { declaration in
      guard declaration.kind != .extension, !declaration.isPrivate, !declaration.isLocal else { return nil }
      guard declaration.name != "init", !witnesses.contains(declaration.name) else { return nil }
      guard !isDocumented(declaration, in: text) else { return nil }
      return Breach(path: path, line: declaration.line, message: "\(declaration.name) has no doc comment")
    }
  }

  /// Nothing is at the top of the repository but what a visitor expects there; `paths` is all that is committed.
  static func topLevel(_ paths: [String]) -> [Breach] {
    let expected: Set<String> = ["Package.swift", "Sources", "Tests", "completions", "man", "README.md", "LICENSE"]
    let entries = Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) })
    return entries.subtracting(expected).filter { !$0.hasPrefix(".") }.sorted().map {
      Breach(path: $0, line: 0, message: "does not belong at the top of the repository")
    }
  }
}

/// The target that the file at `path` belongs to; nil if it is not under `Sources`.
private func target(ofSource path: String) -> String? {
  let parts = path.split(separator: "/")
  return parts.count >= 3 && parts[0] == "Sources" ? String(parts[1]) : nil
}

/// Whether line 1 says that a program wrote the file.
private func isGenerated(_ text: SwiftText) -> Bool {
  guard let first = text.lines.first, first.hasPrefix("//") else { return false }
  return first.lowercased().contains("generated by")
}

extension Rules {
  /// The module that a line imports: `Foo` for `public import struct Foo.Bar`.
  static func importedModule(_ line: String) -> String? {
    var words = line.split(separator: " ")[...]
    guard let position = words.firstIndex(of: "import") else { return nil }
    let prefixes: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    guard words[..<position].allSatisfy({ prefixes.contains($0) || $0.hasPrefix("@") }) else { return nil }
    words = words[(position + 1)...]
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    if let kind = words.first, kinds.contains(kind) { words = words.dropFirst() }
    return words.first?.split(separator: ".").first.map(String.init)
  }
}

/// Whether a line of code calls the global `print` or `debugPrint`, and not a method of that name.
private func callsPrint(_ line: String) -> Bool {
  let characters = Array(line)
  return ["print(", "debugPrint("].contains { call in
    characters.indices.contains { start in
      guard characters[start...].starts(with: call) else { return false }
      let before = characters[..<start]
      guard let last = before.last else { return true }
      return !last.isLetter && !last.isNumber && last != "_" && last != "." && !before.suffix(5).elementsEqual("func ")
    }
  }
}

/// Whether there is a doc comment above `declaration`, with only attributes and modifiers in between.
private func isDocumented(_ declaration: Declaration, in text: SwiftText) -> Bool {
  var index = declaration.line - 2
  let modifiers: Set<Substring> = ["public", "package", "internal", "static", "final", "mutating", "nonisolated"]
  while index >= 0 {
    let line = text.lines[index].drop { $0 == " " }
    if line.hasPrefix("///") || line.hasSuffix("*/") { return true }
    let isAttribute = line.hasPrefix("@") || line.hasPrefix(")")
    guard !line.isEmpty, isAttribute || line.split(separator: " ").allSatisfy(modifiers.contains) else { return false }
    index -= 1
  }
  return false
}
