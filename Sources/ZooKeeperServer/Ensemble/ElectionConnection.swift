import Jute
import NIOCore
import ZooKeeperProtocol

/// One election connection: the caller's greeting, then messages behind their lengths.
final class ElectionConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let port: ElectionPort
  /// Who is at the other end; nil until it has said so.
  private var peer: ServerID?
  private var received = ByteBuffer()
  private let handshakeTimeout: TimeAmount
  private var handshakeTimer: Scheduled<Void>?

  /// - Parameter peer: whom this server has called; nil for a caller.
  init(_ port: ElectionPort, peer: ServerID?, limits: ServerConfiguration.Ensemble) {
    self.port = port
    self.peer = peer
    handshakeTimeout = .milliseconds(clamping: limits.tickTimeMilliseconds * limits.times.syncLimitTicks)
  }

  func channelActive(context: ChannelHandlerContext) {
    guard peer == nil else { return }
    let channel = context.channel
    handshakeTimer = context.eventLoop.scheduleTask(in: handshakeTimeout) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    do throws(JuteError) {
      if peer == nil, try !readGreeting(context) { return }
      while let notification = try nextNotification() {
        if let peer, let message = notification { port.onNotification(message, from: peer) }
      }
      received.discardReadBytes()
    } catch {
      port.onBadBytes(error, context.channel)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    handshakeTimer?.cancel()
    if let peer { port.onClosed(context.channel, of: peer) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func readGreeting(_ context: ChannelHandlerContext) throws(JuteError) -> Bool {
    let result = received.withUnsafeReadableBytes { raw -> Result<(ElectionGreeting, Int)?, JuteError> in
      do throws(JuteError) { return .success(try ElectionGreeting.first(in: raw)) } catch { return .failure(error) }
    }
    guard let (greeting, length) = try result.get() else { return false }
    received.moveReaderIndex(forwardBy: length)
    handshakeTimer?.cancel()
    guard port.onGreeting(greeting, context.channel) else {
      context.close(promise: nil)
      return false
    }
    peer = greeting.serverID
    return true
  }

  /// The next message; nil inside when it is one to be passed over, nil outside when none is complete.
  private func nextNotification() throws(JuteError) -> ElectionNotification?? {
    let result = received.withUnsafeReadableBytes { raw -> Result<(ElectionNotification?, Int)?, JuteError> in
      do throws(JuteError) {
        guard
          let payload = try FrameSplitter.firstPayload(in: raw, limitBytes: ElectionNotification.maxLengthBytes)
        else { return .success(nil) }
        guard !payload.isEmpty else { throw JuteError(.truncated(missingBytes: 1), offset: 4) }
        var reader = JuteReader(payload)
        // A message that cannot be read is dropped; the connection goes on, as between Apache's servers.
        return .success((try? ElectionNotification(from: &reader), payload.count + FrameSplitter.prefixLengthBytes))
      } catch {
        return .failure(error)
      }
    }
    guard let (notification, length) = try result.get() else { return nil }
    received.moveReaderIndex(forwardBy: length)
    return .some(notification)
  }
}
