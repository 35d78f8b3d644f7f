import EnsembleCore
import Jute
import NIOCore
import ServerCore
import Zab
import ZooKeeperProtocol

/// One connection between a leader and a learner: packets, and once perhaps a tree.
///
/// *Thread*: the server's event loop.
final class QuorumConnection: ChannelInboundHandler, @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  typealias InboundIn = ByteBuffer

  /// Who is at the other end.
  enum Peer {
    /// The leader, whom this server has called: it decides what is in a transaction, and its log may hold larger ones
    /// from before there was a limit, or by another `jute.maxbuffer`.
    case leader
    /// Whoever calls.
    case caller
  }

  /// So much of a tree is made at a time.
  private static let pieceBytes = 256 << 10

  private static let nothing = ByteBuffer()

  /// What is kept of a caller that waits to be let in: it has nothing to say but who it is.
  static let maxHeldBytes = 4096

  let id: ConnectionID
  private unowned let port: QuorumPort
  private(set) var context: ChannelHandlerContext?
  private var sender: SocketSender?
  private var received = ByteBuffer()
  private var out = JuteWriter()
  private var treeReader: TreeStreamReader?
  /// A tree that is being sent; packets behind it wait in `out`.
  private var tree: TreeStream?
  /// What a packet's data may have at most.
  private let maxDataBytes: Int
  /// Whether packets wait, because nobody leads here yet.
  var isHeld: Bool
  /// Whether `flush` has something to do: the port's note.
  var hasUnsent = false
  /// Whether a COMMIT is among what is to be sent.
  private(set) var hasUnsentCommit = false
  /// Whether either end has ended it.
  private(set) var isClosed = false

  let establishedMilliseconds = Host.wallMilliseconds
  private(set) var receivedCount = 0
  private(set) var sentCount = 0
  private(set) var requestCount = 0
  /// Of the last packet of a transaction that was sent.
  private(set) var lastZxid = Zxid.zero

  /// - Parameter maxRequestBytes: the largest request that a learner may pass on.
  init(_ id: ConnectionID, _ port: QuorumPort, _ peer: Peer, isHeld: Bool, maxRequestBytes: Int) {
    self.id = id
    self.port = port
    self.isHeld = isHeld
    maxDataBytes = peer == .leader ? Int(Int32.max) : maxRequestBytes
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    sender = SocketSender(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if received.readableBytes == 0 { received = bytes } else { received.writeBuffer(&bytes) }
    if !isHeld {
      readPackets()
    } else if received.readableBytes > Self.maxHeldBytes {
      port.onBadBytes("it sends too much before anybody has answered", self)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { port.onReadComplete() }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    // Not from within the write that made it writable.
    if context.channel.isWritable, tree != nil { context.eventLoop.assumeIsolated().execute { [self] in flush() } }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    self.context = nil
    sender = nil
    tree = nil
    guard !isClosed else { return }
    isClosed = true
    port.onClosed(self)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Handles all whole packets that have arrived.
  func readPackets() {
    do {
      while !isClosed, received.readableBytes > 0 {
        if treeReader != nil {
          guard try readTree() else { break }
        } else {
          guard let packet = try nextPacket() else { break }
          receivedCount += 1
          if packet.kind == .request { requestCount += 1 }
          port.onPacket(packet, self)
        }
      }
      // Given back when it is used up, so that the next read finds it free.
      if received.readableBytes == 0 { received = Self.nothing } else { received.discardReadBytes() }
    } catch {
      port.onBadBytes("\(error)", self)
    }
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

  /// From here on a tree comes.
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
    port.onTree(state, self)
    return true
  }

  /// `host:port` of the other end.
  var remoteAddress: String {
    guard let address = context?.channel.remoteAddress, let host = address.peerAddress else { return "" }
    return "\(HostAndPort(host: host, port: address.port ?? 0))"
  }

  /// Forgets what was counted.
  func resetStatistics() { (receivedCount, sentCount, requestCount) = (0, 0, 0) }

  /// Adds a packet to what is sent at the end of the turn.
  func send(_ packet: QuorumPacket) {
    guard !isClosed else { return }
    sentCount += 1
    if packet.kind == .commit { hasUnsentCommit = true }
    if packet.zxid.rawValue > 0 { lastZxid = packet.zxid }
    packet.encode(into: &out)
  }

  /// Begins to send a tree, behind what was to be sent before.
  func send(_ tree: TreeStream) {
    guard !isClosed else { return }
    flush()
    self.tree = tree
  }

  /// Sends as much of the tree as the other end takes now.
  private func sendTree(_ context: ChannelHandlerContext) {
    while let tree, context.channel.isWritable {
      var piece = JuteWriter(reservingBytes: Self.pieceBytes + 4096)
      if tree.encode(into: &piece, budgetBytes: Self.pieceBytes) { self.tree = nil }
      sender?.send(piece.bytes)
    }
  }

  /// Sends what this turn has brought, in one write.
  func flush() {
    hasUnsent = false
    hasUnsentCommit = false
    guard let context, let sender else { return }
    if tree != nil { sendTree(context) }
    guard tree == nil, !out.bytes.isEmpty else { return }
    sender.send(out.bytes)
    out.removeAll()
  }

  /// Ends the connection from this side; nothing is reported of it any more.
  func close() {
    // Nothing can follow a tree that breaks off.
    if tree.take() == nil { flush() }
    isClosed = true
    context?.close(promise: nil)
  }
}
