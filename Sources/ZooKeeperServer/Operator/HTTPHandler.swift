import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import TransportSecurity

/// Answers one request after another on a connection.
final class HTTPHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// How long a client whose request is refused may go on sending its body.
  private static let answerPatience = TimeAmount.seconds(2)

  /// Whether the connection is encrypted. Clients are told then to use no other for a day, as by Apache's servers.
  var isEncrypted = false
  /// The certificate that the client has shown.
  var certificate: CertificateDetails?
  private let purpose: String
  private let logger: Logger
  private let receive: @Sendable (HTTPQuestion) -> (any HTTPBodyReceiver)?
  private let answer: @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  private let idleTimeout: TimeAmount
  private var head: HTTPRequestHead?
  /// The body that is being received.
  private var transfer: HTTPBodyTransfer?
  /// Whether the rest of a body is ignored, because the request is answered already.
  private var isIgnoringBody = false
  private var timer: Scheduled<Void>?

  init(
    idleTimeout: TimeAmount, purpose: String, logger: Logger,
    receive: @escaping @Sendable (HTTPQuestion) -> (any HTTPBodyReceiver)?,
    answer: @escaping @Sendable (HTTPQuestion) -> EventLoopFuture<HTTPAnswer>
  ) {
    self.idleTimeout = idleTimeout
    self.purpose = purpose
    self.logger = logger
    self.receive = receive
    self.answer = answer
  }

  func handlerAdded(context: ChannelHandlerContext) { restartTimer(context.channel) }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    transfer.take()?.abandon()
  }

  /// Closes the connection unless a complete request is received, or the answer or a piece of a file is taken, in time.
  /// Parts of a request do not extend the time, except for those of a body that is received.
  private func restartTimer(_ channel: any Channel, _ limit: TimeAmount? = nil) {
    timer?.cancel()
    timer = channel.eventLoop.scheduleTask(in: limit ?? idleTimeout) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      if head.method == .POST { startReceiving(head, context) }
    case .body(let piece): transfer?.add(piece)
    case .end:
      isIgnoringBody = false
      guard let head else { return }
      self.head = nil
      if let transfer = transfer.take() { return finish(transfer, head, context) }
      respond(to: head, context)
    }
  }

  // MARK: POST

  private func startReceiving(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard let receiver = receive(question(request, context)) else { return }
    let channel = context.channel
    let transfer = HTTPBodyTransfer(receiver, channel)
    self.transfer = transfer
    transfer.onTaken = { [weak self] in self?.restartTimer(channel) }
    transfer.onRefused = { [weak self] answer in
      guard let self, self.transfer === transfer else { return }
      self.transfer = nil
      self.head = nil
      transfer.abandon()
      isIgnoringBody = true
      send(answer, to: request, context)
    }
    let length = request.headers.first(name: "Content-Length").flatMap { Int($0) }
    transfer.begin(lengthBytes: length) { [weak self] in
      guard let self, self.transfer === transfer else { return }
      let expectsAnswer = request.headers.first(name: "Expect")?.lowercased() == "100-continue"
      guard expectsAnswer, channel.isActive else { return }
      let head = HTTPResponseHead(version: request.version, status: .continue)
      context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }
  }

  private func finish(_ transfer: HTTPBodyTransfer, _ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    timer?.cancel()
    transfer.end { [self] answer in
      if context.channel.isActive { send(answer, to: request, context) }
    }
  }

  // MARK: Answers

  private func question(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) -> HTTPQuestion {
    let uri = request.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    return HTTPQuestion(
      path: String(uri.first ?? ""), query: uri.dropFirst().first ?? "",
      authorization: request.headers.first(name: "Authorization"),
      address: context.channel.remoteAddress?.peerAddress ?? "", certificate: certificate)
  }

  private func respond(to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard request.method == .GET || request.method == .HEAD else {
      return send(
        HTTPAnswer(status: .methodNotAllowed, contentType: "text/plain", body: "Only GET is answered here\n"),
        to: request, context)
    }
    // The answer may take long to make; only the client is hurried.
    timer?.cancel()
    answer(question(request, context)).assumeIsolated().whenComplete { [self] result in
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
    if !request.isKeepAlive || isIgnoringBody { head.headers.add(name: "Connection", value: "close") }
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
    let isIgnoringBody = isIgnoringBody
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { [self] result in
      // A client that is still sending loses the answer if the connection is closed at once.
      if case .success = result, isIgnoringBody { return restartTimer(channel, Self.answerPatience) }
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
