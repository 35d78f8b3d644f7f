#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif
import NIOCore
import NIOPosix
import ZooKeeperProtocol

extension ClientBootstrap {
  /// Connects to a server; a name with several addresses is tried address by address.
  func connect(to address: ServerAddress) -> EventLoopFuture<any Channel> {
    // A literal address needs no resolver, which would cost a thread.
    if let literal = try? SocketAddress(ipAddress: address.host, port: address.port) { return connect(to: literal) }
    return connect(host: address.host, port: address.port)
  }
}

extension ConnectFailure.Reason {
  /// The reason that is behind an error of NIO's.
  init(_ error: any Error, limitMilliseconds: Int64) {
    switch error {
    case let error as NIOConnectionError:
      if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
        self = .unresolved
      } else if let first = error.connectionErrors.last {
        self.init(first.error, limitMilliseconds: limitMilliseconds)
      } else {
        self = .network("no address could be reached")
      }
    case let error as IOError where error.errnoCode == ECONNREFUSED: self = .refused
    case let error as IOError: self = .network(String(cString: strerror(error.errnoCode)))
    case ChannelError.connectTimeout: self = .timedOut(connected: false, milliseconds: limitMilliseconds)
    case is SocketAddressError: self = .unresolved
    default: self = .network("\(error)")
    }
  }
}

/// Asks a server by the four-letter word `isro` whether it is read-write.
final class ReadWriteProbe: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let answer: @Sendable (Bool) -> Void
  private var received: [UInt8] = []
  private var hasAnswered = false

  private init(_ answer: @escaping @Sendable (Bool) -> Void) { self.answer = answer }

  /// Connects, asks, and calls `answer` once on `loop`; a server that cannot be asked is not read-write.
  static func ask(_ address: ServerAddress, on loop: any EventLoop, _ answer: @escaping @Sendable (Bool) -> Void) {
    ClientBootstrap(group: loop)
      .connectTimeout(.seconds(1))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(ReadWriteProbe(answer))
        }
      }
      .connect(to: address)
      .whenFailure { _ in answer(false) }
  }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(NIOAny(ByteBuffer(string: "isro")), promise: nil)
    let channel = context.channel
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView.prefix(16)
    if received.count >= 2 { finish(context) }
  }

  func channelInactive(context: ChannelHandlerContext) { finish(context) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { finish(context) }

  private func finish(_ context: ChannelHandlerContext) {
    guard !hasAnswered else { return }
    hasAnswered = true
    answer(received.starts(with: "rw".utf8))
    context.close(promise: nil)
  }
}
