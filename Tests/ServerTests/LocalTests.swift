import Foundation
import TestKit
import Testing

/// `zkcli --local`: a server inside the process.
@Suite(.timeLimit(.minutes(10)))
struct LocalTests {
  private static func zkcli(_ words: String..., input: String = "") async throws -> CommandRun {
    try await CommandRun.run(
      try Products.executable("zkcli"), words, input: Array(input.utf8), timeLimit: .seconds(180))
  }

  @Test func runsASingleCommand() async throws {
    let run = try await Self.zkcli("--local", "create", "/a", "v")
    #expect(run.exitStatus == 0 && run.output == "/a\n")
    #expect(run.errorOutput.wholeMatch(of: /zkcli: local ZooKeeper server at 127\.0\.0\.1:\d+\n/) != nil)
    let quiet = try await Self.zkcli("-q", "--local", "get", "/none")
    #expect(quiet.exitStatus == 3 && !quiet.errorOutput.contains("local ZooKeeper"))
  }

  @Test func runsAScript() async throws {
    let run = try await Self.zkcli("--local", input: "create /a v\ncreate -t 5000 /ttl\nget /a\n")
    #expect(run.exitStatus == 0 && run.output == "/a\n/ttl\nv\n", "\(run.errorOutput)")
  }

  @Test func aChildFindsItInItsEnvironment() async throws {
    let zkcli = try Products.executable("zkcli")
    let line = "test \"$ZKCLI_SERVER\" = \"$ZOOKEEPER_CONNECT\" && \(zkcli) create /from-child && exit 7"
    let run = try await Self.zkcli("--local", "--", "sh", "-c", line)
    #expect(run.exitStatus == 7 && run.output == "/from-child\n", "\(run.errorOutput)")
    #expect(try await Self.zkcli("--local", "--", "/nonexistent/program").exitStatus == 127)
    #expect(try await Self.zkcli("--local", "--", "/etc/passwd").exitStatus == 126)
    #expect(try await Self.zkcli("--local", "--", "sh", "-c", "kill -TERM $$").exitStatus == 143)
    #expect(try await Self.zkcli("--local", "--").exitStatus == 2)
  }

  @Test func keepsDataOnRequest() async throws {
    let directory = try Scratch.directory("data")
    let first = try await Self.zkcli("--local", "--data-dir", directory, "create", "/kept", "v")
    #expect(first.exitStatus == 0, "\(first.errorOutput)")
    let second = try await Self.zkcli("--local", "--data-dir", directory, "get", "/kept")
    #expect(second.exitStatus == 0 && second.output.hasPrefix("v"), "\(second.errorOutput)")
  }

  @Test func listensWhereItIsTold() async throws {
    let port = try LoopbackPorts.reserve()
    let run = try await Self.zkcli("--local", "--port", "\(port)", "--listen", "127.0.0.2", "exists", "/")
    #expect(run.exitStatus == 0 && run.errorOutput.contains("127.0.0.2:\(port)\n"), "\(run.errorOutput)")
    let listener = try LoopbackSocket.listen()
    let taken = try await Self.zkcli("--local", "--port", "\(listener.localPort)", "exists", "/")
    #expect(taken.exitStatus == 12 && taken.errorOutput.contains("cannot listen"), "\(taken.errorOutput)")
    let both = try await Self.zkcli("--local", "-s", "localhost", "exists", "/")
    #expect(both.exitStatus == 2)
  }

  /// No temporary directory of a server is left in TMPDIR, however the process ends.
  @Test(arguments: [SIGINT, SIGTERM, SIGKILL]) func leavesNothingBehind(signal: Int32) async throws {
    let directory = try Scratch.directory("temporary")
    var environment = RunningCommand.cleanEnvironment
    environment["TMPDIR"] = directory
    let zkcli = try Products.executable("zkcli")
    // A second line behind a first: by then the guard has been told of the child. SIGINT is passed on to the child,
    // which must not end by it: there may be more of them while it goes on.
    let trap = signal == SIGINT ? "trap '' INT; " : ""
    let child = "\(trap)echo up; sleep 0.1; echo on; exec sleep 100000"
    let command = try RunningCommand(zkcli, ["--local", "--", "sh", "-c", child], environment: environment)
    for line in ["up", "on"] { #expect(try await command.nextLine(within: .seconds(90)) == line) }
    try await eventually("a directory for the data") { try Self.count(directory) == 1 }
    // The child is killed with it: nobody is left to do so once the shell is gone.
    if signal == SIGKILL { command.killAll() } else { command.send(signal: signal) }
    if signal == SIGINT {
      command.send(signal: SIGINT)
      command.send(signal: SIGTERM)
    }
    let ending = try await command.waitForEnd(within: .seconds(90))
    #expect(ending == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(128 + SIGTERM)))
    if signal == SIGKILL {
      // What a killed process could not remove, the next one does.
      _ = try await CommandRun.run(zkcli, ["--local", "exists", "/"], environment: environment)
    }
    try await eventually("an empty \(directory)") { try Self.count(directory) == 0 }
  }

  private static func count(_ directory: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: directory).count
  }

  @Test func opensTheShell() async throws {
    let terminal = try await Terminal.start(try Products.executable("zkcli"), ["--local", "--no-history"])
    try await terminal.waitFor("(CONNECTED) /]")
    try await terminal.type("create /typed value")
    try await terminal.send("Enter")
    try await terminal.waitFor("\n/typed")
    try await terminal.type("get /typed")
    try await terminal.send("Enter")
    try await terminal.waitFor("\nvalue")
    try await terminal.type("quit")
    try await terminal.send("Enter")
    #expect(try await terminal.waitForExit() == 0)
  }
}
