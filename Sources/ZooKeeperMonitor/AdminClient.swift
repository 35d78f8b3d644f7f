import JSONFormat
import NIOCore
import NIOHTTP1
import NIOPosix
public import TransportSecurity
public import ZooKeeperClient
public import ZooKeeperProtocol

/// An answer of an AdminServer.
public struct AdminAnswer: Hashable, Sendable {
  /// The status of HTTP, 200 for success.
  public var status: Int
  public var contentType: String?
  public var body: [UInt8]

  /// What the server says about a command that it has not carried out; nil if it has, or answers in another way.
  public var error: String? { document?["error"]?.text }

  /// The body as JSON; nil if it is none, or not of a success.
  var document: JSON? { status == 200 ? JSONReader.read(body) : nil }
}

/// Asks the HTTP server that Apache calls AdminServer.
///
/// *Source*: `ClientProtocol` 7.2; `org.apache.zookeeper.server.admin.Commands`.
public enum AdminClient {
  /// The port of an AdminServer unless `admin.serverPort` says otherwise.
  public static let defaultPort = 8080
  /// The upper bound on the size of an answer, in bytes.
  static let limitBytes = 64 << 20

  /// Asks for `/commands/COMMAND`.
  ///
  /// - Parameters:
  ///   - path: what follows `/commands/`; empty for the list of commands.
  ///   - tls: how the connection is encrypted; nil for one in the clear.
  ///   - limit: the time limit for connecting, and again for the answer.
  /// - Throws: `ConnectFailure` if no complete answer came.
  public static func get(
    _ path: String, of address: ServerAddress, tls: TLSContext? = nil, limit: Duration
  ) async throws(ConnectFailure) -> AdminAnswer {
    let loop = ZooKeeperClient.sharedGroup.next()
    let promise = loop.makePromise(of: AdminAnswer.self)
    let amount = TimeAmount.milliseconds(max(1, Int64(limit / .milliseconds(1))))
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/commands/\(path)")
    head.headers.add(name: "Host", value: address.description)
    head.headers.add(name: "Connection", value: "close")
    let request = head
    ClientBootstrap(group: loop)
      .connectTimeout(amount)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try tls?.encrypt(channel, toHost: address.host)
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(AdminHandler(request, limit: amount, promise))
        }
      }
      .connect(to: address)
      .whenFailure { promise.fail($0) }
    do {
      return try await promise.futureResult.get()
    } catch {
      throw ConnectFailure(address: address, error: error, limit: limit)
    }
  }
}

/// Why an answer that has begun is of no use.
private enum AdminFailure: Error {
  case tooLong
  case closed
  case timedOut
}

extension ConnectFailure {
  fileprivate init(address: ServerAddress, error: any Error, limit: Duration) {
    let milliseconds = Int64(limit / .milliseconds(1))
    let reason: Reason =
      switch error {
      case AdminFailure.tooLong: .network("the answer is over \(AdminClient.limitBytes) bytes")
      case AdminFailure.closed: .closedWithoutAnswer
      case AdminFailure.timedOut: .timedOut(connected: true, milliseconds: milliseconds)
      case is HTTPParserError: .network("the answer is not one of an HTTP server")
      default: Reason(connecting: error, limitMilliseconds: milliseconds)
      }
    self.init(address: address, reason: reason)
  }
}

/// Sends a request and gathers the answer.
private final class AdminHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let request: HTTPRequestHead
  private let limit: TimeAmount
  private let promise: EventLoopPromise<AdminAnswer>
  private var answer = AdminAnswer(status: 0, contentType: nil, body: [])
  private var timer: Scheduled<Void>?

  init(_ request: HTTPRequestHead, limit: TimeAmount, _ promise: EventLoopPromise<AdminAnswer>) {
    self.request = request
    self.limit = limit
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    context.write(wrapOutboundOut(.head(request)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
      fail(AdminFailure.timedOut, context)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      answer.status = Int(head.status.code)
      answer.contentType = head.headers.first(name: "Content-Type")
    case .body(let part):
      answer.body += part.readableBytesView
      if answer.body.count > AdminClient.limitBytes { fail(AdminFailure.tooLong, context) }
    case .end:
      promise.succeed(answer)
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

  func channelInactive(context: ChannelHandlerContext) { fail(AdminFailure.closed, context) }

  /// Reports a failure, unless the answer or another failure was reported already.
  private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
    timer?.cancel()
    promise.fail(error)
    context.close(promise: nil)
  }
}
