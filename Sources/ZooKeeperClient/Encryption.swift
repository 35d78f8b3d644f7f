import NIOCore
import TransportSecurity
import ZooKeeperProtocol

/// How the connections of a client are encrypted, if they are.
struct Encryption: Sendable {
  /// nil for connections in the clear.
  private let context: TLSContext?
  /// Whether the connect string asks for TLS, and the system's authorities could not be read.
  private let isMissing: Bool

  /// - Parameters:
  ///   - context: what the program has configured.
  ///   - isRequired: whether the connect string asks for TLS. Without a configuration, the authorities that the
  ///     operating system trusts are asked for.
  ///
  /// *Thread*: any that may block, since the system's authorities are read from files.
  init(_ context: TLSContext?, isRequired: Bool) {
    guard context == nil, isRequired else {
      self.context = context
      isMissing = false
      return
    }
    self.context = try? TLSContext(client: TLSSettings())
    isMissing = self.context == nil
  }

  /// Adds the encryption to a channel that is about to connect to a server.
  func encrypt(_ channel: any Channel, to server: ServerAddress) throws {
    if isMissing { throw TLSFailure.other("the certificates that the system trusts cannot be read") }
    guard let context else { return }
    do {
      try context.encrypt(channel, toHost: server.host)
    } catch {
      throw TLSFailure(error, on: channel) ?? .other("\(error)")
    }
  }
}
