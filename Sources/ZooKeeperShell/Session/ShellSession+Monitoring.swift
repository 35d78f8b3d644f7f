import ZooKeeperClient
import ZooKeeperProtocol

/// Commands that ask servers without using the shell's session.
extension ShellSession {
  /// Runs one of them.
  func perform(
    _ command: MonitorCommand, _ invocation: Invocation, _ settings: ShellSettings
  ) async throws -> Outcome {
    if let mistake = self.settings.clusterMistake { throw mistake }
    if tls == nil { tls = try self.settings.tls.context() }
    return try await performWithoutSession(invocation, settings) { try await $0.run(command) }
  }

  /// The identities with which a session would authenticate.
  func credentials() async throws -> [(scheme: String, proof: [UInt8])] {
    var all: [(scheme: String, proof: [UInt8])] = []
    for identity in settings.identities { all.append((identity.scheme, try await secret(of: identity))) }
    return all
  }

  /// Opens a session with one server of the ensemble, at the servers' root.
  func openMember(
    _ server: ServerAddress, _ limit: Duration, _ settings: ShellSettings
  ) async throws -> ZooKeeperClient {
    var own = try await withPassword(self.settings)
    own.connectString = ConnectString(servers: [server])
    own.connectString.requiresTLS = self.settings.connectString.requiresTLS
    own.connectTimeout = limit
    own.timeLimit = settings.timeLimit
    own.waitsForConnection = false
    let client = try await others.open(own, mode: .oneShot)
    for identity in own.identities {
      try await client.withTimeLimit(limit).addAuth(scheme: identity.scheme, auth: try await secret(of: identity))
    }
    return client
  }
}
