import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct CommandTableTests {
  @Test func everyCommandHasOneSpec() {
    #expect(Set(CommandTable.all.map(\.id)) == Set(CommandID.allCases))
    #expect(CommandTable.all.count == CommandID.allCases.count)
  }

  @Test func namesAreUnique() {
    let names = CommandTable.all.flatMap { [$0.name] + $0.aliases }.map { $0.lowercased() }
    #expect(Set(names).count == names.count)
  }

  @Test(arguments: CommandTable.all.map(\.id))
  func aSpecIsComplete(id: CommandID) {
    let spec = CommandTable.spec(of: id)
    #expect(!spec.summary.isEmpty && !spec.summary.hasSuffix("."))
    #expect(!spec.examples.isEmpty)
    let letters = spec.options.compactMap(\.short)
    #expect(Set(letters).count == letters.count)
    #expect(Set(spec.options.map(\.name)).count == spec.options.count)
    let firstOptional = spec.arguments.firstIndex(where: \.isOptional) ?? spec.arguments.endIndex
    #expect(!spec.arguments[firstOptional...].contains { !$0.isOptional })
  }

  @Test(arguments: CommandTable.all.flatMap(\.examples).map(\.line))
  func examplesBind(line: String) throws {
    let all = words(line)
    let spec = try CommandTable.lookUp(all[0])
    let invocation = try ArgumentBinder.bind([Word](all.dropFirst()), to: spec)
    if spec.id == .client(.multi), !invocation.arguments.isEmpty { _ = try MultiParser.parse(invocation.arguments) }
  }

  @Test func zkCliKnowsNoCommandThatIsMissingHere() throws {
    let error = try #require(
      #expect(throws: ShellError.self) { try ZkCliBinder.bind([], command: "nonesuch") })
    let names = ZkCliDialect.text(of: error).split(separator: "\n").dropFirst().dropLast()
      .map { String($0.dropFirst().prefix { $0 != " " }) }
    #expect(names.count == 28)
    for name in names { #expect(CommandTable.find(name)?.name == name) }
  }

  @Test(arguments: [
    ("copy", "cp copies"), ("rename", "mv moves"), ("list", "ls lists"),
    ("remove", "delete deletes"), ("mkdir", "create makes"), ("add", "create makes"), ("vim", "edit opens"),
    ("save", "set writes"), ("scan", "find finds"),
  ])
  func wordsOfOtherProgramsAreExplainedAndNotTakenForTypos(typed: String, hint: String) {
    let error = #expect(throws: ShellError.self) { try CommandTable.lookUp(Word(typed)) }
    #expect(error?.hint?.contains(hint) == true, "\(error?.hint ?? "")")
  }

  @Test(arguments: ["ezit", "cx", "qq", "lz", "rx", "sek", "wxit"])
  func anotherLetterMakesAnotherWord(typed: String) {
    let error = #expect(throws: ShellError.self) { try CommandTable.lookUp(Word(typed)) }
    #expect(error?.hint == "help lists the commands")
  }

  @Test func theBeginningOfOneWordIsNoMistypedOther() {
    let error = #expect(throws: ShellError.self) {
      try ValueParser.choice("stat", of: "action", among: ["run", "start", "stop", "status"])
    }
    #expect(error?.message == "action cannot be stat; did you mean status?")
  }

  @Test(arguments: [("gte", "get"), ("crate", "create"), ("getacls", "getAcl"), ("dele", "delete"), ("lss", "ls")])
  func typosAreGuessed(typed: String, meant: String) {
    let error = #expect(throws: ShellError.self) { try CommandTable.lookUp(Word(typed)) }
    #expect(error?.hint == "did you mean \(meant)?")
  }
}

@Suite(.timeLimit(.minutes(10))) struct HelpTests {
  @Test(arguments: CommandTable.all.map(\.name) + HelpTopic.allCases.map(\.rawValue))
  func everythingIsExplained(name: String) throws {
    let text = try Help.text(on: Word(name), width: 80)
    #expect(text.hasSuffix("\n") && !text.hasSuffix("\n\n"))
    for line in text.split(separator: "\n") {
      #expect(line.count <= 80 || line.hasPrefix("usage:") || !line.contains("  "), "\(line)")
      #expect(line.last != " ")
    }
  }

  @Test func helpOfACommand() {
    #expect(
      Help.command(CommandTable.spec(of: .client(.delete))) == """
        usage: delete [-v VERSION] [-r] [--dry-run] [-y] [--max COUNT] path...

        Delete znodes.

        Without -r a znode must have no children. Patterns such as /locks/old-* are
        expanded, if there is no znode of that name.

        Options:
          -v, --version VERSION  only if the znode has this version
          -r, --recursive        delete all znodes under it first, as deleteall does
          --dry-run              print what would be done, and change nothing
          -y, --yes[=CLUSTER]    do not ask, and lift the limit for scripts; a protected
                                 cluster needs --yes=CLUSTER
          --max COUNT            how many existing znodes a script may change without
                                 --yes (default 1000)

        Examples:
          delete /config/old       one znode without children
          delete -v 3 /config/old  only if its version is still 3
          rm -r /tmp/test          a whole subtree

        Also called rm.

        """)
  }

  @Test func theOverviewNamesEverything() {
    let text = Help.overview()
    for name in CommandTable.all.map(\.name) + HelpTopic.allCases.map(\.rawValue) {
      #expect(text.contains("\n  \(name) ") || text.contains("\n  \(name)\n"))
    }
  }

  @Test func unknownTopicsAreGuessed() {
    let error = #expect(throws: ShellError.self) { try Help.text(on: "exit-code") }
    #expect(error?.hint == "did you mean exit-codes?")
  }
}
