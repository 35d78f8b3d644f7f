/// All commands, by family and in the order in which help lists them.
///
/// Binding, help, completion in this shell and in bash, zsh and fish, and the manual page are all derived from this
/// table.
package enum CommandTable {
  /// A family of related commands.
  package struct Family: Sendable {
    package let title: String
    package let commands: [CommandSpec]
  }

  package static let families: [Family] = [
    Family(title: "Znodes", commands: znodeReads + znodeWrites + edits),
    Family(title: "Trees", commands: trees + moves),
    Family(title: "History", commands: history),
    Family(title: "Access", commands: access + accessTools),
    Family(title: "Quotas", commands: quotas),
    Family(title: "Watches", commands: watches),
    Family(title: "Coordination", commands: coordination + groupRecipes),
    Family(title: "Ensemble", commands: ensemble),
    Family(title: "Monitoring", commands: monitoring + measuring),
    Family(title: "Sandbox", commands: sandbox),
    Family(title: "Clusters", commands: clusters),
    Family(title: "Shell", commands: shell + repetition),
  ]

  package static let all: [CommandSpec] = families.flatMap(\.commands)

  /// The spec of a command.
  package static func spec(of id: CommandID) -> CommandSpec {
    guard let spec = all.first(where: { $0.id == id }) else {
      preconditionFailure("no spec for the command \(id.name)")
    }
    return spec
  }

  /// The command with a name or alias, ignoring case.
  package static func find(_ name: String) -> CommandSpec? {
    let wanted = name.lowercased()
    return all.first { spec in
      spec.name.lowercased() == wanted || spec.aliases.contains { $0.lowercased() == wanted }
    }
  }

  /// The command with a name or alias.
  ///
  /// - Throws: a usage error with the nearest name as the hint.
  package static func lookUp(_ word: Word) throws(ShellError) -> CommandSpec {
    if let text = word.exactText, let spec = find(text) { return spec }
    let names = all.flatMap { [$0.name] + $0.aliases }
    let hint =
      ForeignWords.hint(for: word.text)
      ?? Suggestions.nearest(to: word.text, among: names).map { "did you mean \($0)?" }
    throw .usage("unknown command \(Tokenizer.quote(word))", hint: hint ?? "help lists the commands")
  }
}
