/// Explains commands and topics in plain text.
package enum Help {
  /// The first line of help and of the manual page.
  static let programSummary = "a shell for ZooKeeper"

  /// All commands by family, and the topics.
  package static func overview(width: Int = 80) -> String {
    var lines = ["usage: zkcli [option...] [command [argument...]]", ""]
    lines += TextWrap.wrap(
      "Runs one command, or an interactive shell if there is none. Commands can also come from a file (-f) or a pipe.",
      width: width)
    for family in CommandTable.families {
      lines += ["", "\(family.title):"]
      lines += TextWrap.definitions(family.commands.map { ($0.name, $0.summary) }, width: width)
    }
    lines += ["", "Topics:"]
    lines += TextWrap.definitions(HelpTopic.allCases.map { ($0.rawValue, $0.summary) }, width: width)
    lines += ["", "Run help COMMAND or help TOPIC for details."]
    return joined(lines)
  }

  /// The text of `help` with an argument.
  ///
  /// - Throws: a usage error with the nearest name, if neither a command nor a topic has that name.
  package static func text(on name: Word, width: Int = 80) throws(ShellError) -> String {
    let wanted = name.text
    if let spec = CommandTable.find(wanted) { return command(spec, width: width) }
    if let topic = HelpTopic(rawValue: wanted.lowercased()) { return self.topic(topic, width: width) }
    let known = CommandTable.all.map(\.name) + HelpTopic.allCases.map(\.rawValue)
    let hint = Suggestions.nearest(to: wanted, among: known).map { "did you mean \($0)?" }
    throw .usage("no help on \(Tokenizer.quote(name))", hint: hint ?? "help lists commands and topics")
  }

  /// The help of a command: synopsis, description, options and examples.
  package static func command(_ spec: CommandSpec, width: Int = 80) -> String {
    var lines = ["usage: \(spec.synopsis)", ""] + TextWrap.wrap("\(spec.summary).", width: width)
    for paragraph in spec.details { lines += [""] + TextWrap.wrap(paragraph, width: width) }
    if !spec.options.isEmpty {
      lines += ["", "Options:"]
      lines += TextWrap.definitions(spec.options.map { ($0.allForms, $0.summary) }, width: width)
    }
    if !spec.examples.isEmpty {
      lines += ["", "Examples:"]
      lines += TextWrap.definitions(spec.examples.map { ($0.line, $0.note) }, width: width)
    }
    if !spec.aliases.isEmpty { lines += ["", "Also called \(spec.aliases.joined(separator: ", "))."] }
    return joined(lines)
  }

  /// The help of a topic.
  package static func topic(_ topic: HelpTopic, width: Int = 80) -> String {
    var lines = ["\(topic.summary)."]
    for part in topic.parts {
      lines.append("")
      switch part {
      case .paragraph(let text): lines += TextWrap.wrap(text, width: width)
      case .definitions(let items): lines += TextWrap.definitions(items, width: width)
      }
    }
    return joined(lines)
  }

  private static func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
