import EnsembleCore
import Jute
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// One connection between a leader and a learner: it carries packets, and at most one tree among them.
///
/// *Thread*: the server's event loop.
final class QuorumConnection: ChannelInboundHandler, @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  typealias InboundIn = ByteBuffer

  /// Who is at the other end.
  enum Peer {
    /// The leader, to which this server has connected. Its packets are not limited: its log may contain transactions
    /// from a time without a limit, or with another `jute.maxbuffer`.
    case leader
    /// An inbound connection, of a learner or of anything else that can reach the port.
    case caller
  }

  /// What a connection reports, on the loop.
  struct Reports {
    let onPacket: (QuorumPacket, QuorumConnection) -> Void
    /// Two or more packets that have arrived together: PROPOSALs and COMMITs of the leader, or ACKs of a learner.
    let onPackets: ([QuorumPacket], QuorumConnection) -> Void
    /// A tree has arrived completely.
    let onTree: (RecoveredState, QuorumConnection) -> Void
    /// Everything that had arrived is handled.
    let onReadComplete: () -> Void
    /// The connection has ended, and not by `close`.
    let onClosed: (QuorumConnection) -> Void
    /// Something invalid has arrived.
    let onBadBytes: (String, QuorumConnection) -> Void
    /// The log could not be read up to a transaction.
    let onUnreadableLog: (TxnLogError, Zxid, QuorumConnection) -> Void
    let onError: (any Error, any Channel) -> Void
  }

  /// The number of bytes of a tree that are encoded at a time.
  private static let pieceBytes = 256 << 10

  /// The number of bytes on a slow link at which encoding a tree pauses.
  private static let maxDelayedTreeBytes = 4 << 20

  private static let nothing = ByteBuffer()

  /// The largest number of bytes that are kept of an inbound connection that waits for this server to lead. A learner
  /// sends only FOLLOWERINFO or OBSERVERINFO before it is answered.
  static let maxHeldBytes = 4096

  let id: ConnectionID
  private let reports: Reports
  private let links: FaultyLinks
  private(set) var context: ChannelHandlerContext?
  private var sender: SocketSender?
  private var received = ByteBuffer()
  /// PROPOSALs and COMMITs of the leader, or ACKs of a learner, that have arrived and are not reported yet.
  private var gathered: [QuorumPacket] = []
  private let isToLeader: Bool
  private var out = JuteWriter()
  private var treeReader: TreeStreamReader?
  /// A tree that is being sent; packets that follow it wait in `out`.
  private var tree: TreeStream?
  /// A part of the log that is being sent; packets that follow it wait in `out`.
  private var feed: LogFeed?
  /// Whether the next piece of it is being read.
  private var isReadingLog = false
  /// The server at the other end, once it is known.
  var server: ServerID?
  /// What a slow link holds back; nil while it is not slow.
  private var line: DelayLine?
  /// Whether a fault has broken the connection, and its end will be reported.
  private var isBroken = false
  /// The largest number of bytes of a packet's data.
  private let maxDataBytes: Int
  private let mayBeEncrypted: Bool
  /// Whether packets wait because this server does not lead yet.
  var isHeld: Bool
  /// Whether the port has this connection in its list of those to flush.
  var hasUnsent = false
  /// Whether a COMMIT is among the packets that are not sent yet.
  private(set) var hasUnsentCommit = false
  /// Whether either end has closed the connection.
  private(set) var isClosed = false

  let establishedMilliseconds: Int64
  private(set) var receivedCount = 0
  private(set) var sentCount = 0
  private(set) var requestCount = 0
  /// The zxid of the last packet about a transaction that was sent.
  private(set) var lastZxid = Zxid.zero

  /// - Parameters:
  ///   - links: the faults of the links between servers.
  ///   - establishedMilliseconds: when the connection was established, in milliseconds since 1970.
  ///   - mayBeEncrypted: whether a handler before this one may change the bytes.
  ///   - maxRequestBytes: the largest request that a learner may forward.
  init(
    _ id: ConnectionID, _ peer: Peer, links: FaultyLinks, establishedMilliseconds: Int64, isHeld: Bool,
    mayBeEncrypted: Bool, maxRequestBytes: Int, _ reports: Reports
  ) {
    self.id = id
    self.reports = reports
    self.links = links
    self.isHeld = isHeld
    self.mayBeEncrypted = mayBeEncrypted
    self.establishedMilliseconds = establishedMilliseconds
    isToLeader = peer == .leader
    maxDataBytes = peer == .leader ? Int(Int32.max) : maxRequestBytes
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    sender = SocketSender(context, mayBeEncrypted: mayBeEncrypted)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
    if !isHeld {
      readPackets()
    } else if received.readableBytes > Self.maxHeldBytes {
      reports.onBadBytes("it has sent more than \(Self.maxHeldBytes) bytes before this server leads", self)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { reports.onReadComplete() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // Not synchronously: this is called from within the write that made the channel writable.
    if context.channel.isWritable, isSendingMuch { context.eventLoop.assumeIsolated().execute { [self] in flush() } }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    sender = nil
    tree = nil
    feed = nil
    dropDelayed()
    guard !isClosed else { return }
    isClosed = true
    reports.onClosed(self)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    reports.onError(error, context.channel)
    context.close(promise: nil)
  }

  /// Handles all packets that have arrived completely.
  private func readPackets() {
    do {
      while !isClosed, received.readableBytes > 0 {
        if treeReader != nil {
          guard try readTree() else { break }
        } else {
          guard let packet = try nextPacket() else { break }
          receivedCount += 1
          if isToLeader ? packet.kind == .proposal || packet.kind == .commit : packet.kind == .ack {
            gathered.append(packet)
            continue
          }
          if packet.kind == .request { requestCount += 1 }
          reportGathered()
          reports.onPacket(packet, self)
        }
      }
      reportGathered()
      // Released when it is empty, so that the next read can use the memory again.
      if received.readableBytes == 0 { received = Self.nothing } else { received.discardReadBytes() }
    } catch {
      reportGathered()
      reports.onBadBytes("\(error)", self)
    }
  }

  private func reportGathered() {
    guard let first = gathered.first else { return }
    if gathered.count == 1 { reports.onPacket(first, self) } else { reports.onPackets(gathered, self) }
    gathered.removeAll(keepingCapacity: gathered.capacity <= Self.maxKeptPackets)
  }

  /// The memory of so many packets is used again.
  private static let maxKeptPackets = 4096

  /// Handles the packets that have waited for this server to lead, as if they had just arrived: what they cause is sent
  /// at the end of this turn.
  func readHeldPackets() {
    readPackets()
    reports.onReadComplete()
  }

  private func nextPacket() throws(JuteError) -> QuorumPacket? {
    let result = received.withUnsafeReadableBytes { raw -> Result<(QuorumPacket, Int)?, JuteError> in
      do throws(JuteError) {
        return .success(try QuorumPacket.first(in: raw, limitBytes: maxDataBytes))
      } catch {
        return .failure(error)
      }
    }
    guard let (packet, length) = try result.get() else { return nil }
    received.moveReaderIndex(forwardBy: length)
    return packet
  }

  /// Treats the next bytes as a tree.
  func expectTree(_ reader: TreeStreamReader) { treeReader = reader }

  private func readTree() throws(TreeStreamReader.Failure) -> Bool {
    let result = received.withUnsafeReadableBytes {
      raw -> Result<(state: RecoveredState, rest: [UInt8])?, TreeStreamReader.Failure> in
      do throws(TreeStreamReader.Failure) {
        return .success(try treeReader?.read(raw))
      } catch {
        return .failure(error)
      }
    }
    received.clear()
    guard let (state, rest) = try result.get() else { return false }
    treeReader = nil
    received.writeBytes(rest)
    reports.onTree(state, self)
    return true
  }

  /// `host:port` of the other end; empty once the connection is closed.
  var remoteAddress: String {
    guard let address = context?.channel.remoteAddress, let host = address.peerAddress else { return "" }
    return "\(ServerAddress(host: host, port: address.port ?? 0))"
  }

  /// Resets the packet counters.
  func resetStatistics() { (receivedCount, sentCount, requestCount) = (0, 0, 0) }

  /// Adds a packet to those that are sent at the end of the turn.
  func send(_ packet: QuorumPacket) {
    guard !isClosed, !isBroken else { return }
    if links.isActive, links.breaksConnection(to: server) { return breakConnection() }
    sentCount += 1
    if packet.kind == .commit { hasUnsentCommit = true }
    if packet.zxid.rawValue > 0 { lastZxid = packet.zxid }
    packet.encode(into: &out)
  }

  /// Whether a tree is being sent.
  var isSendingTree: Bool { tree != nil }
  /// Whether a part of the log is being sent.
  var isSendingLog: Bool { feed != nil }
  /// Whether something is being sent before which no packet may be sent.
  private var isSendingMuch: Bool { tree != nil || feed != nil }

  /// Begins to send a tree, after the packets that were added before.
  func send(_ tree: TreeStream) {
    guard !isClosed, !isBroken else { return }
    flush()
    self.tree = tree
  }

  /// Sends as much of the tree as the channel accepts now; the rest follows when it is writable again.
  private func sendTree(_ context: ChannelHandlerContext) {
    while let tree, context.channel.isWritable, (line?.waitingBytes ?? 0) < Self.maxDelayedTreeBytes {
      var piece = JuteWriter(reservingBytes: Self.pieceBytes + 4096)
      if tree.encode(into: &piece, budgetBytes: Self.pieceBytes) { self.tree = nil }
      if let sender { deliver(piece, sender, context) }
    }
  }

  /// Begins to send a part of the log, after the packets that were added before.
  func send(_ feed: LogFeed) {
    guard !isClosed, !isBroken else { return }
    flush()
    self.feed = feed
  }

  /// Reads and sends the next piece of the log, if the channel accepts it now.
  private func sendLog(_ feed: LogFeed, _ context: ChannelHandlerContext) {
    let hasRoom = context.channel.isWritable && (line?.waitingBytes ?? 0) < Self.maxDelayedTreeBytes
    guard hasRoom, !isReadingLog else { return }
    isReadingLog = true
    feed.next { [weak self] in self?.onPiece($0, of: feed) }
  }

  private func onPiece(_ result: Result<LogFeed.Piece, TxnLogError>, of feed: LogFeed) {
    isReadingLog = false
    guard self.feed === feed, let context, let sender else { return }
    switch result {
    case .success(let piece):
      if piece.isLast { self.feed = nil }
      if !piece.bytes.isEmpty { deliver(piece.bytes, sender, context) }
      flush()
    case .failure(let error):
      // The learner connects again, and is sent the tree.
      reports.onUnreadableLog(error, feed.end, self)
      breakConnection()
    }
  }

  /// Sends the packets of this turn in one write.
  func flush() {
    hasUnsent = false
    hasUnsentCommit = false
    guard let context, let sender else { return }
    if tree != nil { sendTree(context) }
    if let feed { sendLog(feed, context) }
    guard !isSendingMuch, !out.isEmpty else { return }
    deliver(out, sender, context)
    out.removeAll()
  }

  // MARK: Faults of the link

  /// Sends bytes now, or later on a slow link.
  private func deliver(_ bytes: JuteWriter, _ sender: SocketSender, _ context: ChannelHandlerContext) {
    guard links.isActive || line != nil else {
      bytes.withUnsafeBytes { _ = sender.send($0) }
      return
    }
    let delay = links.delay(to: server)
    if line == nil, delay <= .zero {
      bytes.withUnsafeBytes { _ = sender.send($0) }
      return
    }
    let line = line ?? DelayLine(context.eventLoop) { [weak self] in self?.deliverDelayed($0) }
    self.line = line
    line.send(bytes.bytes, after: delay)
  }

  private func deliverDelayed(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = sender?.send($0) }
    // More of a tree that waits for room on the line.
    if isSendingMuch, let context { context.eventLoop.assumeIsolated().execute { [self] in flush() } }
  }

  /// Sends what a slow link holds back.
  func releaseDelayed() {
    line?.releaseAll()
    line = nil
  }

  private func dropDelayed() {
    line?.cancel()
    line = nil
  }

  /// Ends the connection as a network does that loses it: what was not sent yet never is.
  private func breakConnection() {
    isBroken = true
    tree = nil
    feed = nil
    out.removeAll()
    dropDelayed()
    // Not synchronously: the member that is sending does not expect the report of the end.
    context?.eventLoop.assumeIsolated().execute { [self] in context?.close(promise: nil) }
  }

  /// Ends this side of the connection once its packets are sent. The other end gets all of them before it notices, and
  /// closes the connection then.
  func closeOutput() {
    flushOrForget()
    sender?.enqueue(ByteBuffer()).whenComplete { [channel = context?.channel] _ in
      channel?.close(mode: .output, promise: nil)
    }
  }

  /// Sends what waits, unless it would follow an incomplete tree, of which the other end would read it as a part, or an
  /// incomplete part of the log.
  private func flushOrForget() {
    guard isSendingMuch else { return flush() }
    tree = nil
    feed = nil
    out.removeAll()
  }

  /// Closes the connection from this side. Nothing that happens on it is reported after that.
  func close() {
    flushOrForget()
    isClosed = true
    dropDelayed()
    context?.close(promise: nil)
  }
}
