import Foundation
import TestKit
import Testing

/// `zkcli --local 3` and the command `local`: an ensemble in one process, and what it stands.
@Suite(.timeLimit(.minutes(3)))
struct LocalEnsembleTests {
  private let zkcli = Zkcli()

  /// A script that is written line by line, to a shell with an ensemble of its own.
  private final class Session {
    let command: RunningCommand
    let servers: [String]

    init(_ zkcli: Zkcli, _ arguments: String...) async throws {
      command = try RunningCommand(try Products.executable("zkcli"), arguments, environment: zkcli.variables)
      let line = try #require(try await command.nextLine(of: .error, within: .seconds(60)))
      servers = line.split(separator: " ").last.map { $0.split(separator: ",").map(String.init) } ?? []
    }

    /// Runs a line that answers with one line.
    func answer(_ line: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
      try command.write(line + "\n")
      return try #require(
        try await command.nextLine(within: .seconds(60)),
        "\(line): \(String(decoding: command.bytes(of: .error), as: UTF8.self))", sourceLocation: sourceLocation)
    }

    /// Runs a line that answers nothing.
    func run(_ line: String) async throws {
      try command.write(line + "\n")
      #expect(try await answer("pwd") == "/")
    }

    /// What each server is, by `local status`.
    func members() async throws -> [[String: Any]] {
      try #require(try json(try await answer("local status -o json")) as? [[String: Any]])
    }

    /// The number of the server that leads.
    func leader() async throws -> Int {
      try #require(try await members().first { $0["role"] as? String == "leader" }?["id"] as? Int)
    }

    func end() async throws {
      command.closeInput()
      let ending = try await command.waitForEnd(within: .seconds(30))
      #expect(ending == .exited(0), "\(String(decoding: command.bytes(of: .error), as: UTF8.self))")
    }
  }

  @Test func servesUnderOneConnectString() async throws {
    let run = try await zkcli(
      "--local", "3", "--", "/bin/sh", "-c", "echo $ZKCLI_SERVER; exec \(try Products.executable("zkcli")) create /a 1")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].split(separator: ",").count == 3 && lines[1] == "/a", "\(run.output)")
    #expect(run.errorOutput == "zkcli: local ensemble of 3 servers at \(lines[0])\n")
    expect(try await zkcli("--local=5", "-q", "create", "/a"), output: "/a\n")
    expect(try await zkcli("-q", "--local", "9", "ls", "/"), output: "zookeeper\n")
    expect(try await zkcli("-q", "--local", "1", "local", "status"), prefix: "1   running  sta")
  }

  @Test func severalRunsAtOnceDoNotMeet() async throws {
    try await withThrowingTaskGroup(of: CommandRun.self) { group in
      for number in 0..<4 { group.addTask { try await zkcli("-q", "--local", "3", "create", "/run\(number)") } }
      for try await run in group { #expect(run.exitStatus == 0, "\(run.errorOutput)") }
    }
  }

  @Test func leaderIsKilledAndComesBack() async throws {
    let session = try await Session(zkcli, "--local", "3")
    #expect(try await session.answer("create -e /held 1") == "/held")
    #expect(try await session.answer("create /a 1") == "/a")
    let first = try await session.leader()
    try await session.run("local kill leader")
    try await session.run("set /a 2")
    let states = try await session.members().compactMap { $0["state"] as? String }
    #expect(states.enumerated().allSatisfy { ($1 == "killed") == ($0 + 1 == first) })
    try await session.run("local restart \(first)")
    // The session and what hangs on it have survived.
    #expect(try await session.answer("get /held") == "1")
    for server in session.servers {
      try await session.run("connect \(server)")
      #expect(try await session.answer("get /a") == "2")
    }
    let zxids = Set(try await session.members().compactMap { $0["zxid"] as? String })
    #expect(zxids.count == 1, "\(zxids)")
    try await session.end()
  }

  @Test func minorityServesNobody() async throws {
    let session = try await Session(zkcli, "--local", "3")
    #expect(try await session.answer("create /a 1") == "/a")
    let leader = try await session.leader()
    try await session.run("local partition leader")
    let members = try await session.members()
    #expect(members[leader - 1]["role"] as? String == "looking")
    #expect((members[leader - 1]["cutOffFrom"] as? [Int])?.count == 2)
    try await session.run("set /a 2")
    let alone = try await zkcli("-s", session.servers[leader - 1], "--connect-timeout", "2s", "get", "/a")
    #expect(alone.exitStatus == 10, "\(alone.errorOutput)")
    try await session.run("local heal")
    expect(try await zkcli("-s", session.servers[leader - 1], "get", "/a"), output: "2")
    // Written as in a diagram, with one of the servers in each group: nobody is left to lead.
    try await session.run("local partition 1 / 2 / 3")
    #expect(try await session.members().allSatisfy { $0["role"] as? String == "looking" })
    try await session.run("local partition '1|2,3'")
    try await session.run("set /a 3")
    try await session.run("local heal")
    for server in session.servers { expect(try await zkcli("-s", server, "get", "/a"), output: "3") }
    try await session.end()
  }

  @Test func pausedServerIsGivenUpAndTakenBack() async throws {
    let session = try await Session(zkcli, "--local", "3", "--session-timeout", "6s")
    #expect(try await session.answer("create /a 1") == "/a")
    let first = try await session.leader()
    try await session.run("local pause leader")
    #expect(try await session.leader() != first)
    try await session.run("set /a 2")
    #expect(try await session.members()[first - 1]["state"] as? String == "paused")
    try await session.run("local resume \(first)")
    expect(try await zkcli("-s", session.servers[first - 1], "get", "/a"), output: "2")
    // Whichever server the session is on, it goes on when that one stands still, or is killed while it does.
    for server in 1...3 {
      try await session.run("local pause \(server)")
      #expect(try await session.answer("get /a") == "2")
      try await session.run(server == 2 ? "local restart 2" : "local resume \(server)")
    }
    try await session.run("local pause 1")
    try await session.run("local kill 1")
    #expect(try await session.answer("get /a") == "2")
    try await session.end()
  }

  @Test func keepsDataAndSize() async throws {
    let directory = try Scratch.directory("local")
    expect(try await zkcli("-q", "--local", "3", "--data-dir", directory, "create", "/kept", "1"), output: "/kept\n")
    expect(try await zkcli("-q", "--local", "3", "--data-dir", directory, "get", "/kept"), output: "1")
    // A member that has lost its disk gets everything from the others.
    try FileManager.default.removeItem(atPath: "\(directory)/2/version-2")
    try FileManager.default.createDirectory(atPath: "\(directory)/2/version-2", withIntermediateDirectories: false)
    let script = "-q --local 3 --data-dir \(directory) -f \(directory)/script"
    try Scratch.write("local kill 1\nget /kept\n", to: "\(directory)/script")
    expect(try await zkcli.run(script.split(separator: " ").map(String.init)), output: "1\n")
    let other = try await zkcli("--local", "5", "--data-dir", directory, "ls", "/")
    expect(other, status: 12, error: "has the data of 3 servers; start it with --local 3")
    let single = try await zkcli("--local", "--data-dir", directory, "ls", "/")
    expect(single, status: 12, error: "start it with --local 3")
  }

  @Test func mistakesAreExplained() async throws {
    let refused = try refusedServer()
    let elsewhere = try await zkcli("-s", refused, "local", "status")
    expect(elsewhere, status: 2, error: "`local` needs servers started with --local")
    expect(try await zkcli("--local", "10", "ls", "/"), status: 2, error: "from 1 to 9")
    let script = try await Zkcli().script(
      """
      local kill 4
      local kill
      local status 1
      local partition
      local partition 1 / 1,2
      local resume 1
      local pause 1
      local pause 1
      local kill 1
      local kill 1
      """, "-q", "-k", "--local", "3")
    let lines = script.errorOutput.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
    #expect(
      lines == [
        "there is no server 4; they are 1 to 3", "missing argument: server; give its number, or leader",
        "unexpected argument: 1",
        "missing argument: groups; for example: local partition 1 / 2,3 cuts server 1 off",
        "server 1 is named twice", "Local: server 1 is not paused",
        "Local: server 1 is paused already; local resume 1 lets it go on",
        "Local: server 1 is not running; local restart 1 starts it",
      ])
  }
}

/// As `expect`, of an output's beginning.
private func expect(
  _ run: CommandRun, prefix: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(run.exitStatus == 0 && run.output.hasPrefix(prefix), "\(run.output)", sourceLocation: sourceLocation)
}
