import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

extension ServerMember {
  /// How a learner was brought up to date.
  enum Synchronization: String {
    case diff, trunc, snap
  }

  /// Runs `body` with a session on this member alone.
  func withClient<Value>(_ body: (ZooKeeperClient) async throws -> Value) async throws -> Value {
    try await withSession(connectString, body)
  }

  /// Whether the log, from an offset in its text on, tells of a synchronization of this kind.
  func wasSynchronized(by kind: Synchronization, since offset: Int) -> Bool {
    let text = String(log.dropFirst(offset))
    switch (self.kind, kind) {
    case (.ours, _): return text.contains("synchronizing by=\(kind)")
    case (.apache, .diff): return text.contains("Getting a diff from the leader")
    case (.apache, .trunc): return text.contains("Truncating log to get in sync with the leader")
    case (.apache, .snap): return text.contains("Getting a snapshot from leader")
    }
  }

  /// Starts the member, which must then be brought up to date in this way.
  func rejoin(by kind: Synchronization, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let offset = log.count
    try await launch()
    try await eventually("service of server \(id)", within: .seconds(60), every: .milliseconds(10)) { mode != nil }
    // The log has a thread of its own, which may be behind.
    try? await eventually("the log tells how", within: .seconds(60)) { wasSynchronized(by: kind, since: offset) }
    #expect(
      wasSynchronized(by: kind, since: offset), "server \(id), \(kind): \(log.dropFirst(offset))",
      sourceLocation: sourceLocation)
  }

  /// Whether a transaction with this text is in one of the log's files.
  func hasLogged(_ text: String) -> Bool {
    let directory = "\(directory)/data/version-2"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasPrefix("log.") }.contains { name in
      (try? Data(contentsOf: URL(filePath: "\(directory)/\(name)")))?.range(of: Data(text.utf8)) != nil
    }
  }
}

/// Runs `body` with a session on some servers.
func withSession<Value>(
  _ servers: String, timeout: Duration = .seconds(30), _ body: (ZooKeeperClient) async throws -> Value
) async throws -> Value {
  let client = try session(servers, timeout: timeout)
  do {
    try await client.connected(failsFast: false)
    let value = try await body(client)
    await client.close()
    return value
  } catch {
    await client.close(limit: .zero)
    throw error
  }
}

/// A client that begins to connect; the caller closes it.
func session(_ servers: String, timeout: Duration = .seconds(30)) throws -> ZooKeeperClient {
  var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: servers))
  configuration.requestTimeLimit = .seconds(30)
  configuration.sessionTimeout = timeout
  return ZooKeeperClient(configuration)
}

extension ZooKeeperClient {
  /// Every znode with its data and its stat, but for those that servers keep for themselves.
  func wholeTree() async throws -> [String] {
    try await sync("/")
    var lines: [String] = []
    var level = ["/"]
    while !level.isEmpty {
      var next: [String] = []
      for (path, result) in zip(level, await getChildren2(ofAll: level)) {
        next += try result.get().children.map { path == "/" ? "/" + $0 : path + "/" + $0 }
      }
      next.removeAll { $0 == "/zookeeper" }
      lines += try await withThrowingTaskGroup(of: String.self) { [level] group in
        for path in level {
          group.addTask {
            let (data, stat) = try await self.getData(path)
            return "\(path) \(data ?? []) \(stat)"
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      level = next
    }
    return lines.sorted()
  }
}

extension ServerEnsemble {
  /// Waits until all members have applied the same, and expects that to be the same tree, with the same digest.
  func expectIdenticalTrees(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    var trees: [[String]] = []
    do {
      // Sessions end meanwhile, and reading makes new ones: what counts is a moment in which all agree.
      try await eventually("the same tree everywhere", within: .seconds(90), every: .milliseconds(100)) {
        trees = []
        for member in members { trees.append(try await member.withClient { try await $0.wholeTree() }) }
        return trees.allSatisfy { $0 == trees[0] }
      }
    } catch let error as TestKitError where error.code == .timedOut {
      for (member, tree) in zip(members, trees) {
        let difference = Set(tree).symmetricDifference(trees[0]).sorted().prefix(10)
        Issue.record("server \(member.id): \(difference)", sourceLocation: sourceLocation)
      }
    }
    let ours = members.filter { $0.kind == .ours }
    try await eventually("the same digest everywhere", within: .seconds(90), every: .milliseconds(20)) {
      Set(try ours.map { try $0.ask("hash") }).count <= 1
    }
    for member in members where member.kind == .apache {
      var count: String?
      try await eventually("an answer of server \(member.id)", within: .seconds(90)) {
        count = member.figure("digest_mismatches_count")
        return count != nil
      }
      #expect(count == "0", sourceLocation: sourceLocation)
    }
    for member in ours {
      #expect(!member.log.contains("digest differs"), "\(member.log.suffix(1_000))", sourceLocation: sourceLocation)
    }
  }

  /// Creates a znode through every member.
  func writeThroughEach(_ prefix: String) async throws {
    for member in members where member.isRunning {
      try await member.withClient { client in
        let path = try await client.create("\(prefix)-\(member.id)", data: Array("by \(member.id)".utf8))
        #expect(path == "\(prefix)-\(member.id)")
      }
    }
  }

  /// Creates more transactions than a leader keeps in memory.
  func writeMany(_ path: String) async throws {
    try await withSession(connectString) { client in
      try await client.create(path)
      for start in stride(from: 0, to: 2_400, by: 400) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in start..<start + 400 {
            group.addTask { try await client.create("\(path)/n\(number)", data: Array("\(number)".utf8)) }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  /// Leaves a transaction on the leader's disk that no other server has, with that leader dead and another leading.
  ///
  /// The others are held still while the leader writes, and killed as they stand: what is in their sockets is never
  /// read. A leader bears silence for `syncLimit`; on a machine that stands still for as long, all is tried again.
  ///
  /// - Returns: the leader that was, and the path that it alone has.
  func strandTransaction(_ prefix: String) async throws -> (leader: ServerMember, path: String) {
    for attempt in 1...5 {
      let leader = try await waitForLeader()
      let others = members.filter { $0 !== leader && $0.isRunning }
      let path = "\(prefix)-\(attempt)"
      guard try await strand(path, on: leader, without: others) else {
        try await waitUntilServing()
        continue
      }
      for member in others { try await member.launch() }
      try await waitUntilServing(others.map(\.id))
      return (leader, path)
    }
    throw TestKitError(.timedOut, "a leader that writes while the others are held still")
  }

  /// Holds all servers but the leader still and has it write; then nobody runs any more.
  ///
  /// - Returns: false if it has given up before it wrote; then all go on.
  private func strand(_ path: String, on leader: ServerMember, without others: [ServerMember]) async throws -> Bool {
    let client = try session(leader.connectString, timeout: .seconds(60))
    try await client.connected(failsFast: false)
    for member in others { try await member.pause() }
    let write = Task { try? await client.create(path) }
    try await eventually("the end of the write, or of the leader", within: .seconds(60), every: .milliseconds(5)) {
      leader.hasLogged(path) || leader.mode == nil
    }
    let isStranded = leader.hasLogged(path)
    for member in others { if isStranded { try await member.kill() } else { member.resume() } }
    if isStranded { try await leader.kill() }
    await client.close(limit: .zero)
    let answer = await write.value
    #expect(!isStranded || answer == nil)
    return isStranded
  }
}
