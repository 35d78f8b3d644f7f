/// Writes the manual page zkcli(1) from the table of commands, in mdoc.
package enum ManualPage {
  /// Where the page is kept in this package.
  package static let file = "man/zkcli.1"

  /// The date of the page: the day of the last revision of its content, and not that of a build.
  private static let date = "November 29, 2026"

  /// The whole page.
  package static var text: String {
    let sections =
      head + synopsis + options + commands + multi + topic("QUOTING", .quoting) + topic("VALUES", .values)
      + topic("OUTPUT", .output) + topic("SERVER CONFIGURATION", .configuration) + environment + exitStatus + examples
      + topic("COMPATIBILITY", .compatibility) + seeAlso
    return sections.map { $0 + "\n" }.joined()
  }

  private static let head = [
    ".\\\" Generated from the table of commands: do not edit.",
    ".Dd \(date)", ".Dt ZKCLI 1", ".Os", ".Sh NAME", ".Nm zkcli", ".Nd \(Help.programSummary)",
  ]

  private static let synopsis =
    [
      ".Sh SYNOPSIS", ".Nm", ".Op Ar option ...", ".Op Ar command Op Ar argument ...", ".Nm", ".Op Ar option ...",
      ".Fl f Ar file", ".Sh DESCRIPTION", ".Nm",
    ]
    + prose(
      "runs one command on a ZooKeeper ensemble and exits. Without a command it is an interactive shell with history"
        + " and completion of znode paths. Commands can also come from a file or a pipe, one on each line.")
    + [".Pp"]
    + prose(
      "Only the answer goes to standard output; the exit status shows what went wrong. The session is always closed,"
        + " so nothing remains on the servers.")

  private static let options = [".Sh OPTIONS"] + list(ProgramOptions.all.map(option))

  private static let commands =
    [".Sh COMMANDS", "Names are not case-sensitive."] + CommandTable.families.flatMap(family)

  private static let multi =
    [".Ss Operations of multi"] + list(MultiParser.operations.map { literal($0.synopsis, "\($0.summary).") })

  private static let environment =
    [".Sh ENVIRONMENT"] + list(HelpTopic.environmentVariables.map { item("Ev", $0.term, "\($0.meaning).") })
    + [".Sh FILES"] + list(HelpTopic.files.map { item("Pa", $0.term, "\($0.meaning).") })

  private static let exitStatus =
    [".Sh EXIT STATUS"] + list(ExitCode.table.map { literal($0.code, "\($0.meaning).") })

  private static let exampleLines: [(note: String, line: String)] = [
    ("Print the value of a znode:", "zkcli -s zk1:2181,zk2:2181 get /config/app"),
    ("Store a file if the znode still has version 3:", "zkcli set -v 3 /config/app @app.json"),
    ("Store the path that the server chose:", "path=$(zkcli create -s /queue/item- @job.json)"),
    ("Check in a script whether a znode exists:", "zkcli exists /leader || echo no leader"),
    ("Print the sizes of all znodes, from JSON:", "zkcli -o jsonl ls -lR / | jq .stat.dataLength"),
    ("Run a file of commands and continue after failures:", "zkcli -k -f commands.zk"),
  ]

  private static let examples: [String] =
    [".Sh EXAMPLES"]
    + exampleLines.flatMap { [".Pp", $0.note, ".Dl \(quotedArgument($0.line))"] }.dropFirst()

  private static let seeAlso = [
    ".Sh SEE ALSO", ".Lk https://zookeeper.apache.org/doc/current/ \"the documentation of ZooKeeper\"",
  ]

  // MARK: Parts

  /// A list of tagged items.
  private static func list(_ items: [[String]], isCompact: Bool = false) -> [String] {
    [".Bl -tag -width Ds" + (isCompact ? " -compact" : "")] + items.joined() + [".El"]
  }

  private static func item(_ macro: String, _ term: String, _ text: String) -> [String] {
    [".It \(macro) \(quotedArgument(term))"] + prose(text)
  }

  /// An item whose term is typed literally.
  private static func literal(_ term: String, _ text: String) -> [String] { item("Li", term, text) }

  private static func option(_ spec: OptionSpec) -> [String] {
    var forms: [String] = []
    if let short = spec.short { forms.append("Fl \(short)") }
    if let long = spec.name.long { forms.append("Fl \(escaped("-" + long))") }
    if let old = spec.oldWord { forms.append("Fl \(escaped(old))") }
    let value =
      spec.value.map { value in
        let prefix = !spec.isValueOptional ? "" : value.kind == .number ? "Op " : "Ns Op = Ns "
        return " \(prefix)Ar \(quotedArgument(value.name))"
      } ?? ""
    return [".It " + forms.joined(separator: " , ") + value] + prose("\(spec.summary).")
  }

  private static func family(_ family: CommandTable.Family) -> [String] {
    [".Ss \(family.title)"] + list(family.commands.map(command))
  }

  private static func command(_ spec: CommandSpec) -> [String] {
    var lines = literal(spec.synopsis, "\(spec.summary).")
    if !spec.aliases.isEmpty { lines += prose("Also called \(spec.aliases.joined(separator: ", ")).") }
    for paragraph in spec.details { lines += [".Pp"] + prose(paragraph) }
    if !spec.options.isEmpty { lines += [".Pp"] + list(spec.options.map(option), isCompact: true) }
    return lines
  }

  private static func topic(_ title: String, _ topic: HelpTopic) -> [String] {
    var lines = [".Sh \(title)"]
    for (index, part) in topic.parts.enumerated() {
      switch part {
      case .paragraph(let text): lines += (index == 0 ? [] : [".Pp"]) + prose(text)
      case .definitions(let items): lines += list(items.map { literal($0.term, $0.meaning) })
      }
    }
    return lines
  }

  /// Running text, each sentence on a separate line, as mdoc recommends.
  private static func prose(_ text: String) -> [String] {
    var sentences: [String] = []
    var sentence = ""
    let words = text.split(separator: " ")
    for (index, word) in words.enumerated() {
      sentence += sentence.isEmpty ? String(word) : " " + word
      // A full stop without a capital letter after it does not end a sentence; it can be part of a name such as `..`.
      let isLast = index + 1 == words.count || words[index + 1].first?.isUppercase ?? false
      if isLast, word.hasSuffix(".") {
        sentences.append(sentence)
        sentence = ""
      }
    }
    if !sentence.isEmpty { sentences.append(sentence) }
    return sentences.flatMap { TextWrap.wrap(escaped($0), width: 78) }.map { line in
      // A full stop or a quote at the start would make the line a macro.
      line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
    }
  }

  /// The text escaped for roff; hyphens stay ASCII, so that they can be copied and searched for.
  private static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      case "`": "\\`"
      default: String(character)
      }
    }.joined()
  }

  /// One argument of a macro.
  private static func quotedArgument(_ text: String) -> String {
    "\"" + escaped(text).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
