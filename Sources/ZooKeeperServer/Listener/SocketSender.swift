import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sends bytes on a connection: straight to its socket as far as that takes them, the rest through NIO's queue.
///
/// A small answer on a socket that has room, which is nearly every one, has no use for the queue, and the way through
/// it takes ten times the instructions: a lone write in an ensemble needs eight sends. What the socket does not take
/// is queued, and everything behind it, until the queue is empty: the order is kept, and so is what the channel says
/// of being writable.
///
/// Whatever else the handler sends goes through `enqueue`. Handlers between it and the socket are passed by, so there
/// must be none that change bytes, such as TLS.
///
/// *Thread*: the channel's event loop.
final class SocketSender {
  private let context: ChannelHandlerContext
  /// The socket; nil where the channel has none, or has closed it already: then all goes through NIO.
  private let socket: NIOBSDSocket.Handle?
  /// Writes that NIO has not done yet.
  private var queuedWriteCount = 0

  /// Sends on the channel of a handler that was just added.
  init(_ context: ChannelHandlerContext) {
    self.context = context
    socket = try? context.channel.pipeline.syncOperations
      .withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in socket }
  }

  /// Sends bytes behind everything that was sent before; none on a channel that is closed.
  ///
  /// - Returns: the memory in bytes that what was queued occupies.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Int {
    let sent = bytes.withUnsafeBytes { sendNow($0) }
    guard sent < bytes.count else { return 0 }
    let rest = ByteBuffer(bytes: bytes[sent...])
    enqueue(rest)
    return rest.capacity
  }

  /// Sends bytes through NIO's queue.
  ///
  /// - Returns: what completes when the socket has taken them, or never will.
  @discardableResult
  func enqueue(_ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    queuedWriteCount += 1
    let written = context.writeAndFlush(NIOAny(buffer))
    written.assumeIsolated().whenComplete { [self] _ in queuedWriteCount -= 1 }
    return written
  }

  /// Gives the socket what it takes without waiting, if nothing waits for it.
  ///
  /// An error is not looked at: NIO meets it again with what was not sent, and closes the channel.
  ///
  /// - Returns: the number of bytes that it took.
  private func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int {
    // A channel that is not active, even if only since a moment ago, has no socket: the number may be another's.
    guard let socket, queuedWriteCount == 0, context.channel.isActive else { return 0 }
    while true {
      let count = write(socket, bytes.baseAddress, bytes.count)
      if count >= 0 || errno != EINTR { return max(0, count) }
    }
  }
}
