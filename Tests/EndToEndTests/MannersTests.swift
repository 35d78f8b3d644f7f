import Foundation
import TestKit
import Testing

/// Things that a careful shell does without being asked.
@Suite(.timeLimit(.minutes(10)))
struct MannersTests {
  private func own() async throws -> Zkcli { Zkcli(server: try await ZkcliServer.shared().connectString) }

  @Test(arguments: [
    "wait --timeout 60s /never", "queue take --timeout 60s ~q", "rendezvous get --timeout 60s ~r",
    "barrier wait --timeout 60s ~b", "watch --timeout 60s /zookeeper",
  ])
  func whatIsAnsweredIsWrittenBeforeACommandWaits(waiting: String) async throws {
    let zkcli = try await own()
    let path = uniquePath("flush")
    if waiting.hasPrefix("barrier") { try await #expect(zkcli("create", "\(path)b").exitStatus == 0) }
    let script = "\(try Scratch.directory("flush"))/script"
    try Scratch.write("create \(path) v\n\(waiting.replacing("~", with: path))\n", to: script)
    let command = try zkcli.start("-f", script)
    #expect(try await command.nextLine(within: .seconds(30)) == path)
    #expect(command.ending == nil)
    command.send(signal: SIGKILL)
    _ = try await command.waitForEnd(within: .seconds(90))
    #expect(command.bytes(of: .output) == [UInt8]("\(path)\n".utf8))
  }

  /// A command of one round trip may take long as well, when the server is silent.
  @Test func whatIsAnsweredIsWrittenThoughTheServerFallsSilent() async throws {
    let proxy = try TCPProxy(to: try await ZkcliServer.shared().port)
    let path = uniquePath("silent")
    let fifo = "\(try Scratch.directory("fifo"))/value"
    #expect(mkfifo(fifo, 0o600) == 0)
    let script = "\(fifo).zk"
    try Scratch.write("create \(path) v\ncreate \(path)/a v\nset \(path) @\(fifo)\n", to: script)
    let command = try Zkcli(server: proxy.connectString).start("-f", script)
    // Nobody writes into the pipe, so that the third command does not even begin.
    #expect(try await command.nextLine(within: .seconds(30)) == path)
    #expect(try await command.nextLine(within: .seconds(30)) == "\(path)/a")
    #expect(command.ending == nil)
    command.killAll()
  }

  @Test func quotasBehindAPathAreRefusedInWords() async throws {
    let zkcli = try await own()
    let path = uniquePath("chroot")
    try await #expect(zkcli("create", "-p", "\(path)/sub").exitStatus == 0)
    let server = try #require(zkcli.server)
    for words in [
      ["setquota", "-n", "2", "/sub"], ["listquota", "/sub"], ["delquota", "/sub"], ["setquota", "-n", "2", "/"],
    ] {
      let run = try await zkcli.run(["-s", "\(server)\(path)"] + words)
      expect(run, status: 2, error: "connect without the chroot: zkcli -s \(server) \(words[0])")
    }
    expect(try await zkcli("ls", path), output: "sub\n")
    expect(try await zkcli("setquota", "-n", "2", "\(path)/sub"))
  }

  @Test func aSignalIsToldByItsOwnCode() async throws {
    let zkcli = try await own()
    for (signal, code) in [(SIGTERM, 143), (SIGINT, 130), (SIGHUP, 129)] as [(Int32, Int32)] {
      let path = uniquePath("signal")
      try await #expect(zkcli("create", path).exitStatus == 0)
      let command = try zkcli.start("-o", "json", "get", "-w", path)
      try await eventually("the watch") { try await ServerKind.zkcli.watchers()[path] == 1 }
      // The server has the watch before the client has the reply.
      try await eventually("the answer") { !command.bytes(of: .output).isEmpty }
      command.send(signal: signal)
      #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(code))
      let error = try jsonObject(String(decoding: command.bytes(of: .error), as: UTF8.self))
      #expect(error["code"] as? Int32 == code)
      // What was begun on stdout is one document all the same.
      let document = try jsonObject(String(decoding: command.bytes(of: .output), as: UTF8.self))
      #expect(document["event"] is NSNull && document["path"] as? String == path)
    }
  }

  @Test func quitTakesAnExitCode() async throws {
    let zkcli = try await own()
    expect(try await zkcli.script("exit 3\n"), status: 3)
    expect(try await zkcli.script("get /none\nquit 0\n", "-k"), status: 0, error: "NoNode")
    expect(try await zkcli.script("exists /none\nquit\n", "-k"), status: 1)
    expect(try await zkcli.script("exit 256\n"), status: 2, error: "a whole number from 0 to 255")
  }

  @Test func scriptsHaveLineEndsOfAnyKind() async throws {
    let zkcli = try await own()
    for end in ["\n", "\r\n", "\r"] {
      let path = uniquePath("ends")
      let text =
        "\u{feff}create \(path) 1\(end)# no\(end)get \(path)\(end)set \(path) 'a\(end)b'\(end)get \(path)\(end)"
      let expected = "\(path)\n1\na\(end)b\n"
      expect(try await zkcli.script(text), output: expected)
      expect(try await zkcli("delete", path))
      let file = "\(try Scratch.directory("ends"))/script"
      try Scratch.write(text, to: file)
      expect(try await zkcli("-f", file), output: expected)
      let failing = try await zkcli.script("pwd\(end)\(end)get /none\(end)")
      expect(failing, status: 3, output: "/\n", error: "stdin:3: NoNode")
    }
    let compat = try await zkcli.run(["--compat"], input: [UInt8]("\u{feff}get /zookeeper/none\r\n".utf8))
    #expect(compat.errorOutput == "Node does not exist: /zookeeper/none\n")
  }

  @Test func hereDocumentsAreRefused() async throws {
    let zkcli = try await own()
    let path = uniquePath("here")
    try await #expect(zkcli("create", path, "old").exitStatus == 0)
    let run = try await zkcli.script("set \(path) <<EOF\nnew\nEOF\n")
    expect(run, status: 2, error: "stdin:1: <<EOF is not data")
    expect(try await zkcli.script("set \(path) '<<EOF'\nget \(path)\n"), output: "<<EOF\n")
  }

  @Test func whatGetAclPrintsIsTakenBySetAcl() async throws {
    let zkcli = try await Zkcli.shared()
    let (path, copy) = (uniquePath("acl"), uniquePath("copy"))
    let acl = #"digest:a\,b\\c\x1b:h:cdrwa,world:anyone:cdrwa"#
    try await #expect(zkcli("create", path, "v", acl).exitStatus == 0)
    try await #expect(zkcli("create", copy).exitStatus == 0)
    let lines = acl.replacing(",world", with: "\nworld") + "\n"
    expect(try await zkcli("getAcl", path), output: lines)
    for options in ["", "-o json", "-o jsonl"] {
      expect(try await zkcli("setAcl", copy, "world:anyone:cdrwa"))
      expect(try await zkcli.shell(#"zkcli setAcl \#(copy) "$(zkcli getAcl \#(options) \#(path))""#))
      expect(try await zkcli("getAcl", copy), output: lines)
    }
  }

  @Test(arguments: ["zookeeper-client", "zkCli.sh"])
  func noSecretIsSentInTheClearWhereTLSIsAskedFor(name: String) async throws {
    let link = "\(try Scratch.directory("tls"))/\(name)"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: try Products.executable("zkcli"))
    let server = try FakeServer(.silence)
    var environment = RunningCommand.cleanEnvironment
    environment["CLIENT_JVMFLAGS"] = "-Xmx64m -Dzookeeper.client.secure=true"
    let run = try await CommandRun.run(
      link, ["-server", server.connectString, "--auth", "digest:bob:secret", "ls", "/"], environment: environment)
    // The server does not answer the handshake, so that the secret stays here.
    #expect(run.exitStatus == 1)
    #expect(run.errorOutput.contains("ConnectionLoss"))
    let configuration = try Scratch.directory("conf")
    try Scratch.write("export JVMFLAGS=\"-Dzookeeper.client.secure=true $JVMFLAGS\"\n", to: "\(configuration)/java.env")
    environment["CLIENT_JVMFLAGS"] = nil
    environment["ZOOCFGDIR"] = configuration
    let second = try await CommandRun.run(link, ["-server", server.connectString, "ls", "/"], environment: environment)
    #expect(second.exitStatus == 1)
  }

  @Test func aScriptWithASecretThatOthersCanReadIsWarnedOf() async throws {
    let zkcli = try await own()
    let file = "\(try Scratch.directory("secret"))/script"
    try Scratch.write("addauth digest bob:secret\naddauth digest ann:secret\nwhoami\n", to: file)
    chmod(file, 0o644)
    let run = try await zkcli("-f", file)
    #expect(run.exitStatus == 0)
    #expect(run.errorOutput.split(separator: "\n").count == 1)
    #expect(run.errorOutput.contains("\(file) contains secrets and is accessible to everyone"))
    chmod(file, 0o600)
    #expect(try await zkcli("-f", file).standardError.isEmpty)
  }

  /// On a terminal, no control byte of anybody else's is obeyed.
  @Test func aTerminalIsShownWhatWouldMoveIt() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("terminal")
    let id = "digest:u\u{1b}]0;title\u{7}\u{1b}[31m:h"
    let identity = #"digest:u\x1b]0;title\x07\x1b[31m:h:cdrwa"#
    try await #expect(zkcli("create", path, "v\u{1b}[2J\\", "\(id):cdrwa,world:anyone:cdrwa").exitStatus == 0)
    let terminal = try await Terminal.start(
      "/bin/sh",
      ["-c", "for command in getAcl get; do '\(try Products.executable("zkcli"))' $command \(path); done; cat"],
      environment: zkcli.variables, columns: 120)
    let screen = try await terminal.waitFor(#"v\x1b[2J\\"#)
    #expect(screen.contains(identity) && screen.contains("world:anyone:cdrwa"))
  }

  @Test func eventsInTheShellAreInTheFormatThatWasAskedFor() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("events")
    try await #expect(zkcli("create", path).exitStatus == 0)
    let shell = try await REPLTests.Session.open(try #require(zkcli.server), "-o", "json")
    try await shell.run("addWatch \(path)")
    expect(try await zkcli("set", path, "v"))
    try await shell.see(#"{"event":"NodeDataChanged","state":"SyncConnected","path":"\#(path)","zxid":null}"#)
  }

  @Test func theOnlyPausedServerNeedNotBeNamed() async throws {
    let script = "local pause 2\nlocal resume\nlocal kill 3\nlocal restart\nlocal status\nlocal resume\n"
    let run = try await Zkcli(server: nil).run(["-q", "--local", "3"], input: [UInt8](script.utf8))
    #expect(run.exitStatus == 2 && run.errorOutput.contains("missing argument: server"))
    #expect(run.output.split(separator: "\n").filter { $0.contains("running") }.count == 3, "\(run.output)")
  }

  @Test func theDescriptionOfTheEnsembleHasNoDataVersion() async throws {
    let run = try await Zkcli(server: nil)("-q", "--local", "3", "config", "-s")
    #expect(run.output.contains("\ndataVersion = -1\n"), "\(run.output)")
  }

  @Test func identitiesOfSecretsComeFirstInCompatibilityMode() async throws {
    let zkcli = try await own()
    let run = try await zkcli.run(
      ["--compat"], input: [UInt8]("addauth digest zed:b\naddauth digest ann:b\nwhoami\n".utf8))
    let lines = run.output.split(separator: "\n")
    #expect(lines.first == "Auth scheme: User" && lines.last == "ip: 127.0.0.1", "\(run.output)")
    #expect(lines.dropFirst().dropLast().allSatisfy { $0.hasPrefix("digest: ") } && lines.count == 4)
  }
}
