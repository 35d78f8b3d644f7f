package import TransportSecurity
package import ZooKeeperClient
package import ZooKeeperProtocol

/// An ensemble on the page.
package struct WebCluster: Sendable {
  package var name: String
  /// The servers and the chroot.
  package var connectString: ConnectString
  /// Whether each change needs the cluster's name as a confirmation.
  package var isProtected = false
  /// Whether changes are refused.
  package var isReadOnly = false
  /// The largest request that the servers accept, in bytes: their `jute.maxbuffer`.
  package var requestBytes = 0xfffff
  /// The TLS context for asking its servers without a session; nil for connections in the clear.
  package var tls: @Sendable () throws -> TLSContext?
  /// Opens a session. The watcher is called on the event loop with the events of the session and of its watches.
  package var open: @Sendable (@escaping @Sendable (WatchEvent) -> Void) async throws -> ZooKeeperClient
  /// Opens a session with one of the servers.
  package var openMember: @Sendable (ServerAddress, Duration) async throws -> ZooKeeperClient

  /// The largest reply that a session must accept, in bytes: the names of a million children.
  package static let replyBytes = 64 << 20

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
