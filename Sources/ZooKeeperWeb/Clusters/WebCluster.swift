package import TransportSecurity
package import ZooKeeperClient
package import ZooKeeperProtocol

/// An ensemble that is shown.
package struct WebCluster: Sendable {
  package var name: String
  /// The servers, and a path that is the root.
  package var connectString: ConnectString
  /// Whether each change needs the cluster's name as a confirmation.
  package var isProtected = false
  /// Whether nothing may be changed.
  package var isReadOnly = false
  /// How its servers are asked without a session; nil for connections in the clear.
  package var tls: @Sendable () throws -> TLSContext?
  /// Opens a session. The watcher is called on the event loop with what happens to the session and its watches.
  package var open: @Sendable (@escaping @Sendable (WatchEvent) -> Void) async throws -> ZooKeeperClient
  /// Opens a session with one of the servers.
  package var openMember: @Sendable (ServerAddress, Duration) async throws -> ZooKeeperClient

  package init(
    name: String, connectString: ConnectString, tls: @escaping @Sendable () throws -> TLSContext?,
    open: @escaping @Sendable (@escaping @Sendable (WatchEvent) -> Void) async throws -> ZooKeeperClient,
    openMember: @escaping @Sendable (ServerAddress, Duration) async throws -> ZooKeeperClient
  ) {
    self.name = name
    self.connectString = connectString
    self.tls = tls
    self.open = open
    self.openMember = openMember
  }
}
