import JSONFormat
import NIOCore
import NIOHTTP1
import NIOPosix
public import TransportSecurity
public import ZooKeeperClient
public import ZooKeeperProtocol

/// An answer of an AdminServer.
public struct AdminAnswer: Hashable, Sendable {
  /// The HTTP status; 200 for success.
  public var status: Int
  public var contentType: String?
  public var body: [UInt8]
  /// The headers, by their names in lower case.
  public var headers: [String: String] = [:]

  /// The server's error message for a command that has failed; nil if there is none.
  public var error: String? { JSONReader.read(body)?["error"]?.text }

  /// Whether the body is a JSON document, whatever the status.
  public var hasDocument: Bool { JSONReader.read(body) != nil }

  /// A list of texts in the answer, which is a JSON object; empty if there is no list with that name.
  public func texts(_ name: String) -> [String] {
    guard case .array(let items)? = JSONReader.read(body)?[name] else { return [] }
    return items.compactMap(\.text)
  }

  /// A flag in the answer; nil if there is none with that name.
  public func flag(_ name: String) -> Bool? {
    guard case .bool(let flag)? = JSONReader.read(body)?[name] else { return nil }
    return flag
  }

  /// The body of a successful answer as JSON; nil for any other answer.
  var document: JSON? { status == 200 ? JSONReader.read(body) : nil }
}

/// A client of the HTTP server that Apache calls AdminServer.
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
    do {
      return try await ask(path, of: address, tls: tls, authorization: nil, limit: limit, take: nil)
    } catch {
      throw ConnectFailure(address: address, error: error, limit: limit)
    }
  }

  /// The status that the server reports; nil if it reports none, for example because it does not serve.
  ///
  /// - Throws: as `get`.
  public static func status(
    of address: ServerAddress, tls: TLSContext? = nil, limit: Duration
  ) async throws(ConnectFailure) -> ServerStatus? {
    try await get("server_stats", of: address, tls: tls, limit: limit).document.flatMap(ServerStatus.init(serverStats:))
  }

  /// Asks for `/commands/COMMAND`, whose answer is a file.
  ///
  /// - Parameters:
  ///   - path: as for `get`.
  ///   - authorization: the content of the header `Authorization`.
  ///   - limit: the time limit for connecting, and how long the server may be silent after that.
  ///   - take: consumes the next bytes of the file, on a thread of a pool. Reading from the server pauses while more
  ///     than a MiB is buffered.
  /// - Returns: the answer; its body is empty if it was a file.
  /// - Throws: `ConnectFailure` if no complete answer came, `CancellationError`, and what `take` throws. `take` is not
  ///   called afterwards.
  public static func download(
    _ path: String, of address: ServerAddress, tls: TLSContext? = nil, authorization: String, limit: Duration,
    take: @escaping @Sendable ([UInt8]) throws -> Void
  ) async throws -> AdminAnswer {
    do {
      return try await ask(path, of: address, tls: tls, authorization: authorization, limit: limit, take: take)
    } catch let error as AdminFailure {
      try Task.checkCancellation()
      guard case .notTaken(let reason) = error else {
        throw ConnectFailure(address: address, error: error, limit: limit)
      }
      throw reason
    } catch {
      throw ConnectFailure(address: address, error: error, limit: limit)
    }
  }

  private static func ask(
    _ path: String, of address: ServerAddress, tls: TLSContext?, authorization: String?, limit: Duration,
    take: (@Sendable ([UInt8]) throws -> Void)?
  ) async throws -> AdminAnswer {
    let loop = ZooKeeperClient.sharedGroup.next()
    let promise = loop.makePromise(of: AdminAnswer.self)
    let amount = TimeAmount(limit)
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/commands/\(path)")
    head.headers.add(name: "Host", value: address.description)
    head.headers.add(name: "Connection", value: "close")
    if let authorization { head.headers.add(name: "Authorization", value: authorization) }
    let request = head
    let connected = ClientBootstrap(group: loop)
      .connectTimeout(amount)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try tls?.encrypt(channel, toHost: address.host)
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(
            AdminHandler(request, limit: amount, loop: channel.eventLoop, promise, take: take))
        }
      }
      .connect(to: address)
    connected.whenFailure { promise.fail($0) }
    return try await withTaskCancellationHandler {
      try await promise.futureResult.get()
    } onCancel: {
      connected.whenSuccess { $0.close(promise: nil) }
    }
  }
}

/// Why an answer cannot be used.
enum AdminFailure: Error {
  case tooLong
  case closed
  case timedOut
  /// The bytes could not be stored.
  case notTaken(any Error)
}

extension ConnectFailure {
  init(address: ServerAddress, error: any Error, limit: Duration) {
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

/// Sends a request and collects the answer.
private final class AdminHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  /// The number of buffered bytes of a file at which reading pauses.
  private static let pendingLimitBytes = 1 << 20

  private let request: HTTPRequestHead
  private let limit: TimeAmount
  private let promise: EventLoopPromise<AdminAnswer>
  private let take: (@Sendable ([UInt8]) throws -> Void)?
  private var answer = AdminAnswer(status: 0, contentType: nil, body: [])
  private var timer: Scheduled<Void>?
  private var isFile = false
  private var hasEnded = false
  private var pendingBytes = 0
  private var isPaused = false
  /// Completes when the pieces so far have been consumed, which happens one after the other.
  private var taken: EventLoopFuture<Void>

  init(
    _ request: HTTPRequestHead, limit: TimeAmount, loop: any EventLoop, _ promise: EventLoopPromise<AdminAnswer>,
    take: (@Sendable ([UInt8]) throws -> Void)?
  ) {
    self.request = request
    self.limit = limit
    self.promise = promise
    self.take = take
    taken = loop.makeSucceededVoidFuture()
  }

  func channelActive(context: ChannelHandlerContext) {
    context.write(wrapOutboundOut(.head(request)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenFailure { [self] in fail($0, context) }
    restartTimer(context)
  }

  private func restartTimer(_ context: ChannelHandlerContext) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [self] in
      fail(AdminFailure.timedOut, context)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasEnded else { return }
    switch unwrapInboundIn(data) {
    case .head(let head):
      answer.status = Int(head.status.code)
      answer.contentType = head.headers.first(name: "Content-Type")
      for header in head.headers { answer.headers[header.name.lowercased()] = header.value }
      isFile = take != nil && answer.status == 200 && answer.contentType?.hasPrefix("application/octet-stream") == true
    case .body(let part) where isFile: take(part, context)
    case .body(let part):
      answer.body += part.readableBytesView
      if answer.body.count > AdminClient.limitBytes { fail(AdminFailure.tooLong, context) }
    case .end:
      hasEnded = true
      timer?.cancel()
      taken.assumeIsolated().whenComplete { [self] result in
        switch result {
        case .success: promise.succeed(answer)
        case .failure(let error): promise.fail(AdminFailure.notTaken(error))
        }
      }
      context.close(promise: nil)
    }
  }

  /// Passes on a piece of a file, and pauses reading while too much is buffered.
  private func take(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
    guard let take else { return }
    let loop = context.eventLoop
    pendingBytes += part.readableBytes
    taken = taken.flatMap {
      NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try take([UInt8](part.readableBytesView)) }
    }
    if pendingBytes > Self.pendingLimitBytes, !isPaused {
      isPaused = true
      timer?.cancel()
      context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
    } else if !isPaused {
      restartTimer(context)
    }
    taken.assumeIsolated().whenComplete { [self] result in
      pendingBytes -= part.readableBytes
      if case .failure(let error) = result { return fail(AdminFailure.notTaken(error), context) }
      guard isPaused, !hasEnded, pendingBytes < Self.pendingLimitBytes / 2 else { return }
      isPaused = false
      restartTimer(context)
      context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error, context) }

  func channelInactive(context: ChannelHandlerContext) { fail(AdminFailure.closed, context) }

  /// Reports a failure after the pieces so far have been consumed, unless the answer or another failure was reported
  /// already.
  private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
    guard !hasEnded else { return }
    hasEnded = true
    timer?.cancel()
    taken.assumeIsolated().whenComplete { [promise] _ in promise.fail(error) }
    context.close(promise: nil)
  }
}
