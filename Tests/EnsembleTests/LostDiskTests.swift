import Foundation
import TestKit
import Testing
import ZooKeeperClient

/// `db.autocreate=false`: members that have lost their disks do not make an empty tree the ensemble's.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct LostDiskTests {
  /// An ensemble whose members were told that it is new.
  private func start(_ kinds: [MemberKind]) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.extraLines = ["db.autocreate=false", "preAllocSize=256"]
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    let ensemble = try ServerEnsemble(configuration)
    for member in ensemble.members {
      try Data().write(to: URL(filePath: "\(member.directory)/data/initialize"))
      try await member.launch()
    }
    try await ensemble.waitUntilServing()
    return ensemble
  }

  /// Loses the disks of members 1 and 2, and expects that only the data of member 3 counts.
  private func loseTwo(_ ensemble: ServerEnsemble) async throws {
    for member in ensemble.members {
      #expect(!FileManager.default.fileExists(atPath: "\(member.directory)/data/initialize"))
    }
    try await ensemble[3].withClient { _ = try await $0.create("/kept", data: [1]) }
    try await ensemble.kill()
    for id in [1, 2] {
      try ensemble[id].wipe()
      try await ensemble[id].launch()
    }
    // An election takes some hundred milliseconds.
    try await Task.sleep(for: .seconds(4))
    #expect(ensemble[1].mode == nil && ensemble[2].mode == nil)
    // All three look for a leader, and only one of them has a vote.
    try await ensemble[3].launch()
    try await Task.sleep(for: .seconds(3))
    #expect(ensemble.members.allSatisfy { $0.mode == nil })
    // The administrator says that one of them may vote without its data.
    try await ensemble[1].kill()
    try Data().write(to: URL(filePath: "\(ensemble[1].directory)/data/initialize"))
    try await ensemble[1].launch()
    try await ensemble.waitUntilServing()
    #expect(ensemble.leader?.id == 3)
    for member in ensemble.members {
      #expect(try await member.withClient { try await $0.getData("/kept").data } == [1], "server \(member.id)")
    }
    try await ensemble.expectIdenticalTrees()
    // With the tree, it has a vote like the others, also after a restart.
    try await ensemble[1].kill()
    try await ensemble.waitUntilServing([2, 3])
    try await ensemble[2].kill()
    try await ensemble[2].launch()
    try await ensemble.waitUntilServing([2, 3])
    try await ensemble.kill()
  }

  @Test func oursDoNotElectAnEmptyTree() async throws { try await loseTwo(try await start([.ours, .ours, .ours])) }

  @Test(.enabled(if: ApacheServer.isInstalled)) func neitherDoOursWithApaches() async throws {
    try await loseTwo(try await start([.ours, .apache, .apache]))
  }
}
