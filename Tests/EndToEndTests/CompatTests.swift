import Foundation
import TestKit
import Testing

/// Compatibility mode beside Debian's real zkCli.sh 3.8.0: the same commands on servers with the same history must
/// give the same bytes.
///
/// Each start of zkCli.sh costs most of a second, so that most commands go through the stdin of one run.
@Suite(.timeLimit(.minutes(10)))
struct CompatTests {
  /// A way to call either program.
  struct Program: Sendable {
    let executable: String
    var options: [String] = []
    let server: String

    func run(_ words: [String]) async throws -> CommandRun {
      var environment = RunningCommand.cleanEnvironment
      environment["TZ"] = "UTC"
      return try await CommandRun.run(
        executable, options + ["-server", server] + words, environment: environment)
    }
  }

  @Test(arguments: ZkCliSessions.sessions)
  func sameBytesAsZkCli(_ session: ZkCliSessions.Session) async throws {
    let (theirs, ours) = (try await ApacheServer.start(.permissive), try await ApacheServer.start(.permissive))
    let apache = Program(executable: "/usr/share/zookeeper/bin/zkCli.sh", server: theirs.connectString)
    let zkcli = Program(executable: try Products.executable("zkcli"), options: ["--compat"], server: ours.connectString)
    async let expected = session.run(apache.executable, apache.options + ["-server", apache.server])
    async let found = session.run(zkcli.executable, zkcli.options + ["-server", zkcli.server])
    let (real, run) = (try await expected, try await found)
    #expect(ZkCliSessions.difference(of: run.standardOutput, to: real.standardOutput) == [])
    #expect(ZkCliSessions.difference(of: run.standardError, to: real.standardError) == [])
    #expect(run.exitStatus == real.exitStatus)
    try await theirs.stop()
    try await ours.stop()
  }

  @Test func exitCodesOfSingleCommandsAreTheSame() async throws {
    let server = try await ApacheServer.shared()
    let path = uniquePath("compat")
    let apache = Program(executable: "/usr/share/zookeeper/bin/zkCli.sh", server: server.connectString)
    let directory = try Scratch.directory("names")
    for name in ["zkCli.sh", "zookeeper-client"] {
      try FileManager.default.createSymbolicLink(
        atPath: "\(directory)/\(name)", withDestinationPath: try Products.executable("zkcli"))
    }
    try await #expect(Zkcli(server: server.connectString)("create", path, "hello").exitStatus == 0)
    let cases = [
      ["get", path], ["get", "\(path)/nope"], ["nonsense"], ["create", path], ["deleteall", "\(path)/nope"],
      ["setquota", "-n", "0", path], ["-client-configuration", "/nonexistent", "get", path],
    ]
    for (index, words) in cases.enumerated() {
      let program = index.isMultiple(of: 2) ? "zkCli.sh" : "zookeeper-client"
      let zkcli = Program(executable: "\(directory)/\(program)", server: server.connectString)
      async let expected = apache.run(words)
      async let found = zkcli.run(words)
      let (real, run) = (try await expected, try await found)
      #expect(run.exitStatus == real.exitStatus, "\(words)")
      guard words[0] != "-client-configuration", words != ["nonsense"] else { continue }
      #expect(ZkCliSessions.difference(of: run.standardOutput, to: real.standardOutput) == [], "\(words)")
      #expect(ZkCliSessions.difference(of: run.standardError, to: real.standardError) == [], "\(words)")
    }
  }

  @Test func wordsOfTheCommandLineAreReadAsZkCliReadsThem() async throws {
    let server = try await ApacheServer.shared()
    let path = uniquePath("words")
    let zkcli = Zkcli(server: nil)
    let executable = ["--compat", "-bogus", "-timeout", "5000", "-server", server.connectString]
    expect(try await zkcli.run(executable + ["create", path, "a b"]), error: "Created \(path)\n")
    expect(try await zkcli.run(executable + ["get", path]), output: "a b\n")
    expect(
      try await zkcli.run(executable + ["get", path, "-server", "x"]), status: 1, error: "Unrecognized option: -s")
    let unknown = try await zkcli.run(executable + ["nonsense"])
    #expect(unknown.exitStatus == 127)
    #expect(unknown.errorOutput.hasPrefix("ZooKeeper -server host:port"))
    #expect(unknown.errorOutput.hasSuffix("Command not found: Command not found nonsense\n"))
  }
}
