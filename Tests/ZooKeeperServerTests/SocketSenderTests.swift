import NIOCore
import NIOPosix
import Testing

@testable import ZooKeeperServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The end that sends: a channel with a sender, and its socket's number.
private final class SendingHandler: ChannelInboundHandler, @unchecked Sendable {
  // @unchecked: everything is touched on the channel's event loop only.
  typealias InboundIn = ByteBuffer

  private(set) var sender: SocketSender!
  private(set) var channel: (any Channel)!
  private(set) var socket: Int32 = -1

  func handlerAdded(context: ChannelHandlerContext) {
    sender = SocketSender(context, mayBeEncrypted: false)
    channel = context.channel
    socket =
      (try? context.channel.pipeline.syncOperations
        .withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in socket }) ?? -1
  }
}

/// The end that receives.
private final class ReceivingHandler: ChannelInboundHandler, @unchecked Sendable {
  // @unchecked: everything is touched on the channel's event loop only.
  typealias InboundIn = ByteBuffer

  private(set) var bytes: [UInt8] = []
  private var waiting: (count: Int, promise: EventLoopPromise<[UInt8]>)?

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes += unwrapInboundIn(data).readableBytesView
    finish()
  }

  /// Completes with all bytes once the expected number has arrived.
  func bytes(_ count: Int, on loop: any EventLoop) -> EventLoopFuture<[UInt8]> {
    let promise = loop.makePromise(of: [UInt8].self)
    waiting = (count, promise)
    finish()
    return promise.futureResult
  }

  private func finish() {
    guard let (count, promise) = waiting, bytes.count >= count else { return }
    waiting = nil
    promise.succeed(bytes)
  }
}

/// Two ends of a connection over loopback, both on one loop. The receiving one reads nothing yet.
private func withConnection(
  _ body: (any EventLoop, SendingHandler, any Channel, ReceivingHandler) async throws -> Void
) async throws {
  let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  let loop = group.next()
  let accepted = loop.makePromise(of: SendingHandler.self)
  let listener = try await ServerBootstrap(group: group)
    // A small buffer, so that the queue is needed soon.
    .childChannelOption(.socketOption(.so_sndbuf), value: 8192)
    .childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        let handler = SendingHandler()
        try channel.pipeline.syncOperations.addHandler(handler)
        // After the registration, which makes the channel active.
        channel.eventLoop.execute { accepted.succeed(handler) }
      }
    }
    .bind(host: "127.0.0.1", port: 0).get()
  let receiver = ReceivingHandler()
  let client = try await ClientBootstrap(group: group)
    .channelOption(.autoRead, value: false)
    .channelOption(.socketOption(.so_rcvbuf), value: 8192)
    .channelInitializer { $0.pipeline.addHandler(receiver) }
    .connect(to: listener.localAddress!).get()
  do {
    try await body(loop, try await accepted.futureResult.get(), client, receiver)
  } catch {
    try await group.shutdownGracefully()
    throw error
  }
  // Closes both ends.
  try await group.shutdownGracefully()
}

@Suite(.timeLimit(.minutes(10)))
struct SocketSenderTests {
  /// Bytes whose values depend on their offsets.
  private static func pattern(_ range: Range<Int>) -> [UInt8] { range.map { UInt8(truncatingIfNeeded: $0 / 7 + $0) } }

  @Test func orderIsKeptWhenTheSocketIsFull() async throws {
    try await withConnection { loop, handler, client, receiver in
      // Sends of all sizes until far more waits than the socket accepts, and then small ones after them.
      let (total, queued) = try await loop.submit { () -> (Int, Int) in
        var (total, queued, size) = (0, 0, 1)
        while total < 256 << 10 {
          queued += handler.sender.send(Self.pattern(total..<total + size))
          total += size
          size = size * 3 % 16_381
        }
        return (total, queued)
      }.get()
      #expect(queued > 0)
      #expect(try await loop.submit { handler.channel.isWritable }.get() == false)
      try await client.setOption(.autoRead, value: true).get()
      let bytes = try await loop.flatSubmit { receiver.bytes(total, on: loop) }.get()
      let isSame = bytes == Self.pattern(0..<total)
      #expect(isSame, "which would be too much to print")
    }
  }

  @Test func queueIsLeftBehindOnceItIsEmpty() async throws {
    try await withConnection { loop, handler, client, receiver in
      let first = try await loop.submit { handler.sender.send(Self.pattern(0..<10)) }.get()
      #expect(first == 0)
      let count = 256 << 10
      #expect(try await loop.submit { handler.sender.send(Self.pattern(10..<count)) }.get() > 0)
      // The socket may have space again, but what waits must be sent first.
      #expect(try await loop.submit { handler.sender.send(Self.pattern(count..<count + 10)) }.get() > 0)
      try await client.setOption(.autoRead, value: true).get()
      _ = try await loop.flatSubmit { receiver.bytes(count + 10, on: loop) }.get()
      #expect(try await loop.submit { handler.sender.send(Self.pattern(count + 10..<count + 20)) }.get() == 0)
      let bytes = try await loop.flatSubmit { receiver.bytes(count + 20, on: loop) }.get()
      let isSame = bytes == Self.pattern(0..<count + 20)
      #expect(isSame, "which would be too much to print")
    }
  }

  @Test func nothingGoesToAnotherFileOfTheSameNumber() async throws {
    try await withConnection { loop, handler, _, _ in
      var ends: [Int32] = [-1, -1]
      try #require(pipe(&ends) == 0)
      defer { for descriptor in ends { close(descriptor) } }
      _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
      try await handler.channel.close()
      try await loop.submit { [ends] in
        let reused = fcntl(ends[1], F_DUPFD, handler.socket)
        defer { close(reused) }
        // Unless the descriptor is already used by another file of this process.
        guard reused == handler.socket else { return }
        _ = handler.sender.send(Self.pattern(0..<100))
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) < 0)
      }.get()
    }
  }
}

extension SocketSender {
  fileprivate func send(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { send($0) } }
}
