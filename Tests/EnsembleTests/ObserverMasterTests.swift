import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Observers that a follower serves in the leader's place, with members of either kind on both sides.
///
/// All members have the same address, and so only server 1 has the port; every observer finds it there, whichever
/// voter it means to call.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ObserverMasterTests {
  private func start(voters: MemberKind, observer: MemberKind) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration([voters, voters, voters, observer])
    configuration.observers = [4]
    configuration.extraLines = RejoinTests.lines
    configuration.tickTimeMilliseconds = 1000
    configuration.syncLimit = 20
    let port = "observerMasterPort=\(try LoopbackPorts.reserve())"
    configuration.ownLines = [1: [port], 4: [port]]
    let ensemble = try ServerEnsemble(configuration)
    for id in [2, 3] { try await ensemble[id].launch() }
    try await ensemble.waitUntilServing([2, 3])
    try await ensemble[1].launch()
    try await ensemble.waitUntilServing([1, 2, 3])
    #expect(ensemble.leader?.id == 3)
    return ensemble
  }

  /// Expects that the observer is connected to server 1, and not to the leader.
  private func expectMaster(_ ensemble: ServerEnsemble) async throws {
    try await eventually("an observer at the follower", within: .seconds(20), every: .milliseconds(20)) {
      ensemble[1].figure("synced_observers") == "1"
    }
    #expect(ensemble[3].figure("synced_observers") == "0")
  }

  private func serve(voters: MemberKind, observer: MemberKind) async throws {
    let ensemble = try await start(voters: voters, observer: observer)
    _ = try await ensemble[2].withClient { try await $0.create("/before") }
    try await ensemble[4].launch()
    try await ensemble.waitUntilServing()
    try await expectMaster(ensemble)
    try await ensemble.writeThroughEach("/first")
    try await ensemble[4].withClient { client in
      try await client.create("/e", mode: .ephemeral)
      _ = try await ensemble[3].withClient { try await $0.setData("/first-1", data: [7]) }
      try await client.sync("/")
      #expect(try await client.getData("/first-1").data == [7])
    }
    try await ensemble.expectIdenticalTrees()
    #expect(try await ensemble[3].withClient { try await $0.exists("/e") } == nil)

    try await ensemble[4].kill()
    _ = try await ensemble[2].withClient { try await $0.create("/without") }
    try await ensemble[4].rejoin(by: .diff)
    try await ensemble[4].kill()
    try ensemble[4].wipe()
    try await ensemble.writeMany("/many")
    try await ensemble[4].rejoin(by: .snap)
    try await expectMaster(ensemble)
    try await ensemble.writeThroughEach("/second")
    try await ensemble.expectIdenticalTrees()

    // The follower ends, and comes again.
    try await ensemble[1].kill()
    _ = try await ensemble[2].withClient { try await $0.create("/alone") }
    if observer == .ours {
      try await eventually("the observer at the leader", within: .seconds(60), every: .milliseconds(50)) {
        ensemble[3].figure("synced_observers") == "1"
      }
    }
    try await ensemble[1].launch()
    try await ensemble.waitUntilServing()
    try await ensemble.writeThroughEach("/third")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test func oursAtOurs() async throws { try await serve(voters: .ours, observer: .ours) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursAtApaches() async throws {
    try await serve(voters: .apache, observer: .ours)
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func apachesAtOurs() async throws {
    try await serve(voters: .ours, observer: .apache)
  }
}
