import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Local sessions on members of either kind, under leaders of either kind.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct LocalSessionTests {
  private func start(_ kinds: [MemberKind], upgrades: Bool) async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration(kinds)
    configuration.extraLines =
      RejoinTests.lines + ["localSessionsEnabled=true", "localSessionsUpgradingEnabled=\(upgrades)"]
    configuration.tickTimeMilliseconds = kinds.contains(.apache) ? 1000 : 500
    let ensemble = try await ServerEnsemble.start(configuration, first: [2, 3])
    #expect(ensemble.leader?.id == 3)
    return ensemble
  }

  /// Through each member in turn: a session without a transaction writes, and the others see it.
  private func write(_ ensemble: ServerEnsemble) async throws {
    for member in ensemble.members {
      try await member.withClient { client in
        try await client.create("/by-\(member.id)", data: [1])
        #expect(member.figure("local_sessions") == "1", "server \(member.id)")
        #expect(member.figure("global_sessions") == "0", "server \(member.id)")
        // Apache's count of sets includes those that have become empty.
        let dump = try member.ask("dump")
        #expect(dump.contains(/Local Session Sets \(\d+\)\/\(1\):/), "server \(member.id): \(dump)")
      }
      try await eventually("the end of the session", within: .seconds(60), every: .milliseconds(20)) {
        member.figure("local_sessions") == "0" ? () : nil
      }
    }
    try await ensemble.expectIdenticalTrees()
  }

  private func upgrade(_ kinds: [MemberKind]) async throws {
    let ensemble = try await start(kinds, upgrades: true)
    try await write(ensemble)
    for member in ensemble.members {
      try await member.withClient { client in
        try await client.create("/e-\(member.id)", mode: .ephemeral)
        let session = await client.snapshot().sessionID
        #expect(try await client.exists("/e-\(member.id)")?.ephemeralOwner == session)
        #expect(member.figure("local_sessions") == "0" && member.figure("global_sessions") == "1")
      }
      for other in ensemble.members {
        try await other.withClient { client in
          try await client.sync("/")
          #expect(try await client.exists("/e-\(member.id)") == nil)
        }
      }
    }
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  private func refuse(_ kinds: [MemberKind]) async throws {
    let ensemble = try await start(kinds, upgrades: false)
    for member in ensemble.members {
      try await member.withClient { client in
        do {
          try await client.create("/e-\(member.id)", mode: .ephemeral)
          Issue.record("server \(member.id) has created an ephemeral of a local session")
        } catch let error as ZooKeeperError {
          #expect(error.keeperError == .ephemeralOnLocalSession, "server \(member.id)")
        }
        try await client.create("/p-\(member.id)")
      }
    }
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  @Test func ours() async throws {
    try await upgrade([.ours, .ours, .ours])
    try await refuse([.ours, .ours, .ours])
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func anApacheUnderOurs() async throws {
    try await upgrade([.apache, .ours, .ours])
    try await refuse([.apache, .ours, .ours])
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func oursUnderAnApache() async throws {
    try await upgrade([.ours, .apache, .apache])
    try await refuse([.ours, .apache, .apache])
  }
}
