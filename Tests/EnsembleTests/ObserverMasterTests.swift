import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Observers that a follower serves in the leader's place, with members of either kind on both sides.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct ObserverMasterTests {
  private func serve(voters: MemberKind, observer: MemberKind) async throws {
    let ensemble = try await ObserverMasterEnsemble.startVoters(
      ObserverMasterEnsemble.configuration(
        voters: voters, observer: observer, port: try LoopbackPorts.reserve()))
    _ = try await ensemble[2].withClient { try await $0.create("/before") }
    try await ensemble[4].launch()
    try await ensemble.waitUntilServing()
    try await ObserverMasterEnsemble.expectMaster(ensemble)
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
    try await ObserverMasterEnsemble.expectMaster(ensemble)
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
