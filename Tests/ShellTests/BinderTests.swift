import Testing

@testable import ZooKeeperShell

/// Binds a whole line: the command, then its words.
private func bind(_ line: String) throws(ShellError) -> Invocation {
  let all = words(line)
  return try ArgumentBinder.bind([Word](all.dropFirst()), to: try CommandTable.lookUp(all[0]))
}

/// An invocation as one line: name, arguments, options by name with their values.
private func described(_ invocation: Invocation) -> String {
  let options = invocation.options.sorted { $0.key.rawValue < $1.key.rawValue }
    .map { "\($0.key.rawValue)=\($0.value.map(\.text).joined(separator: "|"))" }
  let arguments = invocation.arguments.map { Tokenizer.quote($0) }
  return ([invocation.spec.name] + arguments + options).joined(separator: " ")
}

@Suite(.timeLimit(.minutes(10))) struct BinderTests {
  @Test(arguments: [
    ("ls", "ls"),
    ("ls /a", "ls /a"),
    ("LS -lR", "ls long= recursive="),
    ("cat /a", "get /a"),
    ("getacl /a", "getAcl /a"),
    ("get -sw /x", "get /x stat= watch="),
    ("get /x -s", "get /x stat="),
    ("get --stat --wat /x", "get /x stat= watch="),
    ("get -- -s", "get -s"),
    ("get -", "get -"),
    ("delete -v 3 /x", "delete /x version=3"),
    ("delete -v3 /x", "delete /x version=3"),
    ("delete /x --version=3", "delete /x version=3"),
    ("delete /x --version 3", "delete /x version=3"),
    ("delete --vers 3 /x", "delete /x version=3"),
    ("set -v -1 /x y", "set /x y version=-1"),
    ("set -sv-1 /x y", "set /x y stat= version=-1"),
    ("set /x -v 1 -v 2 y", "set /x y version=1|2"),
    ("set /x ''", "set /x ''"),
    ("set /x -- -1", "set /x -1"),
    ("set /x --version= y", "set /x y version="),
    ("rm -r /x", "delete /x recursive="),
    ("create -set5000 /x", "create /x ephemeral= sequential= ttl=5000"),
    ("create /x data world:anyone:r", "create /x data world:anyone:r"),
    ("reconfig -add a -remove 3", "reconfig add=a remove=3"),
    ("reconfig -members=a,b", "reconfig members=a,b"),
    ("reconfig -file x -v 100000000", "reconfig file=x version=100000000"),
    ("setquota -n 5 -B 6 /x", "setquota /x bytes-hard=6 count=5"),
    ("delquota -N /x", "delquota /x count-hard="),
    // Options of the program behind the command.
    ("get /x -o json", "get /x output=json"),
    ("get /x --json", "get /x json= output=json"),
    ("get /x -server h:1", "get /x server=h:1"),
    ("get /x -timeout 500 --timeout 5s", "get /x old-timeout=500 timeout=5s"),
    ("get /x --version", "get /x program-version="),
    ("get --help", "get help="),
    ("set -h", "set help="),
    // A list of words takes everything behind its first.
    ("multi set /b w -v 3 , delete /c", "multi set /b w -v 3 , delete /c"),
    ("multi -o json check /a 1", "multi check /a 1 output=json"),
    // Unless it has no options of its own.
    ("local partition 1 / 2,3 -o json", "local partition 1 / 2,3 output=json"),
    ("local delay 20ms 1-3 --jitter 5ms", "local delay 20ms 1-3 jitter=5ms"),
    ("local trace -f", "local trace follow="),
    // A number below zero is an argument where no option is a digit.
    ("local clock -5s 2", "local clock -5s 2"),
  ])
  func bindsAsWritten(line: String, expected: String) throws {
    #expect(described(try bind(line)) == expected)
  }

  @Test(arguments: [
    ("gte /x", "unknown command gte; did you mean get?"),
    ("frobnicate", "unknown command frobnicate; help lists the commands"),
    ("get", "missing argument: path; usage: get [-s] [-w] [-b] [-x] [--json-path PATH] [--decode[=KIND]] path..."),
    (
      "set /x",
      "missing argument: data; usage: set [-s] [-v VERSION] [-b] [--create] [-p] [--json-path PATH] path data"
    ),
    ("set /x a b c", "unexpected argument: b; quote a value that contains blanks"),
    ("exists /x 7", "unexpected argument: 7; usage: exists [-w] path"),
    ("whoami 'a b'", "unexpected argument: 'a b'; whoami takes no arguments"),
    ("get -z /x", "unknown option -z; to pass a value that begins with -, put -- before it"),
    ("get -sz /x", "unknown option -z in -sz; to pass a value that begins with -, put -- before it"),
    ("get --sat /x", "unknown option --sat; did you mean --stat?"),
    ("get --frobnicate /x", "unknown option --frobnicate; to pass a value that begins with -, put -- before it"),
    ("get --stat=1 /x", "option --stat takes no value"),
    ("delete /x -v", "option --version needs a value; write --version VERSION"),
    ("set --ver 3 /x y", "option --ver is ambiguous; it could be --version, --verbose"),
    ("reconfig -ad x", "unknown option -ad; did you mean -add?"),
    ("get /x -timeout", "option -timeout needs a value; write -timeout MS"),
  ])
  func refusesWithAReason(line: String, message: String) {
    let error = #expect(throws: ShellError.self) { try bind(line) }
    #expect(error?.text == message)
    #expect(error?.exitCode == .usage)
  }

  @Test func optionValuesKeepTheirBytes() throws {
    let invocation = try bind(#"get /x --auth=\xff=\xfe"#)
    #expect(invocation.value(.auth)?.bytes == [0xff, 0x3d, 0xfe])
  }

  @Test func theLastValueWins() throws {
    #expect(try bind("set -v 1 -v 2 /x y").version() == 2)
    #expect(try bind("set /x y").version() == -1)
  }

  @Test func pathsAreResolvedAndChecked() throws {
    #expect(try bind("get b/../c").path(at: 0, in: "/a") == "/a/c")
    #expect(try bind("ls").path(at: 0, in: "/a") == nil)
    #expect(try bind("create -s /q/").path(at: 0, in: "/", isNew: true) == "/q/")
    let error = #expect(throws: ShellError.self) { try bind(#"get "/a\x01""#).path(at: 0, in: "/") }
    #expect(error?.text == #"path "/a\x01" has the character U+0001 at 2, which ZooKeeper does not allow"#)
  }
}

@Suite(.timeLimit(.minutes(10))) struct ProgramOptionsTests {
  @Test(arguments: [
    ("", "", "", ""),
    ("get /x", "get", "/x", ""),
    ("-s h:1 get -s /x", "get", "-s /x", "server=h:1"),
    ("-rkq ls", "ls", "", "keep-going= quiet= read-only="),
    ("-o json ls -o text", "ls", "-o text", "output=json"),
    ("--json ls", "ls", "", "json= output=json"),
    ("-server h:1 -timeout 500 -waitforconnection ls", "ls", "", "old-timeout=500 server=h:1 wait-for-connection="),
    ("--version", "", "", "program-version="),
    ("-V", "", "", "program-version="),
    ("-f script -k", "", "", "keep-going= script=script"),
    ("-h", "", "", "help="),
    ("-- get -s", "get", "-s", ""),
    ("get --version", "get", "--version", ""),
    // A number after --local is the size; any other argument is the command.
    ("--local ls /", "ls", "/", "local="),
    ("--local 3 ls /", "ls", "/", "local=3"),
    ("--local=3 ls 3", "ls", "3", "local=3"),
    ("--local", "", "", "local="),
  ])
  func splitsAtTheCommand(line: String, command: String, rest: String, globals: String) {
    let parsed = ProgramOptions.parse(words(line))
    #expect(parsed.mistake == nil)
    #expect(parsed.command?.text ?? "" == command)
    #expect(parsed.words == words(rest))
    let options = parsed.globals.sorted { $0.key.rawValue < $1.key.rawValue }
    #expect(options.map { "\($0.key.rawValue)=\($0.value.map(\.text).joined())" }.joined(separator: " ") == globals)
  }

  @Test(arguments: [
    ("--compat -server h:1 get /x", "get", "/x", "compat= server=h:1"),
    ("-bogus --compat get /x -b", "get", "/x -b", "compat="),
    (
      "--compat -r -waitforconnection -timeout 5 ls /", "ls", "/",
      "compat= old-timeout=5 read-only= wait-for-connection="
    ),
    ("--compat -bogus v get /x", "v", "get /x", "compat="),
    ("get /x --compat -s", "get", "/x -s", "compat="),
    ("set /x --compat -- --compat", "set", "/x -- --compat", "compat="),
    ("--compat --timeout=5s ls /", "ls", "/", "compat= timeout=5s"),
    ("--compat --local 3 ls /", "ls", "/", "compat= local=3"),
    ("--compat --local ls /", "ls", "/", "compat= local="),
  ])
  func compatibilityModeSkipsWhatItDoesNotKnow(line: String, command: String, rest: String, globals: String) {
    let mode = ReadingMode(of: words(line))
    #expect(mode.asksForCompatibility)
    let parsed = ZkCliDialect().splitProgram(mode.words)
    #expect(parsed.mistake == nil)
    #expect(parsed.command?.text == command)
    #expect(parsed.words == words(rest))
    let options = parsed.globals.sorted { $0.key.rawValue < $1.key.rawValue }
    #expect(options.map { "\($0.key.rawValue)=\($0.value.last?.text ?? "")" }.joined(separator: " ") == globals)
  }
}

@Suite(.timeLimit(.minutes(10))) struct ZkCliBinderTests {
  private func bind(_ line: String) throws(ShellError) -> Invocation {
    let all = words(line)
    return try ZkCliBinder.bind([Word](all.dropFirst()), command: all[0])
  }

  @Test(
    arguments: [
      ("get -s /x", "get /x stat=", []),
      ("get /x -sw", "get /x stat= watch=", []),
      ("set /x a b c", "set /x a", []),
      ("set /x a -v -1", "set /x a version=-1", []),
      ("set /x a -v-1", "set /x a version=-1", []),
      (
        "get /x watch", "get /x watch=",
        ["'get path [watch]' has been deprecated. Please use 'get [-s] [-w] path' instead."]
      ),
      (
        "delete /x 7", "delete /x",
        [
          "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead."
        ]
      ),
      ("create -s -e /x data", "create /x data ephemeral= sequential=", []),
      ("reconfig -add a -remove b", "reconfig add=a remove=b", []),
      ("setquota -n 5 /x", "setquota /x count=5", []),
      ("redo 3 4", "redo 3", []),
      ("history 1 2", "history", []),
    ] as [(String, String, [String])])
  func bindsAsZkCliDoes(line: String, expected: String, warnings: [String]) throws {
    let invocation = try bind(line)
    #expect(described(invocation) == expected)
    #expect(invocation.warnings == warnings)
  }

  @Test(arguments: [
    ("get -z /x", "org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -z"),
    ("set /x -1", "org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -1"),
    ("delete /x -v", "org.apache.commons.cli.MissingArgumentException: Missing argument for option: v"),
    (
      "setquota -n 1 -b 2 /x",
      "org.apache.commons.cli.AlreadySelectedException: The option 'b' was specified but an option from this group"
        + " has already been selected: 'n'"
    ),
    (
      "setquota /x",
      "org.apache.commons.cli.MissingOptionException: Missing required option: [-n num soft quota, -b bytes soft quota,"
        + " -N num hard quota, -B bytes hard quota]"
    ),
    ("delete", "delete [-v version] path"),
    (
      "set /x",
      """
      set path data [-s] [-v version] [-b]
       -b         Supply data in base64 format
       -s         Print znode stats additionally
       -v <arg>   Set with an expected version

      """
    ),
  ])
  func failsInTheSameWords(line: String, text: String) {
    #expect(#expect(throws: ShellError.self) { try bind(line) }.map(ZkCliDialect.text(of:)) == text)
  }

  @Test func anUnknownCommandPrintsTheWholeUsage() throws {
    let error = try #require(#expect(throws: ShellError.self) { try bind("LS /") })
    let lines = ZkCliDialect.text(of: error).split(separator: "\n")
    #expect(lines.first == "ZooKeeper -server host:port -client-configuration properties-file cmd args")
    #expect(lines.last == "Command not found: Command not found LS")
    #expect(lines.count == 30)
    #expect(lines[1].hasPrefix("\taddWatch [-m mode] path"))
    #expect(lines[2] == "\taddauth scheme auth")
    #expect(lines[28] == "\twhoami ")
    #expect(Renderer(RenderContext(dialect: ZkCliDialect())).exitCode(of: error).rawValue == 127)
  }
}

@Suite(.timeLimit(.minutes(10))) struct ChildBinderTests {
  @Test(
    arguments: [
      ("lock /a -- make -j 4 -- x", "lock /a", "make -j 4 -- x"), ("lock --try /a --", "lock /a try=", ""),
      ("queue put /q -- -v", "queue put /q", "-v"), ("elect /e me --list", "elect /e me list=", nil),
      ("barrier run --count 3 /b -- ls -o json", "barrier run /b count=3", "ls -o json"),
      ("lock /a --timeout 5s -o json -- true", "lock /a output=json timeout=5s", "true"),
      ("counter add /c -- -5", "counter add /c -5", nil),
    ] as [(String, String, String?)])
  func commandsOfTheSystemStandBehindDashes(line: String, bound: String, child: String?) throws {
    let invocation = try bind(line)
    #expect(described(invocation) == bound)
    #expect(invocation.child?.map(\.text).joined(separator: " ") == child)
  }

  @Test func theLimitOfARecipeIsNoneOfTheProgram() throws {
    #expect(try bind("lock /a --timeout 5s").globals.isEmpty)
    #expect(try bind("watch /a --timeout 5s").globals[.timeout] == ["5s"])
    #expect(try bind("removewatches --local /a").globals.isEmpty)
  }
}
