import GSSAPI
import Jute
import Logging
import NIOCore
import NIOPosix
import SASL
import ZooKeeperProtocol

/// Authenticates the two ends of a connection between servers, and then leaves the pipeline.
///
/// On an election connection this follows the greeting; on that of a learner, nothing comes before it. What arrives
/// after the exchange is passed on. DIGEST-MD5 is computed at once; Kerberos runs on a thread.
///
/// *Source*: `org.apache.zookeeper.server.quorum.auth.SaslQuorumAuthServer`, `SaslQuorumAuthLearner`.
///
/// *Thread*: the server's event loop.
final class QuorumAuthGate: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only, except for a step of Kerberos, one at a time.

  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// Which end this server is.
  enum Side {
    /// Another server has connected; the members name the hosts that may.
    case accepting(ServerConfiguration.QuorumAuthentication, QuorumConfiguration)
    case loggingIn(ServerConfiguration.QuorumAuthentication, host: String)
  }

  private enum Mechanism {
    case digestServer(DigestMD5Server)
    case digestClient(DigestMD5Client)
    case kerberosServer(GSSAPIServer)
    case kerberosClient(GSSAPIClient)
  }

  /// Called when the connection may be used. It may add handlers after this one.
  var onPassed: (() throws -> Void)?
  /// Called in place of `onRefused` when a server that need not authenticate has left without saying anything.
  var onLeft: (() -> Void)?
  /// Called when it may not; it is closed already.
  var onRefused: (() -> Void)?
  private let side: Side
  private let limit: TimeAmount
  private let logger: Logger
  private var mechanism: Mechanism?
  private var received = ByteBuffer()
  private var context: ChannelHandlerContext?
  private var timer: Scheduled<Void>?
  /// Whether a token is with the mechanism.
  private var isThinking = false
  /// Whether the mechanism needs no further token, and only the other end's confirmation is missing.
  private var isLast = false
  private var isOver = false

  init(_ side: Side, limit: TimeAmount, logger: Logger) {
    self.side = side
    self.limit = limit
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
      self?.refuse(SASLError(.unavailable, "the exchange takes too long"))
    }
    guard case .loggingIn(let authentication, let host) = side else { return }
    switch authentication.learner {
    case .digest(let login):
      mechanism = .digestClient(
        DigestMD5Client(
          user: login.username ?? "", password: login.password ?? "", service: DigestMD5.quorumService,
          serverName: DigestMD5.quorumServerName, clientNonce: Nonce.make()))
      send(.inProgress, [])
    case .kerberos(let login):
      mechanism = .kerberosClient(GSSAPIClient(login, .principal(authentication.principal(of: host))))
      think([])
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data)) }

  /// Takes bytes from the other end.
  func take(_ bytes: ByteBuffer) {
    var bytes = bytes
    received.writeBuffer(&bytes)
    guard received.readableBytes <= 2 * GSSAPIClient.tokenLimitBytes else {
      return refuse(SASLError(.malformed, "it has sent \(received.readableBytes) bytes"))
    }
    readPackets()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if mayBeUnauthenticated, received.readableBytes == 0, let onLeft {
      // A server that does not authenticate has said all that it had to say before the exchange.
      isOver = true
      timer?.cancel()
      onLeft()
    }
    if !isOver { refuse(SASLError(.unavailable, "the other server has closed the connection")) }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func readPackets() {
    while !isThinking, !isOver, received.readableBytes >= 8 {
      guard received.getInteger(at: received.readerIndex, as: Int64.self) == QuorumAuthPacket.magic else {
        return onOtherBytes()
      }
      guard received.readableBytes >= 16 else { return }
      let length = Int(received.getInteger(at: received.readerIndex + 12, as: Int32.self) ?? 0)
      guard length <= GSSAPIClient.tokenLimitBytes else {
        return refuse(SASLError(.malformed, "a token of \(length) bytes"))
      }
      guard received.readableBytes >= 16 + max(length, 0), let bytes = received.readBytes(length: 16 + max(length, 0))
      else { return }
      do throws(JuteError) { onPacket(try QuorumAuthPacket(decoding: bytes)) } catch {
        return refuse(SASLError(.malformed, "\(error)"))
      }
    }
  }

  /// Handles bytes that are not a packet of SASL: the other server does not authenticate.
  private func onOtherBytes() {
    guard mayBeUnauthenticated else {
      return refuse(SASLError(.notAuthentic, "the other server does not authenticate"))
    }
    pass()
  }

  /// Whether the other server has not begun to authenticate, and need not.
  private var mayBeUnauthenticated: Bool {
    guard case .accepting(let authentication, _) = side, mechanism == nil, !isOver else { return false }
    return !authentication.isRequiredOfOthers
  }

  private func onPacket(_ packet: QuorumAuthPacket) {
    switch side {
    case .accepting(let authentication, _):
      if mechanism == nil {
        mechanism =
          switch authentication.server {
          case .digest:
            .digestServer(
              DigestMD5Server(
                service: DigestMD5.quorumService, serverName: DigestMD5.quorumServerName, nonce: Nonce.make()))
          case .kerberos(let login): .kerberosServer(GSSAPIServer(login))
          }
      }
      think(packet.token ?? [])
    case .loggingIn:
      guard packet.status != .error else {
        return refuse(SASLError(.notAuthentic, "the other server refuses this one's login"))
      }
      if isLast {
        return packet.status == .success ? pass() : refuse(SASLError(.malformed, "the other server does not finish"))
      }
      think(packet.token ?? [])
    }
  }

  // MARK: The mechanism

  /// Passes a token to the mechanism.
  private func think(_ token: [UInt8]) {
    switch mechanism {
    case .digestServer(var server):
      let result = Result { () throws(SASLError) in
        let step = try server.step(token) { password(of: $0) }
        try check(step, server.user, server.authorizationID)
        return step
      }
      mechanism = .digestServer(server)
      onStep(result)
    case .digestClient(var client):
      let result = Result { () throws(SASLError) in try client.step(token) }
      mechanism = .digestClient(client)
      onStep(result)
    case .kerberosServer(let server):
      onThread { () throws(SASLError) in
        let step = try server.step(token)
        try self.check(step, server.principal, server.authorizationID)
        return step
      }
    case .kerberosClient(let client): onThread { () throws(SASLError) in try client.step(token) }
    case nil: break
    }
  }

  private func onThread(_ body: @escaping @Sendable () throws(SASLError) -> SASLStep) {
    guard let loop = context?.eventLoop else { return }
    isThinking = true
    NIOSingletons.posixBlockingThreadPool.runIfActive(eventLoop: loop) {
      Result { () throws(SASLError) in try body() }
    }.assumeIsolated().whenSuccess { [self] result in
      isThinking = false
      guard !isOver else { return }
      onStep(result)
      readPackets()
    }
  }

  private func onStep(_ result: Result<SASLStep, SASLError>) {
    let isServer = if case .accepting = side { true } else { false }
    switch result {
    case .success(.reply(let token)): send(.inProgress, token)
    case .success(.complete(let token)) where isServer:
      send(.success, token)
      pass()
    case .success(.complete(let token?)):
      isLast = true
      send(.inProgress, token)
    case .success(.complete(nil)): pass()
    case .failure(let error):
      if isServer { send(.error, []) }
      guard case .accepting(let authentication, _) = side, !authentication.isRequiredOfOthers else {
        return refuse(error)
      }
      logger.warning("a server cannot log in, and is let in all the same", metadata: ["reason": "\(error)"])
      pass()
    }
  }

  private func password(of user: String) -> String? {
    guard case .accepting(let authentication, _) = side, case .digest(let login) = authentication.server else {
      return nil
    }
    return login.users[user]
  }

  /// Checks that a server which has logged in is one of the ensemble's.
  ///
  /// *Source*: `SaslQuorumServerCallbackHandler`.
  private func check(_ step: SASLStep, _ name: String?, _ authorizationID: String?) throws(SASLError) {
    guard case .complete = step, case .accepting(let authentication, let members) = side else { return }
    guard let name, name == authorizationID else {
      throw SASLError(.notAuthentic, "\(name ?? "") asks to act as \(authorizationID ?? "another")")
    }
    guard case .kerberos = authentication.server else { return }
    let hosts = members.members.flatMap { $0.addresses.map(\.quorum.host) }
    guard let host = KerberosName(parsing: name)?.host, hosts.contains(host) else {
      throw SASLError(.notAuthentic, "the host in \(name) is not that of a member of the ensemble")
    }
  }

  // MARK: The end

  private func send(_ status: QuorumAuthPacket.Status, _ token: [UInt8]?) {
    let packet = QuorumAuthPacket(status: status, token: token)
    context?.writeAndFlush(NIOAny(ByteBuffer(bytes: packet.encoded)), promise: nil)
  }

  private func pass() {
    guard !isOver, let context else { return }
    isOver = true
    timer?.cancel()
    do { try onPassed?() } catch { context.close(promise: nil) }
    onPassed = nil
    onRefused = nil
    if received.readableBytes > 0 {
      context.fireChannelRead(wrapInboundOut(received))
      context.fireChannelReadComplete()
    }
    self.context = nil
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }

  private func refuse(_ error: SASLError) {
    guard !isOver else { return }
    isOver = true
    timer?.cancel()
    let peer = context?.channel.remoteAddress.map { "\($0)" } ?? "?"
    logger.warning("closing a connection between servers", metadata: ["peer": "\(peer)", "reason": "\(error)"])
    context?.close(promise: nil)
    context = nil
    onPassed = nil
    onRefused?()
    onRefused = nil
  }
}

extension ServerConfiguration.Ensemble {
  /// How long an exchange between servers may take.
  var authenticationLimit: TimeAmount { .milliseconds(clamping: tickTimeMilliseconds * times.syncLimitTicks) }
}
