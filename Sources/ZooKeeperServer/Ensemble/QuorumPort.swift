import EnsembleCore
import Logging
import NIOCore
import NIOPosix
import ServerCore
import Zab
import ZooKeeperProtocol

/// The connections between leader and learners.
///
/// Unlike Apache's, a server listens from the start: a learner that has heard of its leader before the leader itself
/// knows waits a moment, instead of calling again. Where nobody leads, nobody is kept.
///
/// *Source*: `QuorumProtocol` B.2.
///
/// *Thread*: the server's event loop.
final class QuorumPort: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// What the port reports, on the loop.
  struct Events {
    /// A learner opened a connection.
    let onLearnerConnected: (ConnectionID) -> Void
    let onLeaderConnected: (ConnectionID, ServerID) -> Void
    let onLeaderUnreachable: () -> Void
    let onPacket: (QuorumPacket, ConnectionID) -> Void
    /// A tree is complete.
    let onTree: (RecoveredState, ConnectionID) -> Void
    /// All that had arrived on a connection is handled.
    let onReadComplete: () -> Void
    let onDisconnected: (ConnectionID) -> Void
    /// Whether the connection to a server is cut on purpose.
    let isSevered: (ServerID) -> Bool
  }

  /// Inbound connections at a time, of learners or strangers.
  private static let maximumConnections = 1000

  private let settings: ServerConfiguration.Ensemble
  private let maxRequestBytes: Int
  private var members: QuorumConfiguration
  private let loop: any EventLoop
  private let logger: Logger
  private let events: Events
  private var listeners: [any Channel] = []
  private var connections: [ConnectionID: QuorumConnection] = [:]
  private var nextID: UInt64 = 1
  private var role = ZabRole.looking
  private var isStopped = false
  /// Connections with something to send.
  private var unsent: [QuorumConnection] = []
  /// The learner that has passed on a request last.
  private var asking: ConnectionID?

  init(
    _ settings: ServerConfiguration.Ensemble, maxRequestBytes: Int, loop: any EventLoop, logger: Logger,
    events: Events
  ) {
    self.settings = settings
    self.maxRequestBytes = maxRequestBytes
    members = settings.quorum
    self.loop = loop
    self.logger = logger
    self.events = events
  }

  /// Takes calls at this server's addresses.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    let limit = ConnectionLimit(Self.maximumConnections)
    let bootstrap = ServerBootstrap.forPorts(on: loop)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { if limit.admit(channel) { try accept(channel) } }
      }
    let addresses = settings.ownMember.addresses.map(\.quorum)
    return EventLoopFuture.andAllSucceed(
      addresses.map { address in
        let host = settings.times.listensEverywhere ? "0.0.0.0" : address.host
        return listening.bind(
          bootstrap, HostAndPort(host: host, port: address.port), purpose: "the quorum port"
        ).map { [self] in listeners.append($0) }
      }, on: loop)
  }

  /// Calls go to these members from now on.
  func configurationChanged(_ configuration: QuorumConfiguration) { members = configuration }

  /// Ends all connections and takes no more calls.
  func stop() {
    isStopped = true
    for listener in listeners { listener.close(promise: nil) }
    for connection in connections.values { connection.close() }
    connections = [:]
  }

  private func accept(_ channel: any Channel) throws {
    if isStopped { return channel.close(promise: nil) }
    switch role {
    case .following, .observing: return channel.close(promise: nil)
    case .looking, .leading: break
    }
    let connection = try add(channel, .caller, isHeld: role != .leading)
    if role == .leading { return events.onLearnerConnected(connection.id) }
    // Nobody waits for ever, should no leader be found.
    let patience = settings.tickTimeMilliseconds * settings.times.initLimitTicks
    loop.scheduleTask(in: .milliseconds(clamping: patience)) { [weak self, weak connection] in
      if let connection, connection.isHeld { self?.close(connection.id) }
    }
  }

  private func add(
    _ channel: any Channel, _ peer: QuorumConnection.Peer, isHeld: Bool
  ) throws -> QuorumConnection {
    let connection = QuorumConnection(
      ConnectionID(rawValue: nextID), self, peer, isHeld: isHeld, maxRequestBytes: maxRequestBytes)
    nextID += 1
    connections[connection.id] = connection
    try channel.pipeline.syncOperations.addHandler(connection)
    return connection
  }

  /// Calls a leader.
  func connect(to leader: ServerID) {
    let addresses = members.member(leader)?.addresses.map(\.quorum) ?? []
    guard !addresses.isEmpty, !events.isSevered(leader) else {
      return loop.execute { [self] in events.onLeaderUnreachable() }
    }
    OutboundCall(loop: loop, timeoutMilliseconds: settings.times.connectTimeoutMilliseconds)
      .connect(addresses[...]).whenComplete { [self] result in
        do {
          let channel = try result.get()
          guard !isStopped else { return channel.close(promise: nil) }
          events.onLeaderConnected(try add(channel, .leader, isHeld: false).id, leader)
        } catch {
          events.onLeaderUnreachable()
        }
      }
  }

  /// Callers that came while nobody led here are let in, or sent away.
  func roleChanged(_ role: ZabRole) {
    self.role = role
    let held = connections.values.filter(\.isHeld).sorted { $0.id < $1.id }
    for connection in held {
      switch role {
      case .leading:
        connection.isHeld = false
        events.onLearnerConnected(connection.id)
        loop.execute { connection.readPackets() }
      case .following, .observing: close(connection.id)
      case .looking: break
      }
    }
  }

  /// Adds a packet to what is sent at the end of the turn.
  func send(_ packet: QuorumPacket, on id: ConnectionID) {
    guard let connection = connections[id] else { return }
    connection.send(packet)
    note(connection)
  }

  /// Adds a packet and a tree behind it.
  func send(_ packet: QuorumPacket, tree: TreeStream, on id: ConnectionID) {
    guard let connection = connections[id] else { return }
    connection.send(packet)
    connection.send(tree)
    note(connection)
  }

  /// A tree comes next on a connection.
  func expectTree(_ reader: TreeStreamReader, on id: ConnectionID) { connections[id]?.expectTree(reader) }

  /// Ends a connection from this side.
  func close(_ id: ConnectionID) { connections.removeValue(forKey: id)?.close() }

  /// What is known of a learner's connection.
  func report(of id: ConnectionID, _ learner: ServerID) -> LearnerConnectionReport? {
    guard let connection = connections[id] else { return nil }
    return LearnerConnectionReport(
      id: learner, remoteAddress: connection.remoteAddress,
      establishedMilliseconds: connection.establishedMilliseconds, packetsReceived: connection.receivedCount,
      packetsSent: connection.sentCount, requests: connection.requestCount, lastZxid: connection.lastZxid)
  }

  /// Forgets what was counted of all connections.
  func resetStatistics() {
    for connection in connections.values { connection.resetStatistics() }
  }

  /// Sends what this turn has brought.
  func flush() {
    guard !unsent.isEmpty else { return }
    // Where a client waits for the answer, it waits for that server's disk: a proposal goes there first. A COMMIT goes
    // there last: once the client knows, the others are about to.
    if unsent.count > 1, let first = unsent.first(where: { $0.id == asking }) {
      if !first.hasUnsentCommit { first.flush() }
      for connection in unsent where connection !== first && connection.hasUnsent { connection.flush() }
    }
    for connection in unsent where connection.hasUnsent { connection.flush() }
    unsent.removeAll(keepingCapacity: true)
  }

  private func note(_ connection: QuorumConnection) {
    guard !connection.hasUnsent else { return }
    connection.hasUnsent = true
    unsent.append(connection)
  }

  // MARK: What connections tell

  /// A packet has come.
  func onPacket(_ packet: QuorumPacket, _ connection: QuorumConnection) {
    if packet.kind == .request { asking = connection.id }
    events.onPacket(packet, connection.id)
  }

  /// A tree is complete.
  func onTree(_ state: RecoveredState, _ connection: QuorumConnection) { events.onTree(state, connection.id) }

  /// All that had arrived on a connection is handled.
  func onReadComplete() { events.onReadComplete() }

  /// A connection is gone.
  func onClosed(_ connection: QuorumConnection) {
    connections[connection.id] = nil
    events.onDisconnected(connection.id)
  }

  /// A connection brought what no server sends: it ends, and nothing else.
  func onBadBytes(_ reason: String, _ connection: QuorumConnection) {
    logger.warning("closing a quorum connection", metadata: ["reason": "\(reason)"])
    connections[connection.id] = nil
    connection.close()
    events.onDisconnected(connection.id)
  }
}
