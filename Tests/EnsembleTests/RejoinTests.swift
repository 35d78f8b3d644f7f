import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Members that were away come back: with what they lack, without what they should not have, or with a whole new tree.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct RejoinTests {
  /// What ours are told besides: small files, which the tests search.
  static let lines = ["preAllocSize=256"]

  private func start(_ kinds: [MemberKind], observers: Set<Int> = []) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.observers = observers
    configuration.extraLines = Self.lines
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    configuration.syncLimit = 20
    return try await ServerEnsemble.start(configuration, first: [2, 3])
  }

  /// Kills the leader, lets the others go on, and takes it back.
  private func replaceLeader(_ ensemble: ServerEnsemble, _ prefix: String) async throws {
    let first = try await ensemble.waitForLeader()
    try await first.kill()
    let second = try await ensemble.waitForLeader()
    #expect(second !== first)
    try await ensemble.waitUntilServing(ensemble.members.filter { $0 !== first }.map(\.id))
    try await ensemble.writeThroughEach(prefix)
    try await first.rejoin(by: .diff)
    try await first.withClient { client in
      try await client.sync("/")
      #expect(try await client.getData("\(prefix)-\(second.id)").data == Array("by \(second.id)".utf8))
    }
  }

  /// Leaves a transaction on the leader alone, which must be gone when it has come back.
  private func truncate(_ ensemble: ServerEnsemble, _ prefix: String) async throws {
    let (stranded, path) = try await ensemble.strandTransaction(prefix)
    try await stranded.rejoin(by: .trunc)
    for member in ensemble.members {
      #expect(try await member.withClient { try await $0.exists(path) } == nil, "server \(member.id)")
    }
    #expect(!stranded.hasLogged(path))
  }

  @Test func threeOfOurs() async throws {
    let ensemble = try await start([.ours, .ours, .ours])
    try await ensemble.writeThroughEach("/first")
    try await replaceLeader(ensemble, "/second")
    try await truncate(ensemble, "/stranded")
    try await ensemble.writeMany("/many")
    let follower = try #require(ensemble.members.first { $0.mode == "follower" })
    try await follower.kill()
    try follower.wipe()
    try await follower.rejoin(by: .snap)
    try await ensemble.writeThroughEach("/last")
    try await ensemble.expectIdenticalTrees()
    // The disks say the same as the memories.
    for member in ensemble.members { try await member.stop() }
    for member in ensemble.members { try await member.launch() }
    try await ensemble.waitUntilServing()
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  /// A follower that lacks more than its leader has in memory gets it from the leader's log, not the whole tree.
  private func rejoinFromTheLog(_ kinds: [MemberKind]) async throws {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.extraLines = Self.lines + ["snapshotSizeFactor=0", "commitLogCount=500"]
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    configuration.syncLimit = 20
    let ensemble = try await ServerEnsemble.start(configuration, first: [2, 3])
    #expect(ensemble.leader?.id == 3)
    try await ensemble.writeThroughEach("/first")
    try await ensemble[1].kill()
    try await ensemble.waitUntilServing([2, 3])
    try await withSession(ensemble[3].connectString) { client in
      try await client.create("/many")
      for start in stride(from: 0, to: 3_000, by: 500) {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in start..<start + 500 { group.addTask { try await client.create("/many/n\(number)") } }
          try await group.waitForAll()
        }
      }
    }
    // What is written while it catches up reaches it too.
    let writing = Task {
      try await withSession(ensemble[3].connectString) { client in
        for number in 0..<300 { try await client.create("/more-\(number)") }
      }
    }
    try await ensemble[1].rejoin(by: .diff)
    try await writing.value
    if kinds[2] == .ours {
      try await eventually("the log tells it", every: .milliseconds(50)) {
        ensemble[3].log.contains("a learner is sent a part of the log")
      }
    }
    try await ensemble.expectIdenticalTrees()
    // Its disk says the same as its memory. An Apache server that had to begin the synchronization anew would have
    // transactions in its log twice, and count digest mismatches as it reads them.
    try await ensemble[1].kill()
    try await ensemble[1].rejoin(by: .diff)
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test func oursGetTheLogOfOurs() async throws { try await rejoinFromTheLog([.ours, .ours, .ours]) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func anApacheGetsTheLogOfOurs() async throws {
    try await rejoinFromTheLog([.apache, .ours, .ours])
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursGetTheLogOfAnApache() async throws {
    try await rejoinFromTheLog([.ours, .apache, .apache])
  }

  /// A leader that is busy writing snapshots sends its tree to who needs it.
  @Test func aTreeIsSentWhileSnapshotsAreWritten() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.extraLines = Self.lines + ["snapCount=20"]
    configuration.tickTimeMilliseconds = 500
    let ensemble = try await ServerEnsemble.start(configuration)
    try await ensemble.writeMany("/many")
    let leader = try await ensemble.waitForLeader()
    let learner = try #require(ensemble.members.first { $0 !== leader })
    let writing = Task {
      try await withSession(leader.connectString) { client in
        while !Task.isCancelled {
          for number in 0..<20 { try await client.setData("/many/n\(number)", data: [1]) }
          // Others want the machine as well.
          try await Task.sleep(for: .milliseconds(5))
        }
      }
    }
    for _ in 0..<2 {
      try await learner.kill()
      try learner.wipe()
      try await learner.rejoin(by: .snap)
    }
    writing.cancel()
    _ = await writing.result
    #expect(leader.isRunning && leader.mode == "leader")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursFollowAndObserveApaches() async throws {
    let ensemble = try await start([.ours, .apache, .apache, .ours], observers: [4])
    #expect(ensemble.leader?.id == 3)
    #expect(ensemble[1].mode == "follower" && ensemble[4].mode == "observer")
    try await ensemble.writeThroughEach("/first")
    for member in [ensemble[1], ensemble[4]] {
      try await member.kill()
      try await ensemble[2].withClient { _ = try await $0.create("/without-\(member.id)") }
      try await member.rejoin(by: .diff)
    }
    try await replaceLeader(ensemble, "/second")
    try await ensemble.writeMany("/many")
    for member in [ensemble[1], ensemble[4]] {
      try await member.kill()
      try member.wipe()
      try await member.rejoin(by: .snap)
    }
    try await ensemble.writeThroughEach("/last")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursLeadsTwoOfApaches() async throws {
    let ensemble = try await start([.apache, .apache, .ours])
    #expect(ensemble.leader?.id == 3)
    try await ensemble.writeThroughEach("/first")
    // Apache's second server leads next, and cuts ours; then ours leads and cuts that one.
    try await truncate(ensemble, "/stranded-on-ours")
    #expect(ensemble.leader?.kind == .apache)
    try await truncate(ensemble, "/stranded-on-apaches")
    try await ensemble.writeThroughEach("/second")
    try await replaceLeader(ensemble, "/third")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func apachesJoinsTwoOfOurs() async throws {
    var configuration = ServerEnsemble.Configuration([.apache, .ours, .ours])
    configuration.extraLines = Self.lines
    configuration.tickTimeMilliseconds = 1000
    let ensemble = try ServerEnsemble(configuration)
    for member in ensemble.members[1...] { try await member.launch() }
    try await ensemble.waitUntilServing([2, 3])
    try await ensemble.writeThroughEach("/first")
    try await ensemble[1].rejoin(by: .diff)
    try await replaceLeader(ensemble, "/second")
    try await ensemble.writeMany("/many")
    try await ensemble[1].kill()
    try ensemble[1].wipe()
    try await ensemble[1].rejoin(by: .snap)
    try await ensemble.writeThroughEach("/last")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }
}
