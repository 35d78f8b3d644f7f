package import NIOCore
import NIOTLS

/// Holds back what is sent and received on an encrypted connection until the other end's certificate is accepted.
///
/// NIOSSL verifies that a certificate was issued by a trusted authority. Whether it is for this peer is decided here:
/// NIOSSL also accepts a certificate for the peer's address when a name was asked for. The handler leaves the pipeline
/// when it has decided.
///
/// *Thread*: the channel's event loop.
package final class PeerAdmission: ChannelDuplexHandler, RemovableChannelHandler {
  package typealias InboundIn = ByteBuffer
  package typealias InboundOut = ByteBuffer
  package typealias OutboundIn = ByteBuffer
  package typealias OutboundOut = ByteBuffer

  private let decide: (CertificateDetails?) -> EventLoopFuture<Void>
  private var inbound: [ByteBuffer] = []
  private var outbound: [(ByteBuffer, EventLoopPromise<Void>?)] = []
  private var hasShakenHands = false
  private var isDecided = false
  private let limit: TimeAmount
  private var timer: Scheduled<Void>?

  /// - Parameters:
  ///   - limit: how long the handshake and the decision may take; the connection is closed after that.
  ///   - decide: called once, on the loop, with what the certificate says; nil if there is none. It fails with a
  ///     `TLSFailure` when the peer is not accepted.
  package init(limit: TimeAmount, _ decide: @escaping (CertificateDetails?) -> EventLoopFuture<Void>) {
    self.limit = limit
    self.decide = decide
  }

  package func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timer = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
  }

  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
      hasShakenHands = true
      // Nothing is read while a decision takes time, so that the peer cannot fill the memory.
      context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
      decide(TLSContext.peerCertificate(of: context.channel)).assumeIsolated().whenComplete { [self] result in
        guard context.channel.isActive else { return }
        switch result {
        case .success: admit(context, event)
        case .failure(let error):
          context.fireErrorCaught(error)
          context.close(promise: nil)
        }
      }
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  private func admit(_ context: ChannelHandlerContext, _ event: Any) {
    isDecided = true
    // Before anything is received, after which the connection's handler decides whether it is read.
    context.channel.setOption(.autoRead, value: true).whenFailure { _ in }
    context.fireUserInboundEventTriggered(event)
    for (buffer, promise) in outbound { context.write(wrapOutboundOut(buffer), promise: promise) }
    outbound = []
    context.flush()
    for buffer in inbound { context.fireChannelRead(wrapInboundOut(buffer)) }
    if !inbound.isEmpty { context.fireChannelReadComplete() }
    inbound = []
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isDecided { return context.fireChannelRead(data) }
    inbound.append(unwrapInboundIn(data))
  }

  /// Keeps what is written before the decision.
  package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if isDecided { return context.write(data, promise: promise) }
    outbound.append((unwrapOutboundIn(data), promise))
  }

  /// Flushes nothing before the decision.
  package func flush(context: ChannelHandlerContext) { if isDecided { context.flush() } }

  /// Calls the end of a connection during the handshake, such as a reset, by its name.
  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let isEnd = !hasShakenHands && TLSFailure(error, on: context.channel) == nil
    context.fireErrorCaught(isEnd ? TLSFailure.closed : error)
  }

  package func handlerRemoved(context: ChannelHandlerContext) {
    timer?.cancel()
    for (_, promise) in outbound { promise?.fail(ChannelError.ioOnClosedChannel) }
    outbound = []
  }

  package func channelInactive(context: ChannelHandlerContext) {
    for (_, promise) in outbound { promise?.fail(ChannelError.ioOnClosedChannel) }
    outbound = []
    context.fireChannelInactive()
  }
}
