import Jute
import Logging
import NIOCore
import ServerCore
import ZooKeeperProtocol

/// What a connection asks of the port that it was made to; neither is on the path of a request.
protocol ServerConnectionOwner: AnyObject {
  /// Answers a four-letter word.
  func answer(to word: String, argument: Int64?) -> EventLoopFuture<String>
  /// The connection is gone.
  func onDisconnected(_ handler: ServerConnectionHandler)
}

/// One client's connection: bytes in, whole frames to the core; the core's output, bytes out.
///
/// All frames of a read are handled where they lie; answers of one turn of the loop leave in one write.
///
/// *Thread*: the server's event loop.
final class ServerConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let served: ServedCore
  private let turns: TurnLoop
  private let maximumFrameBytes: Int
  private let logger: Logger
  private let owner: any ServerConnectionOwner
  private(set) var connection: ClientConnection
  let establishedMilliseconds = Host.wallMilliseconds
  /// When the connection was made.
  let acceptedAt = NIODeadline.now()
  /// The most that a client may send before it has a session. Apache's and ours send 45 bytes; a larger limit would let
  /// strangers fill the memory, one connection after the other.
  static let maximumFirstFrameBytes = 4096
  let remoteAddress: String
  private(set) var lastHeard = NIODeadline.now()
  private var context: ChannelHandlerContext?
  private var sender: SocketSender?
  private var received: ByteBuffer?
  /// Whether the first four bytes have come.
  private(set) var hasSpoken = false
  /// Whether the connection ends as soon as the output is sent.
  private(set) var isClosing = false
  /// Whether a four-letter word has come, and its answer is on its way.
  private(set) var isAnswering = false
  private var unreadBytes = 0
  /// Why the connection is not being read.
  private var isThrottled = false
  private var isReaderSlow = false

  init(
    _ connection: ClientConnection, remoteAddress: String, _ served: ServedCore, _ turns: TurnLoop,
    maximumFrameBytes: Int, logger: Logger, owner: any ServerConnectionOwner
  ) {
    self.connection = connection
    self.remoteAddress = remoteAddress
    self.served = served
    self.turns = turns
    self.maximumFrameBytes = maximumFrameBytes
    self.logger = logger
    self.owner = owner
  }

  /// Takes another connection of another core: for one from which nothing has come yet.
  func rebind(_ connection: ClientConnection) { self.connection = connection }

  var isReading: Bool { !isThrottled && !isReaderSlow }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    sender = SocketSender(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    // Data received while closing must not refresh `lastHeard`.
    guard !isClosing, !isAnswering else { return }
    lastHeard = .now()
    if var received {
      // Dropped first, so that appending does not copy what is there.
      self.received = nil
      received.writeBuffer(&bytes)
      bytes = received
    }
    guard hasSpoken || takeFirstBytes(bytes, context) else {
      received = isClosing || isAnswering ? nil : bytes
      return
    }
    if !isReaderSlow { handleFrames(&bytes, context) }
    received = bytes.readableBytes > 0 && !isClosing ? bytes : nil
    turns.onRead()
  }

  /// The first four bytes of a connection are a four-letter word or the length of a frame.
  ///
  /// - Returns: whether frames may be read.
  private func takeFirstBytes(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    guard bytes.readableBytes >= 4 else { return false }
    hasSpoken = true
    guard let word = bytes.withUnsafeReadableBytes(FourLetterWords.word) else {
      // Clients that ask for a session must try another server.
      if !served.isServing { closeAfterOutput(context) }
      return served.isServing
    }
    isAnswering = true
    let argument = bytes.getInteger(at: bytes.readerIndex + 4, as: Int64.self)
    owner.answer(to: word, argument: argument).assumeIsolated().whenComplete { [self] result in
      // Nil once the connection is gone.
      guard let context = self.context else { return }
      if case .success(let answer) = result { sender?.send(Array(answer.utf8)) }
      closeAfterOutput(context)
    }
    return false
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client that only sends a four-letter word may close its end at once; any other is gone.
    if case ChannelEvent.inputClosed? = event as? ChannelEvent, !isAnswering { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  private func handleFrames(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) {
    let time = ServerTime.now
    let core = served.core
    let firstFrameLimit = min(maximumFrameBytes, Self.maximumFirstFrameBytes)
    var isBroken = false
    let consumed = bytes.withUnsafeReadableBytes { raw -> Int in
      var offset = 0
      do throws(JuteError) {
        while let payload = try FrameSplitter.firstPayload(
          in: UnsafeRawBufferPointer(rebasing: raw[offset...]),
          limitBytes: connection.state == .awaitingConnect ? firstFrameLimit : maximumFrameBytes)
        {
          core.receive(payload, on: connection, time)
          turns.countRequest()
          offset += FrameSplitter.prefixLengthBytes + payload.count
          if connection.output.bytes.count > ClientConnection.outputTargetBytes {
            flush()
            // The rest waits with the client's own bytes, which are far smaller than the answers to them.
            if isReaderSlow || isClosing { break }
          }
        }
      } catch {
        logger.warning(
          "closing a connection", metadata: ["client": "\(remoteAddress)", "reason": "\(error)"])
        isBroken = true
      }
      return offset
    }
    bytes.moveReaderIndex(forwardBy: consumed)
    if isBroken { context.close(promise: nil) }
  }

  /// Sends what the core has for this client, and closes the connection when that was the last.
  func flush() {
    guard let context else { return }
    send(context)
    while connection.hasHeldReads, context.channel.isWritable {
      served.core.resumeReads(connection, .now)
      send(context)
    }
    if case .closed = connection.state {
      closeAfterOutput(context)
    } else if unreadBytes > ClientConnection.outputLimitBytes {
      logger.warning("closing a connection that does not read", metadata: ["client": "\(remoteAddress)"])
      context.close(promise: nil)
    }
  }

  private func send(_ context: ChannelHandlerContext) {
    guard let sender, !connection.output.bytes.isEmpty else { return }
    let isWaiting = !context.channel.isWritable
    let queuedBytes = sender.send(connection.output.bytes)
    if isWaiting { unreadBytes += queuedBytes }
    connection.output.removeAll()
  }

  /// NIO drops what is not yet sent when it is told to close, so that must wait; the listener limits how long.
  private func closeAfterOutput(_ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    received = nil
    sender?.enqueue(ByteBuffer()).whenComplete { [channel = context.channel] _ in
      channel.close(promise: nil)
    }
  }

  /// Stops reading while the server has too much to do, or goes on.
  func setThrottled(_ isThrottled: Bool) {
    guard self.isThrottled != isThrottled else { return }
    self.isThrottled = isThrottled
    updateReading()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    isReaderSlow = !context.channel.isWritable
    updateReading()
    if !isReaderSlow {
      unreadBytes = 0
      // Not from within the write that made it writable.
      context.eventLoop.assumeIsolated().execute { [self] in goOn() }
    }
    context.fireChannelWritabilityChanged()
  }

  /// The client has taken what waited for it: answers what was held back meanwhile.
  private func goOn() {
    guard let context, !isReaderSlow, !isClosing else { return }
    flush()
    if hasSpoken, !isReaderSlow, var bytes = received {
      received = nil
      handleFrames(&bytes, context)
      if bytes.readableBytes > 0, !isClosing { received = bytes }
    }
    turns.schedule()
  }

  private func updateReading() {
    context?.channel.setOption(.autoRead, value: isReading).whenFailure { _ in }
  }

  /// Ends the connection; the session lives on.
  func close() { context?.close(promise: nil) }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    sender = nil
    owner.onDisconnected(self)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
