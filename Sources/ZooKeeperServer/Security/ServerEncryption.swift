import Logging
import NIOCore

/// The encryption of all ports of a server, with its files read.
struct ServerEncryption {
  /// nil if clients cannot encrypt their connections.
  let ofClients: PortEncryption?
  /// nil if connections between servers are in the clear.
  let ofServers: PortEncryption?
  /// nil if connections to the AdminServer are in the clear.
  let ofAdmin: PortEncryption?
  /// nil if the metrics cannot be read over an encrypted connection.
  let ofMetrics: PortEncryption?

  /// All that there are.
  var all: [PortEncryption] { [ofClients, ofServers, ofAdmin, ofMetrics].compactMap(\.self) }

  /// Reads keys and certificates.
  ///
  /// - Throws: when a file cannot be used.
  init(_ configuration: ServerConfiguration, loop: any EventLoop, logger: Logger) throws(ServerStartError) {
    func make(
      _ tls: PortTLS, if isUsed: Bool, _ purpose: String, opensConnections: Bool = false
    ) throws(ServerStartError) -> PortEncryption? {
      guard isUsed else { return nil }
      return try PortEncryption(tls, purpose: purpose, opensConnections: opensConnections, loop: loop, logger: logger)
    }
    ofClients = try make(configuration.clientTLS, if: configuration.usesClientTLS, "the clients' port")
    ofServers = try make(
      configuration.quorumTLS, if: configuration.usesQuorumTLS, "the servers' ports", opensConnections: true)
    ofAdmin = try make(configuration.adminTLS, if: configuration.usesAdminTLS, "the AdminServer's port")
    let metrics = configuration.metrics ?? ServerConfiguration.Metrics()
    ofMetrics = try make(metrics.tls, if: metrics.securePort != nil, "the metrics' port")
  }
}
