import Jute
import NIOCore
import ZooKeeperProtocol

/// One election connection: the greeting of the server that opened it, then messages with their lengths in front.
final class ElectionConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// What a connection reports, on the loop.
  struct Reports {
    /// The server at the other end of an inbound connection has identified itself. Returns whether the connection is
    /// used.
    let onGreeting: (ElectionGreeting, any Channel) -> Bool
    let onNotification: (ElectionNotification, ServerID) -> Void
    let onClosed: (any Channel, ServerID) -> Void
    /// Something invalid has arrived.
    let onBadBytes: (JuteError, any Channel) -> Void
    let onError: (any Error, any Channel) -> Void
    /// The gate that an inbound connection passes after its greeting; nil if servers do not authenticate.
    let gate: () -> QuorumAuthGate?
  }

  private let reports: Reports
  /// The server at the other end; nil until it has identified itself.
  private var peer: ServerID?
  private var received = ByteBuffer()
  private let handshakeTimeout: TimeAmount
  private var handshakeTimer: Scheduled<Void>?

  /// - Parameter peer: the server to which this one has connected; nil for an inbound connection.
  init(peer: ServerID?, limits: ServerConfiguration.Ensemble, _ reports: Reports) {
    self.reports = reports
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
        if let peer, let message = notification { reports.onNotification(message, peer) }
      }
      received.discardReadBytes()
    } catch {
      reports.onBadBytes(error, context.channel)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    handshakeTimer?.cancel()
    if let peer { reports.onClosed(context.channel, peer) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reports.onError(error, context.channel)
    context.close(promise: nil)
  }

  private func readGreeting(_ context: ChannelHandlerContext) throws(JuteError) -> Bool {
    let result = received.withUnsafeReadableBytes { raw -> Result<(ElectionGreeting, Int)?, JuteError> in
      do throws(JuteError) { return .success(try ElectionGreeting.first(in: raw)) } catch { return .failure(error) }
    }
    guard let (greeting, length) = try result.get() else { return false }
    received.moveReaderIndex(forwardBy: length)
    handshakeTimer?.cancel()
    guard let gate = reports.gate() else { return use(greeting, context) }
    do {
      try context.pipeline.syncOperations.addHandler(gate, position: .before(self))
    } catch {
      context.close(promise: nil)
      return false
    }
    gate.onPassed = { [weak self, channel = context.channel] in
      guard let self, let context = try? channel.pipeline.syncOperations.context(handler: self) else { return }
      _ = use(greeting, context)
    }
    // A server with a smaller id greets and leaves, and waits to be called back.
    gate.onLeft = { [weak self, channel = context.channel] in
      guard let self else { return }
      _ = reports.onGreeting(greeting, channel)
    }
    let rest = received
    received = ByteBuffer()
    gate.take(rest)
    return false
  }

  /// Uses a connection whose other end is known.
  private func use(_ greeting: ElectionGreeting, _ context: ChannelHandlerContext) -> Bool {
    guard reports.onGreeting(greeting, context.channel) else {
      context.close(promise: nil)
      return false
    }
    peer = greeting.serverID
    return true
  }

  /// The next message. The inner optional is nil for a message that must be skipped, the outer one when no message is
  /// complete.
  private func nextNotification() throws(JuteError) -> ElectionNotification?? {
    let result = received.withUnsafeReadableBytes { raw -> Result<(ElectionNotification?, Int)?, JuteError> in
      do throws(JuteError) {
        guard
          let payload = try FrameSplitter.firstPayload(in: raw, limitBytes: ElectionNotification.maxLengthBytes)
        else { return .success(nil) }
        guard !payload.isEmpty else { throw JuteError(.truncated(missingBytes: 1), offset: 4) }
        var reader = JuteReader(payload)
        // A message that cannot be decoded is skipped and the connection stays open, as between Apache's servers.
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
