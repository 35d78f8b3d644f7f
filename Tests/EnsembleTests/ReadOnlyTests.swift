import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// A member without a quorum serves read-only clients.
@Suite(.timeLimit(.minutes(5)))
struct ReadOnlyTests {
  @Test func readsAreServedWithoutAQuorum() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.extraLines = ["readonlymode.enabled=true"]
    configuration.hasAdminServers = true
    let ensemble = try await ServerEnsemble.start(configuration)
    try await ensemble[1].withClient { _ = try await $0.create("/a", data: [7]) }
    try await ensemble[2].kill()
    try await ensemble[3].kill()
    try await eventually("read-only service", within: .seconds(60)) { ensemble[1].mode == "read-only" }
    try expectAdminServer(of: ensemble[1], saysReadOnly: true)

    var settings = ZooKeeperClient.Configuration(try ConnectString(parsing: ensemble[1].connectString))
    settings.allowsReadOnly = true
    let client = ZooKeeperClient(settings)
    try await client.connected()
    #expect(try await client.getData("/a").data == [7])
    let error = await #expect(throws: ZooKeeperError.self) { try await client.setData("/a", data: [8]) }
    #expect(error?.keeperError == .notReadOnly)
    await client.close()

    try await ensemble[2].launch()
    try await ensemble.waitForLeader()
    try await ensemble.waitUntilServing([1, 2])
    try await ensemble[1].withClient { client in
      try await client.setData("/a", data: [9])
      #expect(try await client.getData("/a").data == [9])
    }
    try expectAdminServer(of: ensemble[1], saysReadOnly: false)
  }

  /// *Source*: `admin.Commands.IsroCommand`, `StatCommand`, `SrvrCommand`.
  private func expectAdminServer(of member: ServerMember, saysReadOnly isReadOnly: Bool) throws {
    #expect(try member.admin("is_read_only")["read_only"] as? Bool == isReadOnly)
    for command in ["stats", "server_stats"] {
      #expect(try member.admin(command)["read_only"] as? Bool == isReadOnly, "\(command)")
    }
  }
}
