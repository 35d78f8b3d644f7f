import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// An ensemble that loses its members one by one.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct EnsembleTests {
  @Test func sessionMovesAndReadsGoOnWithoutAQuorum() async throws {
    var configuration = ApacheConfiguration.permissive
    configuration.systemProperties["readonlymode.enabled"] = "true"
    configuration.extraLines = ["localSessionsEnabled=true", "localSessionsUpgradingEnabled=true"]
    let ensemble = try await ApacheEnsemble.start(configuration)
    let log = EventLog()
    let change: (inout ZooKeeperClient.Configuration) -> Void = {
      $0.sessionTimeout = .seconds(20)
      $0.allowsReadOnly = true
      $0.defaultWatcher = log.handler
    }
    try await withClient(ensemble.connectString, change) { client in
      try await client.create("/moved", data: [1], mode: .ephemeral)
      let before = await client.snapshot()
      let events = try await client.watchData("/moved").events
      let first = try #require(ensemble.members.firstIndex { $0.connectString == before.server?.description })
      try await ensemble.members[first].kill()
      try await Self.retrying { try await client.setData("/moved", data: [2]) }
      let after = await client.snapshot()
      #expect(after.sessionID == before.sessionID)
      #expect(after.server != before.server)
      #expect(try await client.exists("/moved")?.ephemeralOwner == before.sessionID)
      #expect(try await events.changes() == ["NodeDataChanged /moved"])
      await client.close()
      try await Self.readOnly(ensemble, without: first)
    }
  }

  /// Two of three are gone; the one that is left can only read, until another comes back.
  static func readOnly(_ ensemble: ApacheEnsemble, without first: Int) async throws {
    let rest = ensemble.members.indices.filter { $0 != first }
    try await ensemble.members[rest[0]].kill()
    let last = ensemble.members[rest[1]]
    try await eventually("read-only mode", within: .seconds(60), every: .milliseconds(100)) {
      last.mode == "read-only" ? () : nil
    }
    let log = EventLog()
    let change: (inout ZooKeeperClient.Configuration) -> Void = {
      $0.allowsReadOnly = true
      $0.defaultWatcher = log.handler
    }
    try await withClient(ensemble.connectString, change) { client in
      #expect(await client.snapshot().state == .connectedReadOnly)
      #expect(try await client.getChildren("/").contains("zookeeper"))
      await expectRefusal(.notReadOnly) { try await client.create("/refused") }
      await expectRefusal(.notReadOnly) { try await client.setData("/", data: nil) }
      try await ensemble.members[first].restart()
      try await eventually("a server that can write", within: .seconds(60), every: .milliseconds(50)) {
        await client.snapshot().state == .syncConnected ? () : nil
      }
      try await retrying { try await client.create("/written") }
      #expect(log.states.first == .connectedReadOnly)
    }
  }

  /// Tries again while the connection is being lost.
  @discardableResult
  static func retrying<Value>(_ body: () async throws -> Value) async throws -> Value {
    try await eventually("an answer", within: .seconds(60), every: .milliseconds(50)) {
      do {
        return try await body()
      } catch let error as ZooKeeperError where error.keeperError == .connectionLoss {
        return nil
      }
    }
  }
}
