import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import TransportSecurity
import ZooKeeperProtocol

/// The HTTP servers for administrators and for Prometheus.
///
/// They run on the server's event loop, so a report is made between two requests, and its view of the tree is
/// consistent.
final class AdminServer: Sendable {
  private let channel: any Channel

  /// The port that is listened on.
  var port: Int { channel.localAddress?.port ?? 0 }

  private init(_ channel: any Channel) { self.channel = channel }

  /// How connections to a port are encrypted.
  struct Encryption: Sendable {
    let port: PortEncryption
    /// Whether connections in the clear are accepted too.
    let isMixed: Bool
  }

  /// The largest number of connections: there are few administrators, and Prometheus keeps one connection.
  static let maximumConnections = 100

  /// Starts to listen; `answer` is called on the loop with the path of each GET.
  ///
  /// - Parameters:
  ///   - purpose: the port's name, for messages.
  ///   - idleTimeout: how long a connection may take to complete a request, and to take the answer.
  ///   - encryption: nil for connections in the clear.
  /// - Throws: a `ServerStartError` when the address cannot be bound.
  static func start(
    _ listening: Listening, _ address: HostAndPort, purpose: String, idleTimeout: TimeAmount,
    encryption: Encryption?, logger: Logger, answer: @escaping @Sendable (String) -> EventLoopFuture<HTTPAnswer>
  ) -> EventLoopFuture<AdminServer> {
    let limit = ConnectionLimit(maximumConnections)
    let bootstrap = ServerBootstrap.forPorts(on: listening.loop)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard limit.admit(channel) else { return }
          let handler = HTTPHandler(idleTimeout: idleTimeout, purpose: purpose, logger: logger, answer: answer)
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(handler)
          try encryption?.port.accept(channel, isMixed: encryption?.isMixed == true) { [weak handler] _ in
            handler?.isEncrypted = true
          }
        }
      }
    return listening.bind(bootstrap, address, purpose: purpose).map(AdminServer.init)
  }

  /// Stops listening. Answers that are being sent are completed.
  func stop() { channel.close(promise: nil) }
}

/// The answer to a GET request.
struct HTTPAnswer: Sendable {
  var status = HTTPResponseStatus.ok
  var contentType: String
  var body: String

  /// An answer in JSON.
  static func json(_ body: String) -> HTTPAnswer { HTTPAnswer(contentType: "application/json", body: body) }

  /// The answer for an unknown path.
  static let notFound = HTTPAnswer(status: .notFound, contentType: "text/plain", body: "Not found\n")
}

/// Answers one request after another on a connection.
private final class HTTPHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// Whether the connection is encrypted. Clients are told then to use no other for a day, as by Apache's servers.
  var isEncrypted = false
  private let purpose: String
  private let logger: Logger
  private let answer: @Sendable (String) -> EventLoopFuture<HTTPAnswer>
  private let idleTimeout: TimeAmount
  private var head: HTTPRequestHead?
  private var timer: Scheduled<Void>?

  init(
    idleTimeout: TimeAmount, purpose: String, logger: Logger,
    answer: @escaping @Sendable (String) -> EventLoopFuture<HTTPAnswer>
  ) {
    self.idleTimeout = idleTimeout
    self.purpose = purpose
    self.logger = logger
    self.answer = answer
  }

  func handlerAdded(context: ChannelHandlerContext) { restartTimer(context.channel) }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  /// Closes the connection unless a complete request is received and answered in time. Parts of a request do not extend
  /// the time.
  private func restartTimer(_ channel: any Channel) {
    timer?.cancel()
    timer = channel.eventLoop.scheduleTask(in: idleTimeout) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end:
      guard let head else { return }
      self.head = nil
      respond(to: head, context)
    }
  }

  private func respond(to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard request.method == .GET || request.method == .HEAD else {
      return send(
        HTTPAnswer(status: .methodNotAllowed, contentType: "text/plain", body: "Only GET is answered here\n"),
        to: request, context)
    }
    let answered = answer(String(request.uri.prefix { $0 != "?" }))
    answered.assumeIsolated().whenComplete { [self] result in
      // The client may have disconnected meanwhile.
      guard context.channel.isActive else { return }
      switch result {
      case .success(let response): send(response, to: request, context)
      case .failure: context.close(promise: nil)
      }
    }
  }

  private func send(_ response: HTTPAnswer, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let body = ByteBuffer(string: response.body)
    var head = HTTPResponseHead(version: request.version, status: response.status)
    head.headers.add(name: "Content-Type", value: response.contentType)
    head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    if isEncrypted { head.headers.add(name: "Strict-Transport-Security", value: "max-age=86400; includeSubDomains") }
    if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    let isKeptAlive = request.isKeepAlive
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { [self] result in
      guard case .success = result, isKeptAlive else { return channel.close(promise: nil) }
      restartTimer(channel)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let reason = TLSFailure(error, on: context.channel)?.description(of: "the client") {
      logger.warning(
        "closing a connection to \(purpose)",
        metadata: ["client": "\(context.channel.remoteAddress?.peerAddress ?? "?")", "reason": "\(reason)"])
    }
    context.close(promise: nil)
  }
}
