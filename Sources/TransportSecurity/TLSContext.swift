package import NIOCore
import NIOSSL
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keys and certificates that were read and are ready for use: it makes the handlers that encrypt connections.
///
/// It is expensive to make, because it reads files, and is shared by all connections of a client or of a port.
///
/// *Thread*: any.
public final class TLSContext: Sendable {
  /// Which side of a connection it is for.
  private enum Side {
    case client, server
  }

  private struct State {
    var context: NIOSSLContext
    var expirations: [CertificateExpiration]
    var stamps: [String: SmallFile.Stamp]
  }

  package let settings: TLSSettings
  private let side: Side
  private let state: Mutex<State>

  /// Reads the files for the clients' side of connections.
  ///
  /// *Thread*: any that may block.
  public convenience init(client settings: TLSSettings) throws(TLSStoreError) { try self.init(settings, .client) }

  /// Reads the files for the servers' side of connections. There must be an identity.
  ///
  /// *Thread*: any that may block.
  package convenience init(server settings: TLSSettings) throws(TLSStoreError) { try self.init(settings, .server) }

  private init(_ settings: TLSSettings, _ side: Side) throws(TLSStoreError) {
    self.settings = settings
    self.side = side
    state = Mutex(try Self.load(settings, side))
  }

  // MARK: Handlers

  /// How long a handshake may take. A connection that does not get further must not be kept.
  private static let handshakeLimit = TimeAmount.seconds(10)

  /// Adds encryption to a new connection to a server. Bytes that are written meanwhile wait for the handshake.
  ///
  /// - Parameter host: the name or numeric address that is connected to, for which the certificate must be.
  package func encrypt(_ channel: any Channel, toHost host: String) throws {
    let name = settings.serverName ?? host
    // An address cannot be in the extension of TLS that carries the name.
    let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
    let context = state.withLock(\.context)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name))
    let loop = channel.eventLoop
    let verifiesName = settings.verifiesName && settings.trust != .anybody
    try pipeline.addHandler(
      PeerAdmission(limit: Self.handshakeLimit) { certificate in
        guard verifiesName else { return loop.makeSucceededVoidFuture() }
        guard let certificate, certificate.isFor(host: name) else {
          return loop.makeFailedFuture(TLSFailure.wrongName(names: certificate?.names ?? []))
        }
        return loop.makeSucceededVoidFuture()
      })
  }

  /// Adds encryption to a connection that was accepted. Nothing is received before the peer is admitted.
  ///
  /// - Parameters:
  ///   - former: the handler after which encryption begins; nil if nothing comes before it.
  ///   - admit: decides about the peer by its certificate; nil if it has none. It fails with a `TLSFailure`.
  package func encryptAccepted(
    _ channel: any Channel, after former: (any ChannelHandler)? = nil,
    admit: @escaping (CertificateDetails?) -> EventLoopFuture<Void>
  ) throws {
    let context = state.withLock(\.context)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(
      PeerAdmission(limit: Self.handshakeLimit, admit), position: former.map { .after($0) } ?? .first)
    try pipeline.addHandler(NIOSSLServerHandler(context: context), position: former.map { .after($0) } ?? .first)
  }

  /// The fields of the certificate that the other end has presented; nil if it has presented none.
  ///
  /// *Thread*: the channel's event loop.
  package static func peerCertificate(of channel: any Channel) -> CertificateDetails? {
    (try? channel.pipeline.syncOperations.nioSSL_peerCertificate())?.details
  }

  // MARK: Files that change

  /// When the certificates in use cease to be valid.
  package var expirations: [CertificateExpiration] { state.withLock(\.expirations) }

  /// Reads the files again if they have changed, for use by new connections. If they cannot be used, the previous
  /// contents stay in use.
  ///
  /// *Thread*: any that may block.
  ///
  /// - Returns: whether something has changed.
  package func reload() throws(TLSStoreError) -> Bool {
    let stamps = Self.stamps(of: settings)
    let isChanged = state.withLock { state in
      defer { state.stamps = stamps }
      return state.stamps != stamps
    }
    guard isChanged else { return false }
    var next = try Self.load(settings, side)
    next.stamps = stamps
    state.withLock { [next] in $0 = next }
    return true
  }

  private static func stamps(of settings: TLSSettings) -> [String: SmallFile.Stamp] {
    var stamps: [String: SmallFile.Stamp] = [:]
    for file in settings.files { stamps[file] = SmallFile.Stamp(file) }
    return stamps
  }

  // MARK: Configuration

  private static func load(_ settings: TLSSettings, _ side: Side) throws(TLSStoreError) -> State {
    let stamps = stamps(of: settings)
    let material = try KeyMaterial(settings)
    var configuration: TLSConfiguration
    switch side {
    case .client:
      configuration = .makeClientConfiguration()
      configuration.certificateVerification =
        settings.trust == .anybody ? .none : .noHostnameVerification
    case .server:
      guard let key = material.key else { throw TLSStoreError("", "a server needs a certificate and its private key") }
      configuration = .makeServerConfiguration(
        certificateChain: [], privateKey: .privateKey(key))
      configuration.certificateVerification = clientVerification(settings)
    }
    configuration.certificateChain = material.chain.map { .certificate($0) }
    configuration.privateKey = material.key.map { .privateKey($0) }
    configuration.trustRoots = material.roots.map { .certificates($0) } ?? .default
    configuration.minimumTLSVersion = settings.versions.lowerBound == .tls12 ? .tlsv12 : .tlsv13
    configuration.maximumTLSVersion = settings.versions.upperBound == .tls12 ? .tlsv12 : .tlsv13
    // A peer that does not answer the end of the encryption must not keep its connection for seconds.
    configuration.shutdownTimeout = .seconds(1)
    let suites = CipherSuites.parse(settings.cipherSuites).suites
    if !suites.isEmpty { configuration.cipherSuiteValues = suites }
    do {
      let context = try NIOSSLContext(configuration: configuration)
      return State(context: context, expirations: material.expirations, stamps: stamps)
    } catch {
      throw TLSStoreError(settings.files.first ?? "TLS", "its keys or certificates cannot be used: \(error)")
    }
  }

  private static func clientVerification(_ settings: TLSSettings) -> CertificateVerification {
    switch settings.clientAuthentication {
    case .none: .none
    case .want: settings.trust == .anybody ? .none : .optionalVerification
    case .need: settings.trust == .anybody ? .none : .noHostnameVerification
    }
  }
}

extension TLSSettings {
  /// All files that the settings name.
  package var files: [String] {
    var stores: [TLSStore] = []
    if case .store(let store) = trust { stores.append(store) }
    switch identity {
    case .store(let store): stores.append(store)
    case .pair(let certificate, let key): stores += [TLSStore(file: certificate), key]
    case nil: break
    }
    return stores.flatMap { store in
      if case .file(let password) = store.password { [store.file, password] } else { [store.file] }
    }
  }

  /// The files with private keys that every user of the machine can read.
  package var exposedKeyFiles: [String] {
    switch identity {
    case .store(let store): SmallFile.isReadableByAll(store.file) ? [store.file] : []
    case .pair(_, let key): SmallFile.isReadableByAll(key.file) ? [key.file] : []
    case nil: []
    }
  }
}
