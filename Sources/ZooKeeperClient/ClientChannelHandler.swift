import NIOCore

/// Hands what a connection receives to the driver, and tells it of the connection's end.
///
/// Bytes are gathered in one buffer and decoded in place; only an incomplete frame at the end of a read
/// is kept. No `ByteToMessageDecoder`: its slice per frame costs several times the decoding.
final class ClientChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let driver: SessionDriver
  private let attempt: Int
  private var received: ByteBuffer?
  private var isOpen = true

  init(driver: SessionDriver, attempt: Int) {
    self.driver = driver
    self.attempt = attempt
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isOpen else { return }
    var bytes = unwrapInboundIn(data)
    if var received {
      // Dropped first, so that appending does not copy what is there.
      self.received = nil
      received.writeBuffer(&bytes)
      bytes = received
    }
    isOpen = driver.onBytes(&bytes, attempt: attempt)
    received = bytes.readableBytes > 0 ? bytes : nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    driver.onDisconnected(attempt: attempt)
    context.fireChannelInactive()
  }

  /// A reset, for example: the close that follows tells the driver.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
