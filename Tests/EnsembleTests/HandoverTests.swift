import Foundation
import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// A leader that is asked to stop hands over: the others look for another leader at once.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct HandoverTests {
  /// Nothing that was acknowledged is lost. The time without service is that of an election, and not of a time-out:
  /// with a tickTime of ten seconds, every time-out exceeds the limit here.
  @Test(arguments: [SIGTERM, SIGKILL]) func othersElectAtOnce(signal: Int32) async throws {
    try await endLeader(of: [.ours, .ours, .ours], by: signal)
  }

  /// Apache's followers see the end of the connection, and look for another leader, too.
  @Test(.enabled(if: ApacheServer.isInstalled)) func apachesFollowersElectAtOnce() async throws {
    try await endLeader(of: [.apache, .apache, .ours], by: SIGTERM)
  }

  /// Ends the server with the largest id, which leads, while a client of the others writes.
  private func endLeader(of kinds: [MemberKind], by signal: Int32) async throws {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.tickTimeMilliseconds = 10_000
    let ensemble = try await ServerEnsemble.start(configuration, first: [1, 3])
    let leader = try await ensemble.waitForLeader()
    #expect(leader.id == 3)
    let others = ensemble.members.filter { $0.id != leader.id }.map(\.connectString).joined(separator: ",")
    let client = try session(others)
    try await client.connected(failsFast: false)
    try await client.create("/handover")
    let isEnding = Mutex(false)
    let writer = Task {
      var (number, last, gap) = (0, ContinuousClock.now, Duration.zero)
      var names: [String] = []
      while !isEnding.withLock({ $0 }) {
        number += 1
        guard (try? await client.create("/handover/\(number)")) != nil else { continue }
        names.append("\(number)")
        gap = max(gap, ContinuousClock.now - last)
        last = .now
      }
      return (names, gap)
    }
    try await eventually("writes", within: .seconds(60)) { try await client.getChildren("/handover").count > 50 }
    if signal == SIGTERM { try await leader.stop() } else { try await leader.kill() }
    try await eventually("another leader", within: .seconds(60), every: .milliseconds(10)) {
      ensemble.leader.map { $0.id != leader.id } == true
    }
    let before = (try? await client.getChildren("/handover").count) ?? 0
    try await eventually("more writes", within: .seconds(60)) {
      ((try? await client.getChildren("/handover").count) ?? 0) > before + 20
    }
    isEnding.withLock { $0 = true }
    let (names, gap) = await writer.value
    let children = Set(try await client.getChildren("/handover"))
    #expect(Set(names).isSubset(of: children), "\(Set(names).subtracting(children))")
    print("the longest time between two acknowledged writes, after signal \(signal), of \(kinds): \(gap)")
    #expect(gap < .seconds(15))
    if signal == SIGTERM {
      #expect(leader.log.contains("gave up the leadership, to stop") && leader.log.contains("stopped serving"))
      #expect(!leader.log.contains("not answered"))
    }
    await client.close()
    try await ensemble.kill()
  }
}
