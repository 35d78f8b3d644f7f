import NIOCore
import NIOHTTP1
import NIOPosix

/// The HTTP servers for administrators and for Prometheus.
///
/// They run on the server's own event loop: a report is made between two requests, and sees the tree at one moment.
final class AdminServer: Sendable {
  private let channel: any Channel

  /// The port that is listened on.
  var port: Int { channel.localAddress?.port ?? 0 }

  private init(_ channel: any Channel) { self.channel = channel }

  /// Starts to listen; `answer` is called on the loop with the path of each GET.
  ///
  /// - Throws: NIO's error when the address cannot be bound.
  static func start(
    address: String, port: Int, loop: any EventLoop, answer: @escaping @Sendable (String) -> HTTPAnswer
  ) -> EventLoopFuture<AdminServer> {
    ServerBootstrap(group: loop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(HTTPHandler(answer: answer))
        }
      }
      .bind(host: address, port: port)
      .map(AdminServer.init)
  }

  /// Stops listening; answers on their way are finished.
  func stop() { channel.close(promise: nil) }
}

/// What is answered to a GET.
struct HTTPAnswer: Sendable {
  var status = HTTPResponseStatus.ok
  var contentType: String
  var body: String

  /// An answer in JSON.
  static func json(_ body: String) -> HTTPAnswer { HTTPAnswer(contentType: "application/json", body: body) }

  /// Nothing is there.
  static let notFound = HTTPAnswer(status: .notFound, contentType: "text/plain", body: "Not found\n")
}

/// Answers one request after another on a connection.
private final class HTTPHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let answer: @Sendable (String) -> HTTPAnswer
  private var head: HTTPRequestHead?

  init(answer: @escaping @Sendable (String) -> HTTPAnswer) { self.answer = answer }

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
    let path = String(request.uri.prefix { $0 != "?" })
    var response = HTTPAnswer(
      status: .methodNotAllowed, contentType: "text/plain", body: "Only GET is answered here\n")
    if request.method == .GET || request.method == .HEAD { response = answer(path) }
    let body = ByteBuffer(string: response.body)
    var head = HTTPResponseHead(version: request.version, status: response.status)
    head.headers.add(name: "Content-Type", value: response.contentType)
    head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    if !request.isKeepAlive { head.headers.add(name: "Connection", value: "close") }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    let isKeptAlive = request.isKeepAlive
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      if !isKeptAlive { channel.close(promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
