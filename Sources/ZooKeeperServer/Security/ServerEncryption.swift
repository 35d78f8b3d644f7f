import Logging
import NIOCore

/// The encryption of all ports of a server, with its files read.
struct ServerEncryption {
  /// nil if clients cannot encrypt their connections.
  let ofClients: PortEncryption?
  /// nil if connections between servers are in the clear.
  let ofServers: PortEncryption?

  /// Reads keys and certificates.
  ///
  /// - Throws: when a file cannot be used.
  init(_ configuration: ServerConfiguration, loop: any EventLoop, logger: Logger) throws(ServerStartError) {
    ofClients =
      configuration.usesClientTLS
      ? try PortEncryption(
        configuration.clientTLS, purpose: "the clients' port", opensConnections: false, loop: loop, logger: logger)
      : nil
    ofServers =
      configuration.usesQuorumTLS
      ? try PortEncryption(
        configuration.quorumTLS, purpose: "the servers' ports", opensConnections: true, loop: loop, logger: logger)
      : nil
  }
}
