import NIOCore
import NIOHTTP1
import TransportSecurity

/// Receives the requests of one connection sequentially, and starts a task to answer each.
///
/// A request that must not be carried out is refused after its head, before its body is read.
final class WebConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// How long a client may take to send a request.
  private static let requestLimit = TimeAmount.seconds(30)
  /// How long a connection without a request is kept.
  private static let idleLimit = TimeAmount.seconds(75)
  /// How long a client whose request is refused may continue to send its body.
  private static let refusalPatience = Duration.seconds(2)

  private let site: Site
  private let client: WebClient
  private var request: WebRequest?
  private var head: HTTPRequestHead?
  private var limitBytes = 0
  private var holdsUpload = false
  /// Whether the rest of a body is ignored, because the request is answered already.
  private var isIgnoringBody = false
  private var timer: Scheduled<Void>?
  private var task: Task<Void, Never>?

  init(_ site: Site, _ client: WebClient) {
    self.site = site
    self.client = client
  }

  func handlerAdded(context: ChannelHandlerContext) { restartTimer(context.channel, Self.requestLimit) }

  func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    task?.cancel()
    releaseUpload()
  }

  func channelInactive(context: ChannelHandlerContext) {
    task?.cancel()
    context.fireChannelInactive()
  }

  private func restartTimer(_ channel: any Channel, _ limit: TimeAmount) {
    timer?.cancel()
    timer = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let piece): take(piece, context)
    case .end:
      if isIgnoringBody { return }
      guard let request, let head else { return }
      (self.request, self.head) = (nil, nil)
      answer(request, head, context)
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    isIgnoringBody = false
    restartTimer(context.channel, Self.requestLimit)
    self.head = head
    do throws(WebError) {
      let request = try site.admit(head, client)
      limitBytes = Router.bodyLimitBytes(request)
      let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
      guard announced <= limitBytes else { throw .tooLarge(limitBytes) }
      if limitBytes > WebLimits.bodyBytes {
        guard site.uploads.acquire() else { throw .tooMany("other files are being received") }
        holdsUpload = true
      }
      self.request = request
      if head.headers.first(name: "Expect")?.lowercased() == "100-continue" {
        let go = HTTPResponseHead(version: head.version, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
      }
    } catch {
      refuse(error, head, context)
    }
  }

  private func take(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
    guard let count = request?.body.count, let head else { return }
    guard count + piece.readableBytes <= limitBytes else { return refuse(.tooLarge(limitBytes), head, context) }
    request?.body.append(contentsOf: piece.readableBytesView)
  }

  /// Answers a request whose body has not been read, and ends the connection.
  private func refuse(_ error: WebError, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    (request, self.head) = (nil, nil)
    releaseUpload()
    isIgnoringBody = true
    site.logRefusal(head, client, error)
    var answer = WebAnswer.error(error)
    answer.headers.append(("Connection", "close"))
    let sender = AnswerSender(channel: context.channel, head: head, isEncrypted: client.isEncrypted)
    task = Self.startRefusing(answer, sender)
  }

  /// Delays the close, because a client that is still sending would lose the answer.
  private static func startRefusing(_ answer: WebAnswer, _ sender: AnswerSender) -> Task<Void, Never> {
    Task {
      _ = try? await sender.send(answer)
      try? await Task.sleep(for: Self.refusalPatience)
      sender.channel.close(promise: nil)
    }
  }

  private func answer(_ request: WebRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    timer?.cancel()
    let sender = AnswerSender(channel: context.channel, head: head, isEncrypted: client.isEncrypted)
    let own = NIOLoopBound(self, eventLoop: context.eventLoop)
    task = Self.startAnswering(request, site, sender) { isComplete in own.value.finish(sender, isComplete: isComplete) }
  }

  /// - Parameter finish: called on the event loop at the end.
  private static func startAnswering(
    _ request: WebRequest, _ site: Site, _ sender: AnswerSender, _ finish: @escaping @Sendable (Bool) -> Void
  ) -> Task<Void, Never> {
    Task {
      let answer = await site.answer(request)
      let isComplete = (try? await sender.send(answer)) ?? false
      sender.channel.eventLoop.execute { finish(isComplete) }
    }
  }

  private func finish(_ sender: AnswerSender, isComplete: Bool) {
    releaseUpload()
    guard isComplete, sender.head.isKeepAlive, sender.channel.isActive else {
      return sender.channel.close(promise: nil)
    }
    restartTimer(sender.channel, Self.idleLimit)
  }

  private func releaseUpload() {
    if holdsUpload { site.uploads.release() }
    holdsUpload = false
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
