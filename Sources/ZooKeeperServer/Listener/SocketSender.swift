import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sends bytes on a connection: directly to its socket as far as that accepts them, the rest through NIO's queue.
///
/// A small answer on a socket with free space, which is almost every answer, does not need the queue, and the queue
/// takes ten times the instructions: a single write in an ensemble needs eight sends. What the socket does not accept
/// is queued, and so is everything after it until the queue is empty. So the order is kept, and the channel's
/// writability stays correct.
///
/// Everything else that the handler sends must go through `enqueue`. Handlers between it and the socket are bypassed.
/// Where one of them changes bytes, as on a port with TLS, everything goes through the queue.
///
/// *Thread*: the channel's event loop.
final class SocketSender {
  private let context: ChannelHandlerContext
  /// The socket; nil if handlers must not be bypassed, or the channel has none or has closed it already, in which cases
  /// everything goes through NIO.
  private let socket: NIOBSDSocket.Handle?
  /// The number of writes that NIO has not completed yet.
  private var queuedWriteCount = 0

  /// Creates a sender for the channel of a handler that was just added.
  ///
  /// - Parameter mayBeEncrypted: whether a handler before it may change the bytes.
  init(_ context: ChannelHandlerContext, mayBeEncrypted: Bool) {
    self.context = context
    guard !mayBeEncrypted else {
      socket = nil
      return
    }
    socket = try? context.channel.pipeline.syncOperations
      .withUnsafeTransportIfAvailable { (socket: NIOBSDSocket.Handle) in socket }
  }

  /// Sends bytes after everything that was sent before. Does nothing on a closed channel.
  ///
  /// - Returns: the memory in bytes that the queued part occupies.
  @discardableResult
  func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    let sent = sendNow(bytes)
    guard sent < bytes.count else { return 0 }
    let rest = ByteBuffer(bytes: bytes[sent...])
    enqueue(rest)
    return rest.capacity
  }

  /// Sends bytes through NIO's queue.
  ///
  /// - Returns: a future that completes when the socket has accepted them, and fails when it never will.
  @discardableResult
  func enqueue(_ buffer: ByteBuffer) -> EventLoopFuture<Void> {
    queuedWriteCount += 1
    let written = context.writeAndFlush(NIOAny(buffer))
    written.assumeIsolated().whenComplete { [self] _ in queuedWriteCount -= 1 }
    return written
  }

  /// Writes to the socket what it accepts without blocking, if nothing is queued.
  ///
  /// Errors are ignored: NIO encounters them again with the bytes that were not sent, and closes the channel.
  ///
  /// - Returns: the number of bytes that the socket has accepted.
  private func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int {
    // An inactive channel has closed its socket, whose descriptor may already belong to another connection.
    guard let socket, queuedWriteCount == 0, context.channel.isActive else { return 0 }
    while true {
      let count = write(socket, bytes.baseAddress, bytes.count)
      if count >= 0 || errno != EINTR { return max(0, count) }
    }
  }
}
