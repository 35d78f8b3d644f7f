import Testing

@testable import ZooKeeperShell

/// A command line is read once, and what comes of it is the whole plan.
@Suite(.timeLimit(.minutes(10))) struct CommandLineTests {
  /// A plan as one line.
  private func described(_ plan: Plan) -> String {
    switch plan {
    case .text(let text): "text \(text.prefix { $0 != "\n" })"
    case .completion(let words): "completion \(words.map(\.text))"
    case .watchdogProcess: "guard"
    case .serverScript(let words): "zkServer.sh \(words.map(\.text).joined(separator: " "))"
    case .server(let invocation, let settings): "server \(described(invocation)) \(settings.format)"
    case .web(let invocation, let settings): "page \(described(invocation)) \(settings.format)"
    case .oneShot(let invocation, let settings): "\(described(invocation)) \(settings.format)"
    case .script(let path, let settings): "script \(path) \(settings.format)"
    case .replay(let path, let settings): "replay \(path) \(settings.format)"
    case .interactive(let settings): "interactive \(settings.format)"
    case .child(let words, let servers, _):
      "\(described(servers)): \(words.map(\.text).joined(separator: " "))"
    case .sandbox(let servers, let plan): "\(described(servers)): \(described(plan))"
    }
  }

  private func described(_ servers: SandboxSettings) -> String {
    "\(servers.ensemble.size) servers\(servers.ensemble.allowsReconfig ? " that allow reconfiguration" : "")"
      + "\(servers.ensemble.enforcesQuota ? " and enforce quotas" : "")"
      + "\(servers.page.map { " with a page at \($0)" } ?? "")"
  }

  private func described(_ invocation: Invocation) -> String {
    ([invocation.spec.name] + invocation.arguments.map(\.text)).joined(separator: " ")
  }

  @Test(arguments: [
    ("get /x", "get /x text"),
    ("-o json get /x", "get /x json"),
    ("get /x -o json", "get /x json"),
    ("-o json get /x -o hex", "get /x hex"),
    ("-f a.zk -k", "script a.zk text"),
    ("-f a.zk --json", "script a.zk json"),
    ("", "interactive text"),
    ("--version", "text zkcli 0.1.0 (speaks the protocol of Apache ZooKeeper 3.4 to 3.9)"),
    ("-V", "text zkcli 0.1.0 (speaks the protocol of Apache ZooKeeper 3.4 to 3.9)"),
    ("-h", "text usage: zkcli [option...] [command [argument...]]"),
    ("-h get", "text usage: get [-s] [-w] [-b] [-x] [--json-path PATH] [--decode[=KIND]] path..."),
    ("get -h", "text usage: get [-s] [-w] [-b] [-x] [--json-path PATH] [--decode[=KIND]] path..."),
    ("server check zoo.cfg -o json", "server server check zoo.cfg json"),
    ("--local ls /", "1 servers: ls / text"),
    ("--local 3 ls -o json", "3 servers: ls json"),
    ("ls --local=3", "3 servers: ls text"),
    ("--local 3 -f a.zk", "3 servers: script a.zk text"),
    ("--local 3 web --listen 127.0.0.1:0 -o json", "3 servers: page web json"),
    ("--local -- make -o json", "1 servers: make -o json"),
    ("--local 3 --web ls /", "3 servers with a page at 127.0.0.1:9090: ls / text"),
    ("--local --web=0 -- make", "1 servers with a page at 127.0.0.1:0: make"),
    ("--local --web=[::1]:80", "1 servers with a page at [::1]:80: interactive text"),
    ("--local 3 --replay a.zk --json", "3 servers: replay a.zk json"),
    ("--local 3 --reconfig --quota ls /", "3 servers that allow reconfiguration and enforce quotas: ls / text"),
    ("--compat get /x", "get /x text"),
    ("--com get /x", "get /x text"),
    ("-bogus get /x --compat", "get /x text"),
    ("__guard", "guard"),
    ("__complete --shell zsh -- get", #"completion ["--shell", "zsh", "--", "get"]"#),
  ])
  func makesAPlan(line: String, plan: String) throws {
    let environment = ShellEnvironment(stdinIsTerminal: true)
    #expect(described(try CommandLine.parse(words(line), environment)) == plan)
  }

  @Test func theNameOfTheProgramChoosesToo() throws {
    func plan(_ line: String, _ name: String) throws -> String {
      described(try CommandLine.parse(words(line), ShellEnvironment(programName: name)))
    }
    #expect(try plan("get /x watch", "zkCli.sh") == "get /x text")
    #expect(try plan("start zoo.cfg", "zkServer.sh") == "zkServer.sh start zoo.cfg")
    #expect(try plan("", "zookeeper-client") == "script - text")
  }

  @Test(arguments: [
    ("--bogus get /x -o json", "Usage", OutputFormat.json),
    ("gte /x -o json", "Usage", .json),
    ("get -o json", "Usage", .json),
    ("get /x --bogus --json", "Usage", .json),
    ("get /x --bogus -ojsonl", "Usage", .jsonl),
    ("get /x --bogus -o", "Usage", .text),
    ("get /x -o nonsense", "Usage", .text),
    ("get /x --timeout 5 -o json", "Usage", .json),
    ("-f a.zk get /x --json", "Usage", .json),
    ("--local -s h:1 ls --json", "Usage", .json),
    ("--local --json --", "Usage", .json),
    ("--web ls / --json", "Usage", .json),
    ("--local --web=0.0.0.0:9090 ls / --json", "Usage", .json),
    ("--local --web=x:y ls / --json", "Usage", .json),
    ("--local --web web --json", "Usage", .json),
    ("--replay a.zk --json", "Usage", .json),
    ("--reconfig ls / --json", "Usage", .json),
    ("--quota ls / --json", "Usage", .json),
    ("--local --replay a.zk ls / --json", "Usage", .json),
    ("--local --replay a.zk -f b.zk --json", "Usage", .json),
    ("--local --replay a.zk --json -- ls", "Usage", .json),
    ("lock /l --bogus -- ls -o json", "Usage", .text),
  ])
  func aMistakeHasTheFormatThatTheLineAsksFor(line: String, word: String, format: OutputFormat) {
    let error = #expect(throws: CommandLineError.self) { try CommandLine.parse(words(line), ShellEnvironment()) }
    #expect(error?.error.word == word)
    #expect(error?.context.format == format)
    #expect(error?.exitCode == .usage)
  }

  @Test func theEnvironmentAsksForAFormatToo() {
    let environment = ShellEnvironment(variables: ["ZKCLI_OUTPUT": "json"])
    #expect(
      #expect(throws: CommandLineError.self) { try CommandLine.parse(["gte"], environment) }?.context.format == .json)
  }

  @Test func theFirstMistakeIsTheOneThatIsReported() {
    func message(_ line: String) -> String? {
      #expect(throws: CommandLineError.self) { try CommandLine.parse(words(line), ShellEnvironment()) }?.error.message
    }
    #expect(message("--bogus gte --worse") == "unknown option --bogus")
    #expect(message("gte --worse") == "unknown command gte")
    #expect(message("get --worse --timeout 5") == "unknown option --worse")
  }

  @Test func zkClisWordsAreForWhatZkCliRefuses() throws {
    let unknown = try #require(
      #expect(throws: CommandLineError.self) { try CommandLine.parse(words("--compat nonsense"), ShellEnvironment()) })
    #expect(unknown.exitCode == ExitCode(rawValue: 127))
    #expect(Renderer(unknown.context).error(unknown.error).stderr.starts(with: "ZooKeeper -server host:port".utf8))
    let option = try #require(
      #expect(throws: CommandLineError.self) {
        try CommandLine.parse(words("--compat --timeout 5 ls /"), ShellEnvironment())
      })
    #expect(option.exitCode == .no)
    #expect(Renderer(option.context).error(option.error).stderr.starts(with: "zkcli: --timeout 5 has no unit".utf8))
  }
}
