import Foundation
import TestKit
import Testing

/// stdout is the answer and nothing else, byte for byte; stderr is everything else.
@Suite(.timeLimit(.minutes(10)))
struct StreamTests {
  /// All 256 byte values, and then some that are easily harmed: line ends, NULs and half of a character at the end.
  static let bytes = (0...255).map { UInt8($0) } + [0x0d, 0x0a, 0x00, 0x0a, 0xe2, 0x82]

  @Test func everyByteComesBackFromStdinAndFromAFile() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("bytes")
    let directory = try Scratch.directory("bytes")
    try Data(Self.bytes).write(to: URL(filePath: "\(directory)/in"))
    for line in ["create \(path) - < \(directory)/in", "set \(path) @\(directory)/in"] {
      expect(try await zkcli.shell("exec zkcli -q \(line) > /dev/null"))
      #expect(try await zkcli("get", path).standardOutput == Self.bytes)
      expect(try await zkcli.shell("zkcli get \(path) > \(directory)/out && cmp \(directory)/in \(directory)/out"))
      #expect(try await zkcli("get", "-o", "raw", path).standardOutput == Self.bytes)
      try await #expect(zkcli("set", path, "between").exitStatus == 0)
    }
    let stdin = try await zkcli("set", path, "-", input: Self.bytes)
    expect(stdin)
    let hex = Self.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    expect(try await zkcli("get", path, "-o", "hex"), output: hex + "\n")
    expect(try await zkcli("get", path, "-o", "base64"), output: Data(Self.bytes).base64EncodedString() + "\n")
    let document = try jsonObject(try await zkcli("get", path, "-o", "json").output)
    #expect(document["encoding"] as? String == "base64")
    #expect(document["data"] as? String == Data(Self.bytes).base64EncodedString())
  }

  @Test func everyByteCanBeTypedInAScript() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("bytes")
    let escaped = Self.bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    expect(try await zkcli.script("create \(path) \"\(escaped)\""), output: "\(path)\n")
    #expect(try await zkcli("get", path).standardOutput == Self.bytes)
    // As they are, between single quotes: all but the quote itself and the NUL that no text file holds.
    let plain = Self.bytes.filter { $0 != UInt8(ascii: "'") && $0 != 0 }
    let script = Array("set \(path) '".utf8) + plain + Array("'\n".utf8)
    expect(try await zkcli.run([], input: script))
    #expect(try await zkcli("get", path).standardOutput == plain)
  }

  @Test func argumentIsStoredByteForByte() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("argument")
    expect(try await zkcli.shell("zkcli set --create \(path) \"$(printf 'a\\377b\\001')\""))
    #expect(try await zkcli("get", path).standardOutput == [0x61, 0xff, 0x62, 0x01])
    for text in ["x!!y", #"a\b"#, #"{"k": "v"}"#, "it's", " blanks ", "@@at", "!bang"] {
      expect(try await zkcli("set", path, text))
      expect(try await zkcli("get", path), output: text == "@@at" ? "@at" : text)
    }
  }

  @Test func nullEmptyAndTheWordNullDiffer() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("null")
    expect(try await zkcli("create", path), output: "\(path)\n")
    #expect(try jsonObject(try await zkcli("get", "-o", "json", path).output)["data"] is NSNull)
    for text in ["", "null"] {
      expect(try await zkcli("set", path, text))
      #expect(try jsonObject(try await zkcli("get", "-o", "json", path).output)["data"] as? String == text)
    }
  }

  @Test func statAsJSONIsWhatTheServerHolds() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("stat")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    try await #expect(zkcli("create", "-e", "\(path)/e", "v").exitStatus == 0)
    let stat = try #require(try jsonObject(try await zkcli("stat", path, "--json").output)["stat"] as? [String: Any])
    #expect(stat["version"] as? Int == 0)
    #expect(stat["cversion"] as? Int == 2)
    #expect(stat["numChildren"] as? Int == 0)
    #expect((stat["czxid"] as? String)?.hasPrefix("0x") == true)
    #expect((stat["ctime"] as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    let text = try await zkcli("stat", path)
    #expect(text.output.split(separator: "\n").count == 11)
    #expect(
      text.output.hasPrefix("cZxid = \(stat["czxid"] as? String ?? "")\nctime = \(stat["ctime"] as? String ?? "")"))
  }

  @Test(arguments: [
    (["get", "/nope-at-all"], "NoNode", 3), (["create", "/zookeeper"], "NodeExists", 4), (["get"], "Usage", 2),
    (["nonsense"], "Usage", 2), (["get", "--bogus", "/"], "Usage", 2), (["--timeout", "5", "get", "/"], "Usage", 2),
    (["set", "/", "@/nonexistent"], "File", 12), (["-s", "a:b", "ls"], "Usage", 2),
  ])
  func errorsAreJSONWhereAnswersAre(arguments: [String], word: String, code: Int32) async throws {
    let zkcli = try await Zkcli.shared()
    for options in [["-o", "json"], ["-ojsonl"], ["--json"], ["--output=json"]] {
      let run = try await zkcli.run(options + arguments)
      #expect(run.exitStatus == code)
      #expect(run.output.isEmpty)
      let error = try jsonObject(run.errorOutput)
      #expect(error["error"] as? String == word)
      #expect(error["code"] as? Int32 == code)
      #expect(error["message"] as? String != "")
    }
  }

  @Test func jsonErrorsOfScriptsTellTheLine() async throws {
    let run = try await Zkcli.shared().script("# first\nget /nope-at-all\n", "-o", "json")
    let error = try jsonObject(run.errorOutput)
    #expect(error["file"] as? String == "stdin")
    #expect(error["line"] as? Int == 2)
    #expect(run.exitStatus == 3)
  }

  @Test func warningsAndRemarksKeepOffStdout() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("remarks")
    let created = try await zkcli("-v", "create", path, "v")
    expect(created, output: "\(path)\n", error: "servers 127.0.0.1:")
    expect(try await zkcli("--verbose", "set", path, "w"), error: "changed \(path)")
    expect(try await zkcli("set", path, "w", "--verbose"), error: "changed \(path)")
    expect(
      try await zkcli("--auth", "digest:u:p", "get", path), output: "w", error: "warning: --auth exposes the secret")
    expect(try await zkcli("-q", "--auth", "digest:u:p", "get", path), output: "w")
  }

  @Test func optionsStandBeforeAndBehindTheCommand() async throws {
    let zkcli = try await Zkcli.shared()
    let server = try #require(zkcli.server)
    let path = uniquePath("options")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    let nowhere = zkcli.with(["ZKCLI_SERVER": "nowhere.invalid"])
    let other = Zkcli(server: nil, environment: nowhere.environment)
    for arguments in [
      ["-s", server, "get", path], ["--server", server, "get", path], ["--server=\(server)", "get", path],
      ["get", path, "--server", server], ["get", "--server=\(server)", path], ["-server", server, "get", path],
      ["get", path, "-server", server], ["-s\(server)", "get", path], ["--serve", server, "get", path],
      ["-server", server, "-timeout", "5000", "-r", "-waitforconnection", "get", path],
    ] {
      expect(try await other.run(arguments), output: "v", "\(arguments)")
    }
    expect(try await other("-s", server, "--", "get", "--", path), output: "v")
    expect(try await other("-server"), status: 2, error: "needs a value")
    expect(try await zkcli("-timeout", "abc", "get", path), status: 2, error: "abc is not a time in milliseconds")
    expect(try await zkcli("-bogus", "get", path), status: 2, error: "unknown option -b")
  }

  @Test func clientConfigurationIsReadOrRefused() async throws {
    let zkcli = try await Zkcli.shared()
    let directory = try Scratch.directory("properties")
    let file = "\(directory)/client.properties"
    try Scratch.write("zookeeper.request.timeout = 5000\nno.such.key=1\n", to: file)
    expect(
      try await zkcli("-client-configuration", file, "sync"),
      error: "warning: \(file):2: the property no.such.key has no effect here")
    expect(
      try await zkcli("-client-configuration", "\(file).not", "sync"), status: 12, error: "cannot open \(file).not")
    try Scratch.write("zookeeper.client.secure=true\n", to: file)
    expect(try await zkcli("-client-configuration", file, "sync"), status: 7, error: "TLS handshake")
  }

  @Test func serverComesFromTheFirstVariableThatIsSet() async throws {
    let server = try await ApacheServer.shared().connectString
    let bad = "nowhere.invalid:1"
    for (variables, works) in [
      (["ZKCLI_SERVER": server, "ZOOKEEPER_SERVERS": bad, "ZK_HOSTS": bad], true),
      (["ZOOKEEPER_SERVERS": server, "ZK_HOSTS": bad], true), (["ZK_HOSTS": server], true),
      (["ZKCLI_SERVER": "", "ZK_HOSTS": server], true), (["ZKCLI_SERVER": bad, "ZK_HOSTS": server], false),
      (["ZKCLI_SERVER": server + "/zookeeper"], true),
    ] {
      let run = try await Zkcli(server: nil).with(variables)("sync")
      expect(run, status: works ? 0 : 7, error: works ? "" : "\(bad): the name cannot be resolved", "\(variables)")
    }
    let run = try await Zkcli(server: bad)("-v", "-s", server, "sync")
    expect(run, error: "from --server")
  }

  @Test func chrootIsTheRoot() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("chroot")
    try await #expect(zkcli("create", "-p", "\(path)/in/side", "v").exitStatus == 0)
    let inside = Zkcli(server: try #require(zkcli.server) + path)
    expect(try await inside("ls", "/"), output: "in\n")
    expect(try await inside("ls", "-R"), output: "/\n/in\n/in/side\n")
    expect(try await inside("create", "-s", "/in/n-"), output: "/in/n-0000000001\n")
    expect(try await inside("get", "/nope"), status: 3, error: "NoNode /nope")
    let nowhere = Zkcli(server: try #require(zkcli.server) + path + "/nope")
    expect(try await nowhere("ls", "/"), status: 3, error: "\(path)/nope")
  }

  @Test func noEscapeSequenceGoesIntoAPipe() async throws {
    let zkcli = try await Zkcli.shared().with(["TERM": "xterm-256color"])
    for arguments in [["ls", "-l", "/"], ["get", "/nope-at-all"], ["--help"], ["help", "get"], ["nonsense"]] {
      let run = try await zkcli.run(arguments)
      #expect(!run.standardOutput.contains(0x1b) && !run.standardError.contains(0x1b), "\(arguments)")
    }
    let coloured = try await zkcli("--color", "always", "get", "/nope-at-all")
    #expect(coloured.standardError.contains(0x1b))
  }

  @Test(arguments: [
    (["--help"], "usage: zkcli"), (["--version"], "zkcli "), (["version"], "zkcli "), (["help"], "Znodes:"),
    (["get", "--help"], "usage: get"), (["--help", "get"], "usage: get"), (["help", "exit-codes"], "128+n"),
    (["get", "-h"], "usage: get"),
  ])
  func helpNeedsNoServer(arguments: [String], beginning: String) async throws {
    let run = try await Zkcli(server: "nowhere.invalid:1").run(arguments)
    #expect(run.exitStatus == 0)
    #expect(run.output.contains(beginning))
    #expect(run.errorOutput.isEmpty)
  }

  @Test func closedStdinIsNoMatterToACommandThatDoesNotReadIt() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("closed")
    expect(try await zkcli.shell("zkcli create \(path) v 0<&-"), output: "\(path)\n")
    expect(try await zkcli.shell("exec zkcli get \(path) 0<&-"), output: "v")
    expect(try await zkcli.shell("exec zkcli set \(path) - 0<&-"))
    expect(try await zkcli.shell("exec zkcli 0<&-"))
  }

  @Test func fullDiskIsAnError() async throws {
    let run = try await Zkcli.shared().shell("exec zkcli ls -R / > /dev/full")
    expect(run, status: 12, error: "cannot write to stdout: No space left on device")
  }
}
