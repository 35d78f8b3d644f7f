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
    // The end of the last connection's session may still be on its way to one of them.
    try await eventually("all servers have the same transactions") {
      Set(try await session.members().compactMap { $0["zxid"] as? String }).count == 1
    }
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

  @Test func faultsOfTheNetworkAndTheMachinesAreShownAndHealed() async throws {
    let session = try await Session(zkcli, "--local", "3")
    #expect(try await session.answer("create /a 1") == "/a")
    try await session.run("local delay 100ms")
    let clock = ContinuousClock()
    let slow = try await clock.measure { try await session.run("set /a 2") }
    #expect(slow >= .milliseconds(200))
    #expect(try await session.answer("local delay 10ms --jitter 5ms 1-2 --seed 77") == "seed 77")
    #expect(try await session.answer("local drop 0.1% --seed 78 3") == "seed 78")
    try await session.run("local slow-disk 20ms leader")
    try await session.run("local clock -1h 1,2")
    let leader = try await session.leader()
    let members = try await session.members()
    #expect(members[leader - 1]["diskDelayMilliseconds"] as? Int == 20)
    #expect(members.map { $0["clockOffsetMilliseconds"] as? Int } == [-3_600_000, -3_600_000, 0])
    let links = try members.map { try #require($0["links"] as? [[String: Any]]) }
    #expect(links[0].map { $0["delayMilliseconds"] as? Int } == [10, 100])
    #expect(links[0].map { $0["jitterMilliseconds"] as? Int } == [5, 0])
    #expect(links[2].map { $0["dropPercent"] as? Double } == [0.1, 0.1])
    try await session.run("local heal")
    try await session.run("local slow-disk 0")
    try await session.run("local clock 0")
    #expect(try await session.members().allSatisfy { ($0["links"] as? [Any])?.isEmpty == true })
    #expect(try await session.members().allSatisfy { $0["diskDelayMilliseconds"] as? Int == 0 })
    #expect(try await session.answer("get /a") == "2")
    try await session.end()
  }

  @Test func consensusIsWatched() async throws {
    let script = try await zkcli.script(
      """
      create /a 1
      local trace on
      set /a 2
      local trace -o json
      local trace off
      """, "-q", "--local", "3")
    #expect(script.exitStatus == 0 && script.output.hasPrefix("/a\n["), "\(script.errorOutput)")
    let events = try #require(try json(String(script.output.dropFirst(3))) as? [[String: Any]])
    // What a write needs before it is answered: a proposal and its acknowledgement.
    for (kind, direction) in [("PROPOSAL", "sent"), ("PROPOSAL", "received"), ("ACK", "sent"), ("ACK", "received")] {
      #expect(events.contains { $0["kind"] as? String == kind && $0["direction"] as? String == direction })
    }
    let proposal = try #require(events.first { $0["kind"] as? String == "PROPOSAL" })
    #expect(proposal["detail"] as? String == "setData /a" && proposal["peer"] as? Int != nil)
    let heartbeats = try await zkcli("-q", "--local", "3", "local", "trace", "1500ms")
    #expect(heartbeats.output.split(separator: "\n").contains { $0.contains("PING zxid=0x") }, "\(heartbeats.output)")
    #expect(heartbeats.exitStatus == 0)
  }

  @Test func sessionOfTheShellExpires() async throws {
    let session = try await Session(zkcli, "-k", "--local", "3")
    #expect(try await session.answer("create -e /held 1") == "/held")
    try session.command.write("local expire me\nget /held\nget /held\n")
    let failures = try await [
      session.command.nextLine(of: .error, within: .seconds(60)),
      session.command.nextLine(of: .error, within: .seconds(60)),
    ]
    #expect(failures[0]?.contains("the session has expired") == true)
    #expect(failures[1]?.contains("NoNode /held") == true)
    session.command.closeInput()
    _ = try await session.command.waitForEnd(within: .seconds(30))
  }

  @Test func recordedCommandsRunAgain() async throws {
    let directory = try Scratch.directory("record")
    let first = try await zkcli.script(
      """
      create /before
      local record \(directory)/a.zk
      create /a "two
      lines"
      addauth digest bob:secret
      local kill leader
      set /a 2
      local restart
      get /missing
      get /a
      local record off
      create /after
      """, "-q", "-k", "--local", "3")
    #expect(first.errorOutput.contains("NoNode /missing"), "\(first.errorOutput)")
    let file = try String(contentsOfFile: "\(directory)/a.zk", encoding: .utf8)
    let lines = file.split(separator: "\n")
    #expect(!file.contains("secret\n") && !file.contains("bob") && !file.contains("/after"))
    #expect(lines[0] == "# zkcli --local 3 --replay FILE runs these commands again at the same times.")
    #expect(lines.filter { $0.hasPrefix("+") }.count == 6 && lines.contains("# it ended with exit code 3"))
    let second = try await zkcli("-q", "--local", "3", "--replay", "\(directory)/a.zk")
    #expect(second.exitStatus == 3 && second.output == "/a\n", "\(second.output) \(second.errorOutput)")
    #expect(second.errorOutput.contains("a.zk:") && second.errorOutput.contains("NoNode /missing"))
    expect(
      try await zkcli("-q", "-k", "--local", "3", "--replay", "\(directory)/a.zk"), status: 3, output: "/a\n2\n",
      error: "NoNode /missing")
    // What was recorded is not overwritten.
    let third = try await zkcli("-q", "--local", "local", "record", "\(directory)/a.zk")
    expect(third, status: 12, error: "File exists; remove it, or give another name")
  }

  @Test func commandsRunAtTheirTimesAndAreCheckedFirst() async throws {
    let directory = try Scratch.directory("replay")
    try Scratch.write("+0.5s create /a\n+0.5s ls /\n", to: "\(directory)/good")
    let clock = ContinuousClock()
    let time = try await clock.measure {
      expect(try await zkcli("-q", "--local", "--replay", "\(directory)/good"), output: "/a\na\nzookeeper\n")
    }
    #expect(time >= .milliseconds(500))
    for wrong in ["+2s frobnicate", "+2s set", "later", "+0.1s get /a", "+2s local frobnicate", "+2s get 'x"] {
      try Scratch.write("+1s create /a\n\(wrong)\n", to: "\(directory)/bad")
      let run = try await zkcli("-q", "--local", "--replay", "\(directory)/bad")
      #expect(run.exitStatus == 2 && run.output == "" && run.errorOutput.contains("bad:2: "), "\(run.errorOutput)")
    }
  }

  @Test func serversCanBeReconfiguredAndEnforceQuotas() async throws {
    let script = try await zkcli.script(
      """
      create /q
      setquota -N 2 /q
      create /q/1
      create /q/2
      reconfig --remove 3
      local kill 3
      set /q 1
      config
      """, "-q", "-k", "--local", "3", "--reconfig", "--quota")
    #expect(script.errorOutput.contains("QuotaExceeded /q/2"), "\(script.errorOutput)")
    let lines = script.output.split(separator: "\n")
    #expect(lines.last?.hasPrefix("version=") == true && lines.count { $0.hasPrefix("server.") } == 4, "\(lines)")
    let closed = try await zkcli("-q", "--local", "3", "reconfig", "--remove", "3")
    expect(closed, status: 10, error: "reconfiguration is disabled")
    let open = try await zkcli("-q", "--local", "3", "--reconfig", "--listen", "0.0.0.0", "ls", "/")
    expect(open, status: 2, error: "servers that allow reconfiguration cannot listen on 0.0.0.0")
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
      local delay
      local delay 20
      local delay 61s
      local delay 1ms 4
      local delay 1ms --jitter 2ms
      local delay 1ms 1-
      local drop 120%
      local slow-disk -1s
      local clock 5s
      local clock +99999999999h
      local expire
      local expire 7
      local expire 0x7
      local trace
      local trace off
      local kill 2 -f
      local slow-disk 1s --seed 4
      local record
      local record off
      local record /nonexistent/file
      """, "-q", "-k", "--local", "3")
    let lines = script.errorOutput.split(separator: "\n").map { $0.drop { $0 != " " }.dropFirst() }
    #expect(
      lines == [
        "there is no server 4; they are 1 to 3", "missing argument: server; give its number, or leader",
        "unexpected argument: 1",
        "missing argument: groups; for example: local partition 1 / 2,3 cuts server 1 off",
        "server 1 is named twice", "Local: server 1 is not paused",
        "Local: server 1 is already paused; resume it first",
        "Local: server 1 is not running; restart it first",
        "missing argument: time; 0 ends the fault", "delay 20 has no unit; give a unit, e.g. 20s or 20ms",
        "the delay cannot be 61.0 seconds; it must be from 0 to 60 s", "there is no server 4; they are 1 to 3",
        "the jitter is longer than the delay", "there is no server ''; they are 1 to 3",
        "drop 120% is not a percentage; write it as 10% or 0.5%, from 0.001% to 100%",
        "slow-disk -1s is not a duration; write it as 500ms, 10s, 2m or 1h",
        "clock 5s has no sign; write +5s for a clock that is fast, -5s for one that is slow, 0 to end it",
        "a clock cannot be wrong by more than ten years",
        "missing argument: session; give its number, such as 0x1000123abc0000, or me for the shell's own",
        "session 7 is not a session; write it as 0x1000123abc0000; sessions lists them",
        "Local: there is no session 0x7",
        "there is no trace; local trace on begins one; local trace 5s and local trace -f print what happens",
        "there is no trace to end; local trace on begins one", "--follow goes with trace, not with kill",
        "--seed goes with drop, and with delay --jitter", "missing argument: file; or off, which ends a recording",
        "nothing is being recorded", "File: cannot create /nonexistent/file: No such file or directory",
      ])
  }
}

/// As `expect`, of an output's beginning.
private func expect(
  _ run: CommandRun, prefix: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(run.exitStatus == 0 && run.output.hasPrefix(prefix), "\(run.output)", sourceLocation: sourceLocation)
}
