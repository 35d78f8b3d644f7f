import Testing

@testable import ZooKeeperShell

/// `--help` explains, and nothing else happens: for every command, in every place before a lone `--`, under every name.
@Suite(.timeLimit(.minutes(10))) struct HelpRequestTests {
  private static let programNames = [
    "zkcli", "zookeeper-client", "zkCli.sh", "zkCli", "zookeeper-server", "zkServer.sh",
  ]

  /// Ways to ask about a command whose name is NAME.
  private static let lines = [
    "NAME --help", "--help NAME", "NAME /a --help", "NAME stop --help", "NAME --help stop /x", "NAME --bogus --help",
    "-s h:1 NAME create /a x --help", "NAME a b c d e f --help -- --version", "--local 3 NAME --help",
    "--local --help NAME -- true", "-f /nonexistent NAME --help",
  ]

  /// The text that a command line prints and does nothing else; nil when it does something.
  private func answer(_ words: [Word], _ environment: ShellEnvironment) throws(CommandLineError) -> String? {
    if case .text(let text) = try CommandLine.parse(words, environment) { text } else { nil }
  }

  @Test(arguments: CommandTable.all.map(\.id)) func everyCommandIsExplainedAndNotRun(id: CommandID) throws {
    let spec = CommandTable.spec(of: id)
    for name in [spec.name] + spec.aliases {
      for line in Self.lines {
        let asked = words(line.split(separator: "NAME", omittingEmptySubsequences: false).joined(separator: name))
        for program in Self.programNames {
          let environment = ShellEnvironment(programName: program)
          let text = try #require(try answer(asked, environment), "\(program) \(line)")
          let usage = environment.isServerProgram ? "usage: server action" : "usage: \(spec.synopsis)"
          #expect(text.contains(usage), "\(program) \(line)")
        }
      }
    }
  }

  @Test(arguments: CommandTable.all.map(\.id)) func aLineOfAScriptAsksToo(id: CommandID) throws {
    let spec = CommandTable.spec(of: id)
    for line in ["--help", "stop --help", "create /a x --help", "--bogus --help", "a --help -- b"] {
      let bound = try ArgumentBinder.bind(words(line), to: spec, globals: ProgramOptions.ofOneLine)
      #expect(bound.flag(.help) && bound.arguments.isEmpty && bound.child == nil, "\(spec.name) \(line)")
    }
    guard ZkCliSyntax.find(spec.name) != nil else { return }
    #expect(try ZkCliBinder.bind(words("/a --help"), command: Word(spec.name)).flag(.help))
  }

  @Test(arguments: ["get /x", "set /x -- --help", "--local -- make --help", "lock /l -- cat --help", ""])
  func nobodyAsks(line: String) throws {
    #expect(try answer(words(line), ShellEnvironment()) == nil)
  }

  @Test func theProgramIsExplainedWhereNoCommandIsNamed() throws {
    for line in ["--help", "--bogus --help", "-s --help"] {
      #expect(try answer(words(line), ShellEnvironment())?.hasPrefix("usage: zkcli [option...]") == true)
    }
    let server = try answer(words("--help"), ShellEnvironment(programName: "zkServer.sh"))
    #expect(server?.hasPrefix("Usage: zkServer.sh [--config <conf-dir>] {start|") == true)
    let error = #expect(throws: CommandLineError.self) { try answer(words("gte --help"), ShellEnvironment()) }
    #expect(error?.error.hint == "did you mean get?")
  }
}
