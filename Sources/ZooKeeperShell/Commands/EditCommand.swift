import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// edit.
extension CommandContext {
  /// Changes the data of a znode in an editor.
  func edit(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let command = try invocation.value(.editor).map { word throws(ShellError) in
      try ValueParser.text(word, of: "--editor")
    }
    var base = try await text(of: path, client)
    let name = ZnodePath.name(of: path)
    let file = try EditorFile(named: base.fileName(name))
    var text = base.bytes
    for _ in 0..<Self.roundLimit {
      try file.write(text)
      try await runEditor(command ?? editor, file.path, client)
      let edited = base.withoutAddedLineEnd(try file.read())
      guard edited != base.bytes else {
        try emit(.remark("\(path) was not changed"))
        return .success
      }
      if let problem = base.problem(with: edited) {
        try await allowAnotherRound(problem, path)
        text = edited
        continue
      }
      if let problem = base.formatProblem(with: edited), !(try await mayLoseFormat(problem, path)) {
        text = edited
        continue
      }
      let difference = TextDiff.unified(
        String(decoding: base.bytes, as: UTF8.self), String(decoding: edited, as: UTF8.self))
      if invocation.flag(.dryRun) {
        try emit(.value(.edited(path: path, difference: difference, version: nil, isShown: false)))
        return .success
      }
      guard try await approves(difference, of: path) else {
        text = edited
        continue
      }
      switch try await store(edited, over: &base, path, client) {
      case .written(let stat):
        let edited = ValueResult.edited(
          path: path, difference: difference, version: stat.version, isShown: asksAboutEdits)
        try emit(.value(edited))
        return .success
      case .conflict:
        try emit(.warning("\(path) was changed by another client; the editor has both texts"))
        text = TextConflict.merged(
          edited, base.bytes, yoursName: "your text", theirsName: "version \(base.version)")
      case .refused(let problem):
        try await allowAnotherRound(problem, path)
        text = edited
      }
    }
    throw ShellError(.conflict, "Conflict", path: path, "other clients change it too often; nothing was changed")
  }

  /// How many times the editor is opened.
  private static let roundLimit = 100

  /// The text that is edited, as it was read.
  private struct BaseText {
    var bytes: [UInt8]
    var version: Int32
    /// Whether the original text was JSON, so that the new one must be JSON too.
    var isJSON: Bool
    /// The kind of the original text if it was a YAML mapping or sequence and not JSON.
    var yamlKind: YAMLOutline.Kind?

    /// A name for the file, from which the editor recognizes the format.
    func fileName(_ name: String) -> String {
      if isJSON { return name.hasSuffix(".json") ? name : "\(name).json" }
      guard yamlKind != nil, !name.hasSuffix(".yaml"), !name.hasSuffix(".yml"), !name.contains(".") else { return name }
      return "\(name).yaml"
    }

    /// The saved text, without the line end that editors add to the last line if there was none before.
    func withoutAddedLineEnd(_ edited: [UInt8]) -> [UInt8] {
      guard bytes.last != UInt8(ascii: "\n"), edited.last == UInt8(ascii: "\n") else { return edited }
      return edited.dropLast()
    }

    /// Why a text cannot be written; nil if it can.
    func problem(with edited: [UInt8]) -> String? {
      if TextConflict.hasMarks(edited), !TextConflict.hasMarks(bytes) {
        return "the text still has the marks <<<<<<< or >>>>>>> of a conflict"
      }
      return nil
    }

    /// Why a text does not have the format of the original one; nil if it does.
    func formatProblem(with edited: [UInt8]) -> String? {
      if isJSON {
        do throws(JSONTextError) { _ = try JSONText(edited) } catch {
          return "the text is no longer JSON: \(error.text)"
        }
      } else if let yamlKind {
        do throws(YAMLMistake) {
          let outline = try YAMLOutline(edited)
          if outline.isComplete, outline.kind != yamlKind { return "the text is no longer a YAML \(yamlKind.rawValue)" }
        } catch {
          return "the text is no longer YAML: \(error.text)"
        }
      }
      return nil
    }
  }

  /// - Throws: exit code 4 for data that is not text.
  private func text(of path: String, _ client: ZooKeeperClient) async throws -> BaseText {
    let (data, stat) = try await client.getData(path)
    let bytes = data ?? []
    guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
      throw ShellError(
        .conflict, "NotText", path: path, "the data is no text",
        hint: "get writes it to a file, and set PATH @FILE stores that")
    }
    let isJSON = JSONText.isJSON(bytes)
    return BaseText(
      bytes: bytes, version: stat.version, isJSON: isJSON,
      yamlKind: isJSON ? nil : YAMLOutline.collectionKind(bytes))
  }

  private func runEditor(_ command: String, _ file: String, _ client: ZooKeeperClient) async throws {
    // As in git, the command can have arguments.
    let words = ["/bin/sh", "-c", "\(command) \"$@\"", command, file].map { Word($0) }
    // An editor must not read a script that comes from stdin.
    let settings = ChildSettings(words: words, standardInput: mode == .script ? [] : nil)
    let code = try await runChild(settings, holding: nil, client)
    try Task.checkCancellation()
    guard code == .success else {
      throw ShellError(
        .localInputOutput, "Editor", "the editor \(command) ended with exit code \(code.rawValue); nothing was changed",
        hint: "VISUAL, EDITOR or --editor sets another one")
    }
  }

  /// Whether the user can be asked.
  private var asksAboutEdits: Bool { values.asksBeforeDestroying && !invocation.flag(.yes) }

  /// Asks whether to open the editor again.
  ///
  /// - Throws: exit code 4 with the problem if the user cannot be asked, or answers no.
  private func allowAnotherRound(_ problem: String, _ path: String) async throws(ShellError) {
    if values.asksBeforeDestroying {
      let answer = try await TerminalQuestion.ask("\(path): \(problem)\nEdit again? [Y/n] ", isSecret: false)
      if !["n", "no"].contains(String(decoding: answer, as: UTF8.self).lowercased()) { return }
    }
    throw ShellError(.conflict, "NotWritten", path: path, "\(problem); nothing was changed")
  }

  /// Asks what to do about a text that is no longer of its format.
  ///
  /// - Returns: whether to write the text nevertheless; false to open the editor again.
  /// - Throws: exit code 4 with the problem if the user cannot be asked, or answers no.
  private func mayLoseFormat(_ problem: String, _ path: String) async throws(ShellError) -> Bool {
    if values.asksBeforeDestroying {
      let question = "\(path): \(problem)\nEdit again? [Y/n/w], w to write it all the same: "
      let answer = try await TerminalQuestion.ask(question, isSecret: false)
      switch String(decoding: answer, as: UTF8.self).lowercased() {
      case "n", "no": break
      case "w", "write": return true
      default: return false
      }
    }
    throw ShellError(
      .conflict, "NotWritten", path: path, "\(problem); nothing was changed",
      hint: values.asksBeforeDestroying ? nil : "set writes any text")
  }

  /// Shows the difference, and asks whether to write it.
  ///
  /// - Returns: false to open the editor again.
  /// - Throws: `Refused` with exit code 1 if the answer is no.
  private func approves(_ difference: [String], of path: String) async throws(ShellError) -> Bool {
    guard asksAboutEdits else { return true }
    let shown = difference.map { $0 + "\n" }.joined()
    while true {
      let question = "\(shown)Write this to \(path)? [y/n/e], e to edit again: "
      let answer = try await TerminalQuestion.ask(question, isSecret: false)
      switch String(decoding: answer, as: UTF8.self).lowercased() {
      case "y", "yes": return true
      case "e", "edit": return false
      case "n", "no": throw ShellError(.no, "Refused", path: path, "nothing was changed")
      default: continue
      }
    }
  }

  /// The outcome of writing a text.
  private enum Storing {
    case written(Stat)
    /// Another client has written a different text, which is now the base.
    case conflict
    case refused(String)
  }

  private func store(
    _ edited: [UInt8], over base: inout BaseText, _ path: String, _ client: ZooKeeperClient
  ) async throws -> Storing {
    while true {
      do {
        return .written(try await client.setData(path, data: edited, version: base.version))
      } catch {
        switch error.code {
        case .server(.badVersion): break
        case .requestTooLarge, .server(.noAuth), .server(.quotaExceeded): return .refused(ShellError(error).text)
        default: throw error
        }
      }
      let current = try await text(of: path, client)
      let isSame = current.bytes == base.bytes
      base.bytes = current.bytes
      base.version = current.version
      // If the same text was written again, there is no conflict.
      if !isSame, current.bytes != edited { return .conflict }
    }
  }
}
