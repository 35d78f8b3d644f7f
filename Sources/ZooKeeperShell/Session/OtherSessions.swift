import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol

/// Sessions with ensembles other than the one that the shell is connected to, for commands that copy or compare.
///
/// *Thread*: any.
final class OtherSessions: Sendable {
  private let clients = Mutex<[ZooKeeperClient]>([])

  /// Opens a session. The identities of the present session are not used, because secrets of one ensemble must not be
  /// sent to another.
  ///
  /// - Throws: `cannotConnect` or the error of the authentication.
  func open(_ ensemble: ConnectString, _ settings: ShellSettings, mode: RunMode) async throws -> ZooKeeperClient {
    var settings = settings
    settings.connectString = ensemble
    settings.identities = []
    settings.clusterMistake = nil
    settings.tls.isWanted = ensemble.requiresTLS
    if settings.cluster != nil { settings.sasl = nil }
    return try await open(settings, mode: mode)
  }

  /// Opens a session with the servers of these settings.
  ///
  /// - Throws: `cannotConnect` or the error of the authentication.
  func open(_ settings: ShellSettings, mode: RunMode) async throws -> ZooKeeperClient {
    let client = ZooKeeperClient(
      settings.clientConfiguration(mode: mode, tls: try settings.tls.context()) { _ in })
    clients.withLock { $0.append(client) }
    try await client.withTimeLimit(settings.connectTimeout + .seconds(1))
      .connected(failsFast: !settings.waitsForConnection)
    return client.withTimeLimit(settings.timeLimit)
  }

  /// Closes all of them.
  func close() async {
    let clients = clients.withLock { clients in
      defer { clients = [] }
      return clients
    }
    for client in clients { await client.close() }
  }
}
