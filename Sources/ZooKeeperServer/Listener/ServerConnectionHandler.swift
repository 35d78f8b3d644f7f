import Jute
import Logging
import NIOCore
import ServerCore
import TransportSecurity
import ZooKeeperProtocol

/// What a connection needs from the listener that accepted it. None of it is on the path of a request.
protocol ServerConnectionOwner: AnyObject {
  /// Answers a four-letter word.
  func answer(to word: String, argument: Int64?) -> EventLoopFuture<String>
  /// Reports that the connection has ended.
  func onDisconnected(_ handler: ServerConnectionHandler)
  /// Whether a client that asks for a session, while no client is served, shall wait for a moment.
  func mayWait(_ handler: ServerConnectionHandler) -> Bool
  /// Reports that a large answer was sent: its memory must be released when there is no other one soon.
  func onLargeOutput(_ handler: ServerConnectionHandler)
  /// Reports that a client asks for a session while no client is served.
  func onRefused(_ handler: ServerConnectionHandler)
  /// Reports that a connection could not be encrypted.
  func onFailedHandshake(_ handler: ServerConnectionHandler)
}

/// One client's connection: it passes complete frames to the core, and sends the core's output.
///
/// All frames of a read are decoded in place, and the answers of one turn of the loop are sent in one write.
///
/// Overlapping accesses are not looked for at run time; `ServerCore` says why.
///
/// *Thread*: the server's event loop.
final class ServerConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let served: ServedCore
  private let turns: TurnLoop
  private let maximumFrameBytes: Int
  private let logger: Logger
  private let owner: any ServerConnectionOwner
  private let mayBeEncrypted: Bool
  /// The identity that the client's certificate gives it; nil if it has presented none.
  private(set) var certificateSubject: String?
  @exclusivity(unchecked) private(set) var connection: ClientConnection
  /// When the connection was accepted.
  let acceptedAt = NIODeadline.now()
  /// The same by the server's wall clock.
  let establishedMilliseconds: Int64
  /// The largest frame that a client may send before it has a session. Apache's client and this one send 45 bytes. A
  /// larger limit would let any process that can reach the port fill the memory with many connections.
  static let maximumFirstFrameBytes = 4096
  /// The largest output, in bytes, whose memory the connection keeps for the next one.
  private static let keptOutputBytes = 64 << 10
  let remoteAddress: String
  @exclusivity(unchecked) private(set) var lastHeard = NIODeadline.now()
  @exclusivity(unchecked) private var context: ChannelHandlerContext?
  @exclusivity(unchecked) private var sender: SocketSender?
  @exclusivity(unchecked) private var received: ByteBuffer?
  /// Whether the first four bytes have arrived.
  @exclusivity(unchecked) private(set) var hasSpoken = false
  /// Whether the connection will be closed as soon as the output is sent.
  @exclusivity(unchecked) private(set) var isClosing = false
  /// Whether a four-letter word has arrived, and its answer is being made.
  @exclusivity(unchecked) private(set) var isAnswering = false
  /// Whether it is among those for whose output a turn had no time.
  var isUnsent = false
  private var unreadBytes = 0
  /// Whether the owner will call `releaseMemory`, and whether there was a large answer since it did last.
  private var holdsMemory = false
  private var hasSentLarge = false
  /// Whether the connection is not read because the server is overloaded.
  @exclusivity(unchecked) private var isThrottled = false
  @exclusivity(unchecked) private var isReaderSlow = false

  init(
    _ connection: ClientConnection, remoteAddress: String, _ served: ServedCore, _ turns: TurnLoop,
    maximumFrameBytes: Int, mayBeEncrypted: Bool, logger: Logger, owner: any ServerConnectionOwner
  ) {
    self.connection = connection
    self.remoteAddress = remoteAddress
    self.served = served
    self.turns = turns
    self.maximumFrameBytes = maximumFrameBytes
    self.logger = logger
    self.owner = owner
    self.mayBeEncrypted = mayBeEncrypted
    establishedMilliseconds = served.clock.wallMilliseconds
  }

  /// Takes the identity of the client's certificate, before anything is received.
  func identify(_ subject: String) {
    certificateSubject = subject
    served.core.identify(connection, certificateSubject: subject)
  }

  /// Moves the connection to another core. Only for a connection on which nothing has arrived yet.
  func rebind(_ connection: ClientConnection) { self.connection = connection }

  var isReading: Bool { !isThrottled && !isReaderSlow }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    sender = SocketSender(context, mayBeEncrypted: mayBeEncrypted)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    // Data received while closing must not refresh `lastHeard`.
    guard !isClosing, !isAnswering else { return }
    lastHeard = .now()
    if var received {
      // The property is cleared first, so that appending does not copy the buffer.
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
    let word = bytes.withUnsafeReadableBytes(FourLetterWords.word)
    if word == nil, !served.isServing, bytes.readableBytes <= Self.maximumFirstFrameBytes, owner.mayWait(self) {
      return false
    }
    hasSpoken = true
    guard let word else {
      // Clients that ask for a session must try another server.
      if !served.admitsClients {
        owner.onRefused(self)
        closeAfterOutput(context)
      }
      return served.admitsClients
    }
    isAnswering = true
    let argument = bytes.getInteger(at: bytes.readerIndex + 4, as: Int64.self)
    owner.answer(to: word, argument: argument).assumeIsolated().whenComplete { [self] result in
      // Nil once the connection has ended.
      guard let context = self.context else { return }
      if case .success(var answer) = result {
        answer.withUTF8 { _ = sender?.send(UnsafeRawBufferPointer($0)) }
      }
      closeAfterOutput(context)
    }
    return false
  }

  /// Handles what the client has sent while no clients were served: the server has found its role, or takes too long.
  func stopWaiting() {
    guard let context, !hasSpoken, !isClosing, var bytes = received else { return }
    received = nil
    guard takeFirstBytes(bytes, context) else {
      received = isClosing || isAnswering ? nil : bytes
      return
    }
    handleFrames(&bytes, context)
    if bytes.readableBytes > 0, !isClosing { received = bytes }
    turns.schedule()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // A client that sends a four-letter word may close its sending side at once; any other client has disconnected.
    if case ChannelEvent.inputClosed? = event as? ChannelEvent, !isAnswering { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  private func handleFrames(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) {
    let time = served.clock.now
    let core = served.core
    let firstFrameLimit = min(maximumFrameBytes, Self.maximumFirstFrameBytes)
    var isBroken = false
    let consumed = bytes.withUnsafeReadableBytes { raw -> Int in
      var offset = 0
      var aheadEnd = 0
      defer { core.endLookAhead() }
      do throws(JuteError) {
        while let payload = try FrameSplitter.firstPayload(
          in: UnsafeRawBufferPointer(rebasing: raw[offset...]),
          limitBytes: isAwaitingConnect ? firstFrameLimit : maximumFrameBytes)
        {
          if offset >= aheadEnd { aheadEnd = core.lookAhead(in: raw, from: offset, on: connection) }
          core.receive(payload, on: connection, time)
          turns.countRequest(time)
          offset += FrameSplitter.prefixLengthBytes + payload.count
          if connection.output.count > ClientConnection.outputTargetBytes {
            flush()
            // The remaining requests wait undecoded, which takes far less memory than their answers would.
            if isReaderSlow || isClosing { break }
          }
        }
      } catch {
        let isTLS = isAwaitingConnect && FirstBytes.isHandshake(raw[offset])
        let reason = isTLS ? "the client expects TLS, which is for the secureClientPort" : "\(error)"
        logger.warning("closing a connection", metadata: ["client": "\(remoteAddress)", "reason": "\(reason)"])
        isBroken = true
      }
      if core.hasRequestLimits, !isBroken, !isReaderSlow, raw.count - offset >= FrameSplitter.prefixLengthBytes {
        isBroken = !mayContinue(raw.loadBigEndian(at: offset, as: Int32.self), core)
      }
      return offset
    }
    bytes.moveReaderIndex(forwardBy: consumed)
    if isBroken { context.close(promise: nil) }
  }

  /// Whether the first frame has not come yet. This is asked for every frame, and `==` of another module's type is
  /// called through a table.
  private var isAwaitingConnect: Bool {
    if case .awaitingConnect = connection.state { true } else { false }
  }

  /// Whether the rest of a frame, whose length has come, may be read.
  private func mayContinue(_ lengthBytes: Int32, _ core: ServerCore) -> Bool {
    if core.expect(frameBytes: Int(lengthBytes), on: connection) { return true }
    logger.warning(
      "closing a connection",
      metadata: ["client": "\(remoteAddress)", "reason": "too many bytes of large requests are not answered"])
    return false
  }

  /// Sends the core's output for this client, and closes the connection if the core has closed it.
  func flush() {
    guard let context else { return }
    send(context)
    while connection.hasHeldReads, context.channel.isWritable {
      served.core.resumeReads(connection, served.clock.now)
      send(context)
    }
    if case .closed = connection.state {
      closeAfterOutput(context)
    } else if unreadBytes > ClientConnection.outputLimitBytes {
      logger.warning("closing a connection whose client does not read", metadata: ["client": "\(remoteAddress)"])
      context.close(promise: nil)
    }
  }

  /// Gives memory back that was used for a large answer, unless there has been one again since the last call.
  ///
  /// - Returns: whether it is done.
  func releaseMemory() -> Bool {
    if hasSentLarge {
      hasSentLarge = false
      return false
    }
    if connection.output.isEmpty { connection.output = JuteWriter() }
    holdsMemory = !connection.output.isEmpty
    return !holdsMemory
  }

  private func send(_ context: ChannelHandlerContext) {
    guard let sender, !connection.output.isEmpty else { return }
    if connection.output.count > Self.keptOutputBytes {
      hasSentLarge = true
      if !holdsMemory { owner.onLargeOutput(self) }
      holdsMemory = true
    }
    let isWaiting = !context.channel.isWritable
    let queuedBytes = connection.output.withUnsafeBytes { sender.send($0) }
    if isWaiting { unreadBytes += queuedBytes }
    connection.output.removeAll()
  }

  /// Closes the connection once its output is sent: NIO drops what is not sent yet when a channel is closed. The
  /// listener limits how long that may take.
  private func closeAfterOutput(_ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    received = nil
    sender?.enqueue(ByteBuffer()).whenComplete { [channel = context.channel] _ in
      channel.close(promise: nil)
    }
  }

  /// Stops reading while the server is overloaded, or continues.
  func setThrottled(_ isThrottled: Bool) {
    guard self.isThrottled != isThrottled else { return }
    self.isThrottled = isThrottled
    updateReading()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    isReaderSlow = !context.channel.isWritable
    if served.core.hasRequestLimits { served.core.setReaderSlow(isReaderSlow, connection) }
    updateReading()
    if !isReaderSlow {
      unreadBytes = 0
      // Not synchronously: this is called from within the write that made the channel writable.
      context.eventLoop.assumeIsolated().execute { [self] in goOn() }
    }
    context.fireChannelWritabilityChanged()
  }

  /// Handles the requests that were held back until the client had read its output.
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

  /// Ends this side of the connection once the output is sent. The connection is closed when the client has ended its
  /// side; until then, what it sends is read and dropped.
  ///
  /// If a connection is closed while requests are unread, the system resets it, and the client may lose answers that it
  /// has not read yet.
  func closeInOrder() {
    guard let context, !isClosing, !isAnswering else { return }
    flush()
    guard !isClosing else { return }
    isClosing = true
    received = nil
    isThrottled = false
    isReaderSlow = false
    updateReading()
    sender?.enqueue(ByteBuffer()).whenComplete { [channel = context.channel] _ in
      channel.close(mode: .output, promise: nil)
    }
  }

  /// Closes the connection; the session continues.
  func close() { context?.close(promise: nil) }

  /// Handles nothing more that the client sends. The owner closes the connection soon.
  func abandon() {
    isClosing = true
    received = nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    sender = nil
    owner.onDisconnected(self)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let failure = TLSFailure(error, on: context.channel) {
      owner.onFailedHandshake(self)
      logger.warning(
        "closing a connection",
        metadata: ["client": "\(remoteAddress)", "reason": "\(failure.description(of: "the client"))"])
    }
    context.close(promise: nil)
  }
}
