import Foundation
import TestKit
import Testing

/// Commands that ask servers about themselves, on Apache's servers and on ours.
@Suite(.timeLimit(.minutes(10)))
struct MonitorTests {
  private func document(_ run: CommandRun) throws -> [String: Any] {
    try #require(try json(run.output) as? [String: Any], "\(run.output) \(run.errorOutput)")
  }

  private func rows(_ run: CommandRun) throws -> [[String: Any]] {
    try #require(try json(run.output) as? [[String: Any]], "\(run.output) \(run.errorOutput)")
  }

  /// What `health` has found, as `severity check`.
  private func findings(_ document: [String: Any]) -> [String] {
    (document["findings"] as? [[String: Any]] ?? []).map { "\($0["severity"] ?? "") \($0["check"] ?? "")" }
  }

  private func ensemble(_ kind: MemberKind, _ lines: [String] = []) -> ServerEnsemble.Configuration {
    var configuration = ServerEnsemble.Configuration([kind, kind, kind])
    configuration.hasAdminServers = true
    configuration.extraLines = lines
    return configuration
  }

  /// A sound ensemble, one that has lost a member, and one that has lost its quorum.
  @Test(arguments: [MemberKind.ours, .apache]) func healthOfAnEnsemble(kind: MemberKind) async throws {
    let servers = try await ServerEnsemble.start(ensemble(kind))
    let zkcli = Zkcli(server: servers.connectString)
    // A member that has just begun to follow lacks a transaction for a moment.
    let sound = try await eventually("a sound ensemble", within: .seconds(30)) {
      let run = try await zkcli("health", "-o", "json", "--limit", "5s")
      return run.exitStatus == 0 ? run : nil
    }
    let document = try document(sound)
    #expect(document["verdict"] as? String == "healthy")
    #expect(findings(document) == ["note root-acl"])
    let members = try #require(document["members"] as? [[String: Any]])
    #expect(members.map { $0["id"] as? Int } == [1, 2, 3])
    #expect(Set(members.compactMap { $0["role"] as? String }) == ["leader", "follower"])
    // On a busy machine the mean latency of the few requests so far may just then be a warning of its own.
    _ = try await eventually("a text about a sound ensemble", within: .seconds(60)) {
      try await zkcli("health", "--limit", "5s").output.contains("healthy: 3 of 3 servers serve") ? true : nil
    }
    #expect(try await zkcli("health", "--strict", "--limit", "5s").exitStatus == 1)

    let leader = try await servers.waitForLeader()
    let other = servers.members.first { $0.id != leader.id }!
    try await other.kill()
    let lost = try await zkcli("health", "-o", "json", "--limit", "5s")
    #expect(lost.exitStatus == 1)
    #expect(findings(try self.document(lost)).contains("fault reachable"))
    #expect(findings(try self.document(lost)).contains("warning margin"))
    let third = servers.members.first { $0.id != leader.id && $0.id != other.id }!
    try await third.kill()
    _ = try await eventually("a lost quorum", within: .seconds(60)) {
      try await zkcli("health", "-o", "json", "--limit", "2s").exitStatus == 10 ? true : nil
    }
    let ready = try await zkcli("ready", "--limit", "2s")
    #expect(ready.exitStatus == 10, "\(ready.errorOutput)")
    try await servers.kill()
    #expect(try await zkcli("ready").exitStatus == 7)
    #expect(try await zkcli("health").exitStatus == 10)
  }

  /// A server that accepts connections and says nothing costs no more than the limit, and `ready` not even that.
  @Test func aSilentServerIsNotWaitedFor() async throws {
    let silent = try FakeServer(.silence)
    let zkcli = Zkcli(server: "127.0.0.1:\(silent.port),\(try await ServerKind.zkcli.connectString)")
    let run = try await zkcli("ready")
    #expect(run.exitStatus == 0)
    #expect(run.output.hasPrefix("ready: 127.0.0.1:"))
    let health = try await zkcli("health", "--limit", "300ms", "-o", "json")
    #expect(health.exitStatus == 1)
    let members = try #require(try document(health)["members"] as? [[String: Any]])
    #expect(members.first?["state"] as? String == "unreachable")
    for command in ["sessions", "members", "metrics", "latency"] {
      let run = try await zkcli(command, "--limit", "300ms")
      #expect([0, 11].contains(run.exitStatus ?? -1), "\(command): \(run.errorOutput)")
    }
  }

  /// Servers that lie, answer half, or speak another protocol are reported, and nothing traps.
  @Test func strangersAreReported() async throws {
    for behaviour in [FakeServer.Behaviour.garbage, .closeAtOnce, .hugeLength, .answer([UInt8]("Mode: ".utf8))] {
      let server = try FakeServer(behaviour)
      let zkcli = Zkcli(server: "127.0.0.1:\(server.port)")
      for command in ["health", "ready", "members", "sessions", "metrics", "latency", "bench"] {
        let run = try await zkcli(command, "--limit", "300ms")
        #expect((0...12).contains(run.exitStatus ?? -1), "\(command): \(run.exitStatus ?? -1) \(run.errorOutput)")
      }
    }
  }

  @Test(arguments: ServerKind.allCases) func sessionsAndTheirOwners(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("who")
    expect(try await zkcli("create", path), output: "\(path)\n")
    let holder = try zkcli.start("lock", "\(path)/lock", "--", "sleep", "600")
    defer { holder.killAll() }
    let watcher = try zkcli.start("watch", path)
    defer { watcher.killAll() }
    let lock = try await eventually("a lock", within: .seconds(30)) {
      let names = try await zkcli("ls", "\(path)/lock").output
      return names.isEmpty ? nil : "\(path)/lock/\(names.split(separator: "\n")[0])"
    }
    let owner = try #require(
      try json(try await zkcli("who", lock, "-o", "json", "--limit", "10s").output) as? [[String: Any]])
    #expect(owner.count == 1)
    #expect(owner.first?["ephemerals"] as? [String] == [lock])
    let session = try #require(owner.first?["session"] as? String)
    let client = try #require(owner.first?["client"] as? String)
    // Not the whole output, which counts the requests: the holder also pings in between.
    for name in [session, client] {
      let run = try await zkcli("who", name, "-o", "json", "--limit", "10s")
      let found = try json(run.output) as? [[String: Any]]
      #expect(found?.map { $0["session"] as? String } == [session], "\(name): \(run.output) \(run.errorOutput)")
      #expect(found?.first?["ephemerals"] as? [String] == [lock])
    }
    let all = try rows(try await zkcli("sessions", "-o", "json", "--sort", "ephemerals", "--limit", "10s"))
    #expect(all.contains { $0["session"] as? String == session && $0["client"] as? String == client })
    _ = try await eventually("a watcher", within: .seconds(30)) {
      let run = try await zkcli("watchers", path, "-o", "json", "--limit", "10s")
      return run.exitStatus == 0 ? try rows(run).count == 1 : nil
    }
    expect(try await zkcli("watchers", "\(path)/none", "--limit", "10s"), status: 1)
    expect(try await zkcli("who", path, "--limit", "10s"), status: 1, error: "is not ephemeral")
    expect(try await zkcli("who", "\(path)/none", "--limit", "10s"), status: 3, error: "NoNode")
    expect(try await zkcli("who", "0x1", "--limit", "10s"), status: 1)
    expect(try await zkcli("who", "203.0.113.1", "--limit", "10s"), status: 1)
  }

  /// Where words are not allowed, the AdminServer answers; where it is off as well, that is said.
  @Test(arguments: [MemberKind.ours, .apache]) func forbiddenWords(kind: MemberKind) async throws {
    var configuration = ServerEnsemble.Configuration([kind])
    configuration.hasAdminServers = true
    configuration.extraLines = ["4lw.commands.whitelist=srvr"]
    let servers = try ServerEnsemble(configuration)
    try await servers.members[0].launch()
    try await servers.waitUntilServing()
    let zkcli = Zkcli(server: servers.connectString)
    let admin = "127.0.0.1:\(servers.members[0].ports.admin)"
    let health = try document(try await zkcli("health", "-o", "json", "--limit", "5s"))
    #expect(findings(health).contains("note words"), "\(health)")
    let hints = (health["findings"] as? [[String: Any]] ?? []).compactMap { $0["hint"] as? String }
    #expect(hints.contains { $0.contains("4lw.commands.whitelist=") })
    let helped = try document(try await zkcli("health", "-o", "json", "--limit", "5s", "--admin", admin))
    #expect(!findings(helped).contains("note words"), "\(helped)")
    expect(try await zkcli("word", "mntr"), status: 5, error: "4lw.commands.whitelist=srvr, mntr")
    #expect(try await zkcli("word", "srvr").output.contains("Mode: "))
    #expect(try await zkcli("metrics", "--limit", "10s").exitStatus == 5)
    let metrics = try await zkcli("metrics", "--admin", admin, "--limit", "10s")
    #expect(metrics.exitStatus == 0)
    #expect(metrics.output.contains("\nznode_count 5\n"), "\(metrics.output)")
    let partial = try await zkcli("sessions", "--limit", "10s")
    #expect(partial.exitStatus == 11)
    #expect(partial.errorOutput.contains("does not allow cons, dump, wchc"))
    let holder = try zkcli.start("watch", "/")
    defer { holder.killAll() }
    _ = try await eventually("a session that the AdminServer knows", within: .seconds(30)) {
      let run = try await zkcli("sessions", "-o", "json", "--admin", admin, "--limit", "10s")
      return run.exitStatus == 0 ? try rows(run).first { $0["client"] is String } : nil
    }
    let leader = try await zkcli("admin", "configuration", "--admin", admin)
    #expect(leader.output.contains("\"client_port\" : \(servers.members[0].ports.client)"), "\(leader.output)")
    #expect(try await zkcli("admin", "--admin", admin).output.contains("/commands/configuration"))
    expect(try await zkcli("admin", "../x", "--admin", admin), status: 2, error: "not a command of an AdminServer")
    expect(try await zkcli("admin", "nonsense", "--admin", admin), status: 10, error: "Unknown command: nonsense")
    try await servers.kill()
  }

  @Test(arguments: ServerKind.allCases) func loadsLeaveNothing(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("bench")
    expect(try await zkcli("create", path), output: "\(path)\n")
    for work in ["read", "write", "mixed", "create"] {
      let run = try await zkcli(
        "bench", work, "-n", "400", "--keys", "50", "--sessions", "2", "--in-flight", "8", "--path", path, "-o", "json",
        "--limit", "10s")
      #expect(run.exitStatus == 0, "\(run.errorOutput)")
      let result = try document(run)
      #expect(result["count"] as? Int == 400)
      #expect(result["failed"] as? Int == 0)
      expect(try await zkcli("ls", path))
    }
    let brief = try await zkcli("bench", "write", "--for", "300ms", "--path", path, "--limit", "10s")
    #expect(brief.exitStatus == 0)
    let seconds = try #require(brief.output.firstMatch(of: /requests in ([0-9.]+) s/), "\(brief.output)").1
    #expect((0.3..<30).contains(try #require(Double(seconds))))
    expect(try await zkcli("ls", path))
    expect(try await zkcli("bench", "write", "-n", "1", "--for", "1s"), status: 2, error: "cannot be combined")
    expect(try await zkcli("bench", "--size", "2M"), status: 2, error: "too large for a request")
    let latency = try rows(try await zkcli("latency", "-n", "5", "-o", "json", "--limit", "10s"))
    #expect(latency.map { $0["request"] as? String } == ["read", "sync"])
    #expect(latency.allSatisfy { $0["count"] as? Int == 5 })
  }

  /// A load that is interrupted or killed leaves nothing either.
  @Test func interruptedLoadsLeaveNothing() async throws {
    let zkcli = Zkcli(server: try await ServerKind.zkcli.connectString)
    let path = uniquePath("interrupted")
    expect(try await zkcli("create", path), output: "\(path)\n")
    let load = try zkcli.start("bench", "write", "--for", "600s", "--path", path)
    defer { load.killAll() }
    _ = try await eventually("a load", within: .seconds(30)) {
      try await zkcli("ls", "-R", path).output.split(separator: "\n").count > 100 ? true : nil
    }
    load.send(signal: SIGINT)
    #expect(try await load.waitForEnd(within: .seconds(30)) == .exited(130))
    expect(try await zkcli("ls", path))
  }

  @Test(arguments: ServerKind.allCases) func topWritesRowsWithoutATerminal(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let run = try await zkcli("top", "-n", "2", "--every", "200ms", "-o", "jsonl", "--limit", "5s")
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 2)
    let second = try #require(try json(String(lines[1])) as? [String: Any])
    #expect(second["receivedPerSecond"] is NSNumber)
    expect(try await zkcli("top", "--every", "1ms"), status: 2, error: "at least 100ms")
  }

  @Test func topFillsATerminal() async throws {
    let server = try await ServerKind.zkcli.connectString
    let terminal = try await Terminal.start(
      try Products.executable("zkcli"), ["-s", server, "top", "--limit", "5s"], columns: 120)
    _ = try await terminal.waitFor("packets/s")
    try await terminal.type("h")
    _ = try await terminal.waitFor("order of the clients")
    try await terminal.type("q")
    _ = try await terminal.waitUntil("the clients again") { !$0.contains("order of the clients") }
    try await terminal.type("q")
    #expect(try await terminal.waitForExit() == 0)
    try await terminal.close()
  }
}
