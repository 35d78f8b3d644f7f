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

  /// Starts to listen; `answer` is called on the loop with each GET.
  ///
  /// - Parameters:
  ///   - purpose: the port's name, for messages.
  ///   - idleTimeout: how long a connection may take to complete a request, and to take the answer.
  ///   - encryption: nil for connections in the clear.
  /// - Throws: a `ServerStartError` when the address cannot be bound.
  static func start(
    _ listening: Listening, _ address: HostAndPort, purpose: String, idleTimeout: TimeAmount,
    encryption: Encryption?, logger: Logger, answer: @escaping @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  ) -> EventLoopFuture<AdminServer> {
    let limit = ConnectionLimit(maximumConnections, purpose: purpose, logger: logger)
    let bootstrap = ServerBootstrap.forPorts(on: listening.loop)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard limit.admit(channel) else { return }
          let handler = HTTPHandler(idleTimeout: idleTimeout, purpose: purpose, logger: logger, answer: answer)
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(handler)
          try encryption?.port.accept(channel, isMixed: encryption?.isMixed == true) { [weak handler] certificate in
            handler?.isEncrypted = true
            handler?.certificate = certificate
          }
        }
      }
    return listening.bind(bootstrap, address, purpose: purpose).map(AdminServer.init)
  }

  /// Stops listening. Answers that are being sent are completed.
  func stop() { channel.stopListening() }
}

/// A GET request.
struct HTTPQuestion: Sendable {
  var path: String
  /// What follows the question mark in the target; empty if there is none.
  var query: Substring
  /// The content of the header `Authorization`.
  var authorization: String?
  /// The numeric address of the client.
  var address: String
  /// The certificate of the client; nil if it has shown none.
  var certificate: CertificateDetails?

  /// The value of a parameter of the query; nil if it is not there.
  func parameter(_ name: String) -> Substring? {
    for item in query.split(separator: "&") {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts[0] == name { return parts.count > 1 ? parts[1] : "" }
    }
    return nil
  }
}

/// The answer to a GET request.
struct HTTPAnswer: Sendable {
  var status = HTTPResponseStatus.ok
  var contentType: String
  var headers: [(name: String, value: String)] = []
  var body: String
  /// A file that is sent instead of `body`.
  var file: AnsweredFile?

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
  /// The certificate that the client has shown.
  var certificate: CertificateDetails?
  private let purpose: String
  private let logger: Logger
  private let answer: @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  private let idleTimeout: TimeAmount
  private var head: HTTPRequestHead?
  private var timer: Scheduled<Void>?

  init(
    idleTimeout: TimeAmount, purpose: String, logger: Logger,
    answer: @escaping @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  ) {
    self.idleTimeout = idleTimeout
    self.purpose = purpose
    self.logger = logger
    self.answer = answer
  }

  func handlerAdded(context: ChannelHandlerContext) { restartTimer(context.channel) }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  /// Closes the connection unless a complete request is received, or the answer or a piece of a file is taken, in time.
  /// Parts of a request do not extend the time.
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
    // The answer may take long to make; only the client is hurried.
    timer?.cancel()
    let uri = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let question = HTTPQuestion(
      path: String(uri.first ?? ""), query: uri.dropFirst().first ?? "",
      authorization: request.headers.first(name: "Authorization"),
      address: context.channel.remoteAddress?.peerAddress ?? "", certificate: certificate)
    answer(question).assumeIsolated().whenComplete { [self] result in
      // The client may have disconnected meanwhile.
      guard context.channel.isActive else {
        if case .success(let response) = result { response.file?.close() }
        return
      }
      switch result {
      case .success(let response): send(response, to: request, context)
      case .failure: context.close(promise: nil)
      }
    }
  }

  private func send(_ response: HTTPAnswer, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    restartTimer(context.channel)
    let body = ByteBuffer(string: response.body)
    let size = response.file?.sizeBytes ?? body.readableBytes
    var head = HTTPResponseHead(version: request.version, status: response.status)
    head.headers.add(name: "Content-Type", value: response.contentType)
    head.headers.add(name: "Content-Length", value: "\(size)")
    for header in response.headers { head.headers.add(name: header.name, value: header.value) }
    if isEncrypted { head.headers.add(name: "Strict-Transport-Security", value: "max-age=86400; includeSubDomains") }
    if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if let file = response.file {
      if request.method != .HEAD { return stream(file, from: 0, to: request, context) }
      file.close()
    } else if request.method != .HEAD {
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    }
    end(request, context)
  }

  /// Sends a file from an offset on, a piece at a time: the next one is read when the client has taken the one before.
  private func stream(
    _ file: AnsweredFile, from offset: Int, to request: HTTPRequestHead, _ context: ChannelHandlerContext
  ) {
    guard offset < file.sizeBytes else {
      file.close()
      return end(request, context)
    }
    file.piece(at: offset, on: context.eventLoop).assumeIsolated().whenComplete { [self] result in
      guard context.channel.isActive, case .success(let piece) = result, piece.readableBytes > 0 else {
        file.close()
        return context.close(promise: nil)
      }
      let sent = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))))
      sent.assumeIsolated().whenComplete { [self] result in
        guard case .success = result else { return file.close() }
        restartTimer(context.channel)
        stream(file, from: offset + piece.readableBytes, to: request, context)
      }
    }
  }

  private func end(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
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
