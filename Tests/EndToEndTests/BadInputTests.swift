import Foundation
import TestKit
import Testing

/// Bad input: a message that says what, where and what to do, an exit code of its own, and nothing half-written.
@Suite(.timeLimit(.minutes(10)))
struct BadInputTests {
  @Test(
    arguments: [
      (["get", "/", "--frob"], 2, "unknown option --frob"), (["--frob", "get", "/"], 2, "unknown option --frob"),
      (["get", "--sta"], 2, "missing argument: path"), (["get", ""], 2, "the path is empty"),
      (["get", "/a\u{1}b"], 2, "has the character U+0001"),
      (["create", "/a\u{fff0}b"], 2, "which ZooKeeper does not allow"),
      (["set", "/", "v", "-v", "x"], 2, "x is not a version"),
      (["set", "/", "v", "-v", "-7"], 2, "-7 is not a version"),
      (["set", "/", "v", "-v", "99999999999"], 2, "is not a version"),
      (["setAcl", "/", "world"], 2, "write it as scheme:id"),
      (["setAcl", "/", ""], 2, "the ACL is empty"), (["create", "/x", "v", "world:anyone:crx"], 2, "permission x"),
      (["set", "/", "@/nonexistent/file"], 12, "cannot open /nonexistent/file: No such file"),
      (["set", "/", "@/root"], 12, "cannot read /root: Is a directory"),
      (["multi", "-f", "/nonexistent"], 12, "cannot open"),
      (["--session-timeout", "soon", "ls"], 2, "--session-timeout soon is not a duration"),
      (["--max-buffer", "many", "ls"], 2, "--max-buffer many is not a size"),
      (["-s", "", "ls"], 2, "not a list of servers"),
      (["-s", "zks://", "ls"], 2, "not a list of servers"), (["-s", "h:99999", "ls"], 2, "is not a list of servers"),
      (["--auth", "secret", "ls"], 2, "not of the form SCHEME:AUTH"), (["-o", "xml", "ls"], 2, "choose from text"),
      (["reconfig", "-add", "a", "-file", "b"], 2, "cannot be combined"), (["delete", "/"], 2, "/"),
    ] as [([String], Int32, String)])
  func mistakeInTheCommandLine(arguments: [String], status: Int32, message: String) async throws {
    let run = try await Zkcli.shared().run(arguments)
    #expect(run.exitStatus == status, "\(run.errorOutput)")
    #expect(run.output.isEmpty)
    #expect(run.errorOutput.contains(message), "\(run.errorOutput)")
    #expect(run.errorOutput.hasPrefix("zkcli: "))
    // One line, and no stack trace.
    #expect(run.errorOutput.split(separator: "\n").count == 1)
  }

  @Test func unreadableFileIsNotAnEmptyValue() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("unreadable")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    // Root may read anything that has a name, but not a directory, and nobody a device without a reader.
    expect(try await zkcli("set", path, "@/proc/self/mem"), status: 12, error: "cannot read /proc/self/mem")
    expect(try await zkcli("get", path), output: "v")
    expect(try await zkcli("create", "\(path)/new", "@/nonexistent"), status: 12, error: "cannot open")
    expect(try await zkcli("exists", "\(path)/new"), status: 1)
  }

  @Test func endlessValueIsRefusedInsteadOfEatingMemory() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("endless")
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    let run = try await zkcli("set", path, "@/dev/zero")
    #expect(run.exitStatus == 6 || run.exitStatus == 12, "\(run.ending)")
    #expect(run.errorOutput.contains("/dev/zero"))
    expect(try await zkcli("get", path), output: "v")
  }

  @Test func unknownHostAndRefusedPortAreToldApart() async throws {
    let unknown = try await Zkcli(server: "no-such-host.invalid:2181")("ls", "/")
    expect(unknown, status: 7, error: "no-such-host.invalid:2181: the name cannot be resolved; check the name")
    let refused = try refusedServer()
    // A refusal is an answer: the limit for connecting, which is longer than that of the test, is not waited for.
    let run = try await Zkcli(server: refused)("--connect-timeout", "1h", "ls", "/")
    expect(run, status: 7, error: "\(refused): connection refused; is the server running")
    let both = try await Zkcli(server: "\(refused),no-such-host.invalid:1")("ls", "/")
    #expect(both.exitStatus == 7)
    #expect(both.errorOutput.contains("connection refused") && both.errorOutput.contains("cannot be resolved"))
  }

  @Test func oneServerThatAnswersIsEnough() async throws {
    let server = try await ApacheServer.shared().connectString
    let list = "\(try refusedServer()),no-such-host.invalid:1,\(server)"
    for _ in 0..<3 { expect(try await Zkcli(server: list)("ls", "/zookeeper"), output: "config\nquota\n") }
  }

  @Test func serversThatMisbehaveAreNamed() async throws {
    for (behaviour, status, message) in [
      (.neverAccept, 7, "no reply within 500 ms"), (.silence, 7, "no reply within 500 ms"),
      (.closeAtOnce, 7, "the server closed the connection without a reply"), (.hugeLength, 7, "not a ZooKeeper server"),
      (.garbage, 7, "not a ZooKeeper server"), (.answer([0, 0, 0, 4, 1, 2, 3, 4]), 7, "not a ZooKeeper server"),
    ] as [(FakeServer.Behaviour, Int32, String)] {
      let server = try FakeServer(behaviour)
      let run = try await Zkcli(server: server.connectString)("--connect-timeout", "500ms", "get", "/x")
      expect(run, status: status, error: message, "\(behaviour)")
      #expect(run.errorOutput.contains(server.connectString))
    }
  }

  @Test func serverThatFallsSilentOrCutsMidCommandLeavesTheOutcomeOpen() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let zkcli = Zkcli(server: proxy.connectString)
    let path = uniquePath("silent")
    let command = try zkcli.start("--timeout", "700ms", "-k")
    try command.write("create \(path) v\n")
    #expect(try await command.nextLine() == path)
    proxy.stall()
    try command.write("set \(path) w\n")
    #expect(
      try await command.nextLine(of: .error, within: .seconds(90))
        == "stdin:2: TimedOut \(path): the request timed out; the outcome is unknown; allow more time with --timeout")
    try command.write("set \(path) x --timeout 20s\n")
    proxy.refuse()
    proxy.cut()
    proxy.resume()
    let loss = try await command.nextLine(of: .error, within: .seconds(90))
    #expect(loss?.hasPrefix("stdin:3: ConnectionLoss") == true, "\(loss ?? "")")
    try await proxy.acceptAgain()
    try command.write("exists \(path) --timeout 20s\nquit\n")
    #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(8))
  }

  @Test func sessionThatExpiresMidCommandIsSaidSo() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let zkcli = Zkcli(server: proxy.connectString)
    let path = uniquePath("expires")
    let command = try zkcli.start("--session-timeout", "50s", "-k")
    try command.write("create -e \(path)\n")
    #expect(try await command.nextLine() == path)
    proxy.refuse()
    proxy.cut()
    try await Zkcli.patient(server.connectString).endSession(owning: path, on: server.port)
    try await proxy.acceptAgain()
    try command.write("getEphemerals --timeout 20s\n")
    let line = try await command.nextLine(of: .error, within: .seconds(90))
    #expect(line?.contains("SessionExpired") == true)
    // The next command begins a new one.
    try command.write("getEphemerals --timeout 20s\npwd\n")
    #expect(try await command.nextLine() == "/")
    command.closeInput()
    #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(9))
  }

  @Test func valueOverTheLimitWritesNothing() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("limit")
    // The frame, not the value, is limited to 1,048,575 bytes: header, path and version go with it.
    let overhead = 8 + 4 + path.utf8.count + 4 + 4
    try await #expect(zkcli("create", path, "v").exitStatus == 0)
    let fitting = [UInt8](repeating: 0x61, count: 1_048_575 - overhead)
    expect(try await zkcli("set", path, "-", input: fitting))
    #expect(try await zkcli("get", path, "--max-buffer", "2M").standardOutput == fitting)
    let large = try await zkcli("set", path, "-", input: fitting + [0x61])
    expect(large, status: 6, error: "TooLarge \(path)")
    #expect(try await zkcli("get", path, "--max-buffer", "2M").standardOutput == fitting)
    let refused = try await zkcli("get", path, "--max-buffer", "64K")
    expect(refused, status: 6, error: "over the limit of 65536; accept it with --max-buffer 2M")
  }
}
