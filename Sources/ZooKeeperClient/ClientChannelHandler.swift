import NIOCore
import TransportSecurity

/// Passes what a connection receives to the driver, and reports the end of the connection.
///
/// Bytes are gathered in one buffer and decoded in place; only an incomplete frame at the end of a read is kept.
/// `ByteToMessageDecoder` is not used because it makes a slice for each frame, which costs several times the decoding.
final class ClientChannelHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let driver: SessionDriver
  private let attempt: Int
  private var received: ByteBuffer?
  private var isOpen = true
  /// Why encryption has failed, if it has.
  private var failure: TLSFailure?

  init(driver: SessionDriver, attempt: Int) {
    self.driver = driver
    self.attempt = attempt
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isOpen else { return }
    var bytes = unwrapInboundIn(data)
    if var received {
      // The property is cleared first: with a second reference to the buffer, appending would copy it.
      self.received = nil
      received.writeBuffer(&bytes)
      bytes = received
    }
    isOpen = driver.onBytes(&bytes, attempt: attempt)
    received = bytes.readableBytes > 0 ? bytes : nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    driver.onDisconnected(attempt: attempt, failure: failure)
    context.fireChannelInactive()
  }

  /// Closes the connection after an error, such as a reset. The driver learns of it by `channelInactive`.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = failure ?? TLSFailure(error, on: context.channel)
    context.close(promise: nil)
  }
}
