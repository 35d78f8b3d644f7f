import Logging
import NIOCore
import NIOPosix
import TransportSecurity
import ZooKeeperProtocol

/// The encryption of one kind of port of a running server: of what is accepted there, and of calls to other servers.
///
/// *Thread*: the event loop; files are read on other threads.
final class PortEncryption: @unchecked Sendable {
  // @unchecked: the contexts are thread-safe, and what is not constant is touched on the loop only.

  /// How often it is looked whether the files have changed.
  private static let reloadInterval = TimeAmount.seconds(2)

  /// How often it is said that there are too many handshakes.
  private static let complaintInterval = TimeAmount.seconds(10)

  private let configuration: PortTLS
  private let accepting: TLSContext
  /// nil for a port whose server opens no connections of the kind, as that of clients.
  private let calling: TLSContext?
  /// The connections whose handshake is under way, by the order in which they were accepted.
  private var handshakes: [UInt64: any Channel] = [:]
  private var acceptedCount: UInt64 = 0
  /// Handshakes that were given up because too many were under way.
  private(set) var exceededCount = 0
  /// Connections in the clear on a port that also accepts encrypted ones.
  private(set) var plainCount = 0
  private var oldestHandshake: UInt64 = 0
  private var lastComplaint = NIODeadline.uptimeNanoseconds(0)
  private let purpose: String
  private let loop: any EventLoop
  private let logger: Logger

  /// Reads the files.
  ///
  /// - Parameters:
  ///   - purpose: whose connections these are, for messages.
  ///   - opensConnections: whether this server also opens such connections.
  /// - Throws: when a file cannot be used.
  init(
    _ configuration: PortTLS, purpose: String, opensConnections: Bool, loop: any EventLoop, logger: Logger
  ) throws(ServerStartError) {
    self.configuration = configuration
    self.purpose = purpose
    self.loop = loop
    self.logger = logger
    let settings = configuration.properties.settings
    do throws(TLSStoreError) {
      accepting = try TLSContext(server: settings)
      calling = opensConnections ? try TLSContext(client: settings) : nil
    } catch {
      throw ServerStartError("TLS of \(purpose): \(error)", hint: error.hint)
    }
    for file in settings.exposedKeyFiles {
      logger.warning("every user of this machine can read a private key", metadata: ["file": "\(file)"])
    }
    warnOfExpirations()
  }

  // MARK: Connections

  /// The number of handshakes that are under way.
  var handshakeCount: Int { handshakes.count }

  /// Prepares a connection that was accepted. If both kinds are allowed, its first byte shows whether it is encrypted.
  ///
  /// - Parameters:
  ///   - isMixed: whether both kinds are allowed on the port.
  ///   - onCertificate: called on the loop with the certificate of the peer, before anything is received; nil if it has
  ///     presented none. Not called for a connection in the clear.
  func accept(
    _ channel: any Channel, isMixed: Bool, onCertificate: @escaping (CertificateDetails?) -> Void = { _ in }
  ) throws {
    let number = beginHandshake(channel)
    let admit = { [self] (certificate: CertificateDetails?) in
      check(certificate, of: channel).assumeIsolated().map { [self] in
        handshakes[number] = nil
        onCertificate(certificate)
      }.nonisolated()
    }
    if isMixed {
      let limit = TimeAmount.milliseconds(clamping: configuration.properties.detectionMilliseconds)
      let detector = TLSDetector(
        accepting, limit: limit,
        onPlain: { [self] in
          handshakes[number] = nil
          plainCount += 1
        }, admit: admit)
      try channel.pipeline.syncOperations.addHandler(detector, position: .first)
    } else {
      try accepting.encryptAccepted(channel, admit: admit)
    }
  }

  /// Notes a connection whose handshake begins. When there are too many, the oldest one is closed: a
  /// client that opens connections and does not go on must not keep others out.
  private func beginHandshake(_ channel: any Channel) -> UInt64 {
    let number = acceptedCount
    acceptedCount += 1
    handshakes[number] = channel
    channel.closeFuture.whenComplete { [weak self] _ in self?.handshakes[number] = nil }
    if handshakes.count > configuration.handshakeLimit {
      while handshakes[oldestHandshake] == nil { oldestHandshake += 1 }
      handshakes.removeValue(forKey: oldestHandshake)?.close(promise: nil)
      exceededCount += 1
      let now = NIODeadline.now()
      guard now - lastComplaint > Self.complaintInterval else { return number }
      lastComplaint = now
      logger.warning(
        "too many handshakes are under way; the oldest are given up",
        metadata: ["purpose": "\(purpose)", "handshakes": "\(configuration.handshakeLimit)"])
    }
    return number
  }

  /// Encrypts a connection to another server.
  func call(_ channel: any Channel, host: String) throws {
    guard let calling else { preconditionFailure("\(purpose): this server opens no such connections") }
    try calling.encrypt(channel, toHost: host)
  }

  /// Checks that a certificate is for the address that a peer connects from, or, if that is allowed, for the name which
  /// that address has.
  ///
  /// *Source*: `ZKTrustManager.performHostVerification`.
  private func check(_ certificate: CertificateDetails?, of channel: any Channel) -> EventLoopFuture<Void> {
    guard configuration.verifiesPeer, let certificate, let address = channel.remoteAddress,
      let number = address.peerAddress
    else { return loop.makeSucceededVoidFuture() }
    if certificate.isFor(host: number) { return loop.makeSucceededVoidFuture() }
    guard configuration.looksUpPeer else {
      return loop.makeFailedFuture(TLSFailure.wrongName(names: certificate.names))
    }
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { HostName.of(address) }.flatMapThrowing { name in
      guard let name, certificate.isFor(host: name) else { throw TLSFailure.wrongName(names: certificate.names) }
    }
  }

  // MARK: Files that change

  /// Looks from time to time whether the files have changed, if that is configured.
  func watchFiles(_ timers: ServerTimers) {
    guard configuration.reloadsFiles else { return }
    timers.every(Self.reloadInterval) { [self] in
      NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [accepting, calling] in
        try (accepting.reload(), calling?.reload() ?? false)
      }.whenComplete { [self] result in
        switch result {
        case .success((false, false)): break
        case .success:
          logger.notice("the certificates were read again", metadata: ["purpose": "\(purpose)"])
          warnOfExpirations()
        case .failure(let error):
          logger.error(
            "changed certificates cannot be used; the former ones stay in use",
            metadata: ["purpose": "\(purpose)", "reason": "\(error)"])
        }
      }
    }
  }

  private func warnOfExpirations() {
    for warning in accepting.expirations.compactMap({ $0.warning(at: Host.wallMilliseconds / 1000) }) {
      logger.warning("\(warning)", metadata: ["purpose": "\(purpose)"])
    }
  }
}
