import NIOCore
import NIOHTTP1
import NIOPosix
public import TransportSecurity
import ZooKeeperClient
public import ZooKeeperProtocol

extension AdminClient {
  /// The default time limit for the answer after everything was sent.
  public static let defaultAnswerLimit = Duration.seconds(300)

  /// Posts a file to `/commands/COMMAND`.
  ///
  /// The server is asked first whether it accepts the file, so that one that refuses need not read it. A server that
  /// does not answer this question is sent the file nevertheless.
  ///
  /// - Parameters:
  ///   - path: what follows `/commands/`.
  ///   - authorization: the content of the header `Authorization`.
  ///   - limit: the time limit for connecting, and how long the server may take for each piece of the file.
  ///   - answerLimit: how long it may take to answer after it has received the file.
  ///   - lengthBytes: the length of the file.
  ///   - next: the next bytes of the file, called on a thread of a pool.
  /// - Throws: `ConnectFailure` if no complete answer came, `CancellationError`, and what `next` throws.
  public static func upload(
    _ path: String, to address: ServerAddress, tls: TLSContext? = nil, authorization: String, limit: Duration,
    answerLimit: Duration = defaultAnswerLimit, lengthBytes: Int, next: @escaping @Sendable () throws -> [UInt8]
  ) async throws -> AdminAnswer {
    let loop = ZooKeeperClient.sharedGroup.next()
    let promise = loop.makePromise(of: AdminAnswer.self)
    var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/commands/\(path)")
    head.headers.add(name: "Host", value: address.description)
    head.headers.add(name: "Connection", value: "close")
    head.headers.add(name: "Authorization", value: authorization)
    head.headers.add(name: "Content-Type", value: "application/octet-stream")
    head.headers.add(name: "Content-Length", value: "\(lengthBytes)")
    head.headers.add(name: "Expect", value: "100-continue")
    let (request, amount) = (head, TimeAmount(limit))
    let connected = ClientBootstrap(group: loop)
      .connectTimeout(amount)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try tls?.encrypt(channel, toHost: address.host)
          let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward)
          try channel.pipeline.syncOperations.addHandlers(
            HTTPRequestEncoder(), ByteToMessageHandler(decoder),
            UploadHandler(request, limit: amount, answerLimit: TimeAmount(answerLimit), promise, next: next))
        }
      }
      .connect(to: address)
    connected.whenFailure { promise.fail($0) }
    do {
      return try await withTaskCancellationHandler {
        try await promise.futureResult.get()
      } onCancel: {
        connected.whenSuccess { $0.close(promise: nil) }
      }
    } catch AdminFailure.notTaken(let reason) {
      throw reason
    } catch {
      try Task.checkCancellation()
      throw ConnectFailure(address: address, error: error, limit: limit)
    }
  }
}

/// Sends a file and collects the answer.
private final class UploadHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  /// How long the server may take to report whether it accepts the file.
  private static let patience = TimeAmount.seconds(3)

  private let request: HTTPRequestHead
  private let limit: TimeAmount
  private let answerLimit: TimeAmount
  private let promise: EventLoopPromise<AdminAnswer>
  private let next: @Sendable () throws -> [UInt8]
  private var answer = AdminAnswer(status: 0, contentType: nil, body: [])
  private var timer: Scheduled<Void>?
  private var isSending = false
  private var hasEnded = false

  init(
    _ request: HTTPRequestHead, limit: TimeAmount, answerLimit: TimeAmount, _ promise: EventLoopPromise<AdminAnswer>,
    next: @escaping @Sendable () throws -> [UInt8]
  ) {
    self.request = request
    self.limit = limit
    self.answerLimit = answerLimit
    self.promise = promise
    self.next = next
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(.head(request)), promise: nil)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: min(Self.patience, limit)) { [self] in
      startSending(context)
    }
  }

  private func restartTimer(_ context: ChannelHandlerContext, _ limit: TimeAmount) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
      fail(AdminFailure.timedOut, context)
    }
  }

  private func startSending(_ context: ChannelHandlerContext) {
    guard !isSending, !hasEnded, answer.status == 0 else { return }
    isSending = true
    sendNext(context)
  }

  private func sendNext(_ context: ChannelHandlerContext) {
    // If the server has answered already, the rest is not sent.
    guard !hasEnded, answer.status == 0 else { return }
    restartTimer(context, limit)
    let read = NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop, next)
    read.assumeIsolated().whenComplete { [self] result in
      switch result {
      case .failure(let error): fail(AdminFailure.notTaken(error), context)
      case .success(let bytes) where bytes.isEmpty:
        guard !hasEnded else { return }
        restartTimer(context, answerLimit)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      case .success(let bytes):
        guard !hasEnded else { return }
        let sent = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))))
        // If sending fails, an answer with the reason may be available; otherwise the connection ends.
        sent.assumeIsolated().whenSuccess { [self] in sendNext(context) }
      }
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasEnded else { return }
    switch unwrapInboundIn(data) {
    case .head(let head) where (100..<200).contains(head.status.code): startSending(context)
    case .head(let head):
      answer.status = Int(head.status.code)
      answer.contentType = head.headers.first(name: "Content-Type")
      for header in head.headers { answer.headers[header.name.lowercased()] = header.value }
      restartTimer(context, limit)
    case .body(let part):
      answer.body += part.readableBytesView
      if answer.body.count > AdminClient.limitBytes { fail(AdminFailure.tooLong, context) }
    case .end:
      hasEnded = true
      timer?.cancel()
      promise.succeed(answer)
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

  func channelInactive(context: ChannelHandlerContext) { fail(AdminFailure.closed, context) }

  private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
    guard !hasEnded else { return }
    hasEnded = true
    timer?.cancel()
    promise.fail(error)
    context.close(promise: nil)
  }
}
