import NIOCore
import NIOPosix
import TransportSecurity
import ZooKeeperProtocol

/// How connections to and from other servers are made: in the clear or encrypted.
///
/// *Thread*: the event loop.
struct PeerTransport {
  /// nil for connections in the clear.
  private let encryption: PortEncryption?
  /// Whether this server encrypts the connections that it opens.
  private let encryptsCalls: Bool
  /// Whether other servers may connect in the clear too, while an ensemble changes over.
  private let acceptsBoth: Bool

  init(_ encryption: PortEncryption?, _ configuration: ServerConfiguration) {
    self.encryption = encryption
    encryptsCalls = configuration.encryptsQuorum
    acceptsBoth = configuration.quorumTLS.acceptsBoth
  }

  /// Whether a connection that was accepted may be encrypted.
  var mayAcceptEncrypted: Bool { encryption != nil }

  /// Whether the connections that this server opens are encrypted.
  var callsAreEncrypted: Bool { encryption != nil && encryptsCalls }

  /// Prepares a connection that was accepted, before other handlers are added.
  func accept(_ channel: any Channel) throws { try encryption?.accept(channel, isMixed: acceptsBoth) }

  /// Prepares a connection to an address, before other handlers are added.
  func call(_ channel: any Channel, _ address: ServerAddress) throws {
    if encryptsCalls { try encryption?.call(channel, host: address.host) }
  }

  /// Why a connection was given up, if its encryption was the reason; for the log.
  static func reason(_ error: any Error, on channel: any Channel) -> String? {
    TLSFailure(error, on: channel)?.description(of: "the other server")
  }
}
