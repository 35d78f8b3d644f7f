package import NIOCore

/// Decides by the first byte of an accepted connection whether it is encrypted, on a port that takes both kinds.
///
/// *Source*: `UnifiedServerSocket` and `NettyServerCnxnFactory.DualModeSslHandler` of Apache, which look at the first
/// bytes too.
///
/// *Thread*: the channel's event loop.
package final class TLSDetector: ChannelInboundHandler, RemovableChannelHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer

  private let context: TLSContext
  private let limit: TimeAmount
  private let onPlain: () -> Void
  private let admit: (CertificateDetails?) -> EventLoopFuture<Void>
  private var timer: Scheduled<Void>?

  /// - Parameters:
  ///   - limit: how long the first byte may take; the connection is closed after that.
  ///   - onPlain: called when the connection is not encrypted.
  ///   - admit: decides about the peer of an encrypted connection, see `TLSContext.encryptAccepted`.
  package init(
    _ context: TLSContext, limit: TimeAmount, onPlain: @escaping () -> Void,
    admit: @escaping (CertificateDetails?) -> EventLoopFuture<Void>
  ) {
    self.context = context
    self.limit = limit
    self.onPlain = onPlain
    self.admit = admit
  }

  package func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  package func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return }
    timer?.cancel()
    if FirstBytes.isHandshake(first) {
      do {
        try self.context.encryptAccepted(context.channel, after: self, admit: admit)
      } catch {
        context.fireErrorCaught(error)
        return context.close(promise: nil)
      }
    } else {
      onPlain()
    }
    context.fireChannelRead(data)
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
