import EnsembleCore
import Logging
import NIOCore
import NIOPosix
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// The connections between leader and learners.
///
/// Unlike Apache's, this server listens from the start: a learner that connects before its leader has noticed that it
/// is elected waits, instead of connecting again. Such connections are closed if this server does not become the
/// leader.
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
    /// An observer opened a connection to the port for observers.
    let onObserverConnected: (ConnectionID) -> Void
    let onLeaderConnected: (ConnectionID, ServerID) -> Void
    let onLeaderUnreachable: () -> Void
    let onPacket: (QuorumPacket, ConnectionID) -> Void
    /// See `QuorumConnection.Reports`.
    let onPackets: ([QuorumPacket], ConnectionID) -> Void
    /// A tree has arrived completely.
    let onTree: (RecoveredState, ConnectionID) -> Void
    /// Everything that had arrived on a connection is handled.
    let onReadComplete: () -> Void
    let onDisconnected: (ConnectionID) -> Void
    /// The log could not be read for a learner, up to this transaction.
    let onUnreadableLog: (Zxid) -> Void
    /// Whether traffic with a server is blocked on purpose, see `EnsembleDriver.sever`.
    let isSevered: (ServerID) -> Bool
  }

  /// The largest number of inbound connections, of learners or of anything else.
  static let maximumConnections = 1000

  let settings: ServerConfiguration.Ensemble
  private let maxRequestBytes: Int
  private var members: QuorumConfiguration
  private let transport: PeerTransport
  let clock: ServerClock
  let links: FaultyLinks
  private let tap: MessageTap
  let loop: any EventLoop
  let logger: Logger
  private let events: Events
  var listeners: [any Channel] = []
  /// How this server listens for observers, once it follows; nil before it listens at all.
  var listening: Listening?
  /// Whether it listens for observers, or tries to.
  var hasObserverPort = false
  /// By the raw values of their ids: these are hashed here, and the ids of another module through a table, which took a
  /// thirtieth of a leader's instructions for a write.
  private var connections: [UInt64: QuorumConnection] = [:]
  /// The connections that came to the port for observers.
  private var observers: Set<ConnectionID> = []
  private var nextID: UInt64 = 1
  private var role = ZabRole.looking
  private(set) var isStopped = false
  /// The connections that have packets or a tree to send.
  private var unsent: [QuorumConnection] = []
  /// The connection of the learner that has forwarded the last request.
  private var asking: ConnectionID?
  private lazy var reports = QuorumConnection.Reports(
    onPacket: { [unowned self] in onPacket($0, $1) },
    onPackets: { [unowned self] in events.onPackets($0, $1.id) },
    onTree: { [unowned self] in events.onTree($0, $1.id) },
    onReadComplete: events.onReadComplete, onClosed: { [unowned self] in onClosed($0) },
    onBadBytes: { [unowned self] in onBadBytes($0, $1) },
    onUnreadableLog: { [unowned self] in onUnreadableLog($0, through: $1, $2) },
    onError: { [unowned self] in onError($0, on: $1) })

  init(
    _ settings: ServerConfiguration.Ensemble, maxRequestBytes: Int, _ transport: PeerTransport, _ clock: ServerClock,
    _ links: FaultyLinks, _ tap: MessageTap, loop: any EventLoop, logger: Logger, events: Events
  ) {
    self.settings = settings
    self.maxRequestBytes = maxRequestBytes
    members = settings.quorum
    self.transport = transport
    self.clock = clock
    self.links = links
    self.tap = tap
    self.loop = loop
    self.logger = logger
    self.events = events
  }

  /// Listens on this server's quorum addresses.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    self.listening = listening
    let limit = ConnectionLimit(Self.maximumConnections, purpose: "the quorum port", logger: logger)
    let bootstrap = bootstrap(limit, .learners)
    let addresses = settings.ownMember.addresses.map(\.quorum)
    return EventLoopFuture.andAllSucceed(
      addresses.map { address in
        let host = settings.times.listensEverywhere ? "0.0.0.0" : address.host
        return listening.bind(
          bootstrap, ServerAddress(host: host, port: address.port), purpose: "the quorum port"
        ).map { [self] in listeners.append($0) }
      }, on: loop)
  }

  /// A listener whose connections are those of a door.
  func bootstrap(_ limit: ConnectionLimit, _ door: Door) -> ServerBootstrap {
    ServerBootstrap.forPorts(on: loop)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 1 << 20, high: 4 << 20))
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { if limit.admit(channel) { try accept(channel, door) } }
      }
  }

  /// Uses the addresses of these members from now on.
  func configurationChanged(_ configuration: QuorumConfiguration) { members = configuration }

  /// Closes the port and all connections.
  func stop() {
    isStopped = true
    for listener in listeners { listener.stopListening() }
    for connection in connections.values { connection.close() }
    connections = [:]
    observers = []
  }

  /// Closes the port, and ends this side of all connections once their packets are sent.
  func closeOutput() {
    isStopped = true
    for listener in listeners { listener.stopListening() }
    for connection in connections.values { connection.closeOutput() }
  }

  /// Whether observers are connected to this server as an observer master.
  var hasObservers: Bool { !observers.isEmpty }

  /// Whether there is a connection to another server.
  var hasConnections: Bool { !connections.isEmpty }

  /// Whether an inbound connection is of use now.
  private func isOpen(_ door: Door) -> Bool {
    if isStopped { return false }
    switch (role, door) {
    case (.looking, .learners), (.leading, .learners), (.following, .observers): return true
    default: return false
    }
  }

  private func accept(_ channel: any Channel, _ door: Door) throws {
    guard isOpen(door) else { return channel.close(promise: nil) }
    try transport.accept(channel)
    guard let authentication = settings.authentication else { return try admit(channel, door) }
    let gate = QuorumAuthGate(
      .accepting(authentication, settings.quorum), limit: settings.authenticationLimit, logger: logger)
    try channel.pipeline.syncOperations.addHandler(gate)
    gate.onPassed = { [weak self] in try self?.admit(channel, door) }
  }

  /// Uses an inbound connection, whose other end is authentic as far as the configuration demands.
  private func admit(_ channel: any Channel, _ door: Door) throws {
    guard isOpen(door) else { return channel.close(promise: nil) }
    if door == .observers {
      let id = try add(channel, .caller, isHeld: false).id
      observers.insert(id)
      return events.onObserverConnected(id)
    }
    let connection = try add(channel, .caller, isHeld: role != .leading)
    if role == .leading { return events.onLearnerConnected(connection.id) }
    // An inbound connection does not wait indefinitely for this server to become the leader.
    let patience = settings.tickTimeMilliseconds * settings.times.initLimitTicks
    loop.scheduleTask(in: .milliseconds(clamping: patience)) { [weak self, weak connection] in
      if let connection, connection.isHeld { self?.close(connection.id) }
    }
  }

  private func add(
    _ channel: any Channel, _ peer: QuorumConnection.Peer, of server: ServerID? = nil, isHeld: Bool
  ) throws -> QuorumConnection {
    let connection = QuorumConnection(
      ConnectionID(rawValue: nextID), peer, links: links, establishedMilliseconds: clock.wallMilliseconds,
      isHeld: isHeld,
      mayBeEncrypted: peer == .leader ? transport.callsAreEncrypted : transport.mayAcceptEncrypted,
      maxRequestBytes: maxRequestBytes, reports)
    nextID += 1
    connection.server = server
    connections[connection.id.rawValue] = connection
    try channel.pipeline.syncOperations.addHandler(connection)
    return connection
  }

  /// Connects to a leader or an observer master, and reports success or failure.
  func connect(to leader: ServerID, isObserverMaster: Bool = false) {
    var addresses = members.member(leader)?.addresses.map(\.quorum) ?? []
    if isObserverMaster, let port = settings.times.observerMasterPort {
      addresses = addresses.map { ServerAddress(host: $0.host, port: port) }
    }
    guard !addresses.isEmpty, !events.isSevered(leader) else {
      return loop.execute { [self] in events.onLeaderUnreachable() }
    }
    let host = addresses[0].host
    OutboundCall(
      loop: loop, timeoutMilliseconds: settings.times.connectTimeoutMilliseconds,
      transport: NIOLoopBound(transport, eventLoop: loop)
    ).connect(addresses[...]).whenComplete { [self] result in
      switch result {
      case .success(let channel): logIn(channel, to: leader, host: host)
      case .failure: events.onLeaderUnreachable()
      }
    }
  }

  /// Authenticates to the leader if the configuration says so, and uses the connection.
  private func logIn(_ channel: any Channel, to leader: ServerID, host: String) {
    let use: () throws -> Void = { [self] in
      guard !isStopped else { return channel.close(promise: nil) }
      events.onLeaderConnected(try add(channel, .leader, of: leader, isHeld: false).id, leader)
    }
    do {
      guard let authentication = settings.authentication, authentication.logsIn else { return try use() }
      let gate = QuorumAuthGate(
        .loggingIn(authentication, host: host), limit: settings.authenticationLimit, logger: logger)
      gate.onPassed = use
      gate.onRefused = { [weak self] in self?.events.onLeaderUnreachable() }
      try channel.pipeline.syncOperations.addHandler(gate)
    } catch {
      channel.close(promise: nil)
      events.onLeaderUnreachable()
    }
  }

  /// Admits the inbound connections that wait, if this server leads now, or closes them if it follows another.
  func roleChanged(_ role: ZabRole) {
    self.role = role
    if case .following = role { listenForObservers() }
    let held = connections.values.filter(\.isHeld).sorted { $0.id < $1.id }
    for connection in held {
      switch role {
      case .leading:
        connection.isHeld = false
        events.onLearnerConnected(connection.id)
        loop.execute { connection.readHeldPackets() }
      case .following, .observing: close(connection.id)
      case .looking: break
      }
    }
  }

  /// Adds a packet to those that are sent at the end of the turn.
  func send(_ packet: QuorumPacket, on id: ConnectionID) {
    guard let connection = connections[id.rawValue] else { return }
    if let onEvent = tap.onEvent { onEvent(.sent(.packet(packet), to: connection.server)) }
    connection.send(packet)
    note(connection)
  }

  /// Adds a packet and a tree that follows it.
  func send(_ packet: QuorumPacket, tree: TreeStream, on id: ConnectionID) {
    guard let connection = connections[id.rawValue] else { return }
    if let onEvent = tap.onEvent { onEvent(.sent(.packet(packet), to: connection.server)) }
    connection.send(packet)
    connection.send(tree)
    note(connection)
  }

  /// Adds a packet and a part of the log that follows it.
  func send(_ packet: QuorumPacket, log: LogFeed, on id: ConnectionID) {
    guard let connection = connections[id.rawValue] else { return }
    if let onEvent = tap.onEvent { onEvent(.sent(.packet(packet), to: connection.server)) }
    connection.send(packet)
    connection.send(log)
    note(connection)
  }

  /// The number of parts of the log that are being sent.
  var logCount: Int { connections.values.count { $0.isSendingLog } }

  /// Reports that the log could not be read for a learner.
  private func onUnreadableLog(_ error: TxnLogError, through end: Zxid, _ connection: QuorumConnection) {
    logger.warning(
      "the log cannot be read for a learner, which is disconnected",
      metadata: ["server": "\(connection.server.map { "\($0)" } ?? "")", "reason": "\(error)"])
    events.onUnreadableLog(end)
  }

  /// The number of trees that are being sent.
  var treeCount: Int { connections.values.count { $0.isSendingTree } }

  /// Treats the next bytes on a connection as a tree.
  func expectTree(_ reader: TreeStreamReader, on id: ConnectionID) { connections[id.rawValue]?.expectTree(reader) }

  /// Notes which server is at the other end of a connection.
  func identify(_ id: ConnectionID, as server: ServerID) { connections[id.rawValue]?.server = server }

  /// The server at the other end of a connection; nil while it has not said who it is.
  func server(at id: ConnectionID) -> ServerID? { connections[id.rawValue]?.server }

  /// Sends what slow links hold back.
  func releaseDelayed() {
    for connection in connections.values { connection.releaseDelayed() }
  }

  /// Closes a connection from this side.
  func close(_ id: ConnectionID) { remove(id)?.close() }

  @discardableResult
  private func remove(_ id: ConnectionID) -> QuorumConnection? {
    observers.remove(id)
    return connections.removeValue(forKey: id.rawValue)
  }

  /// The statistics of a learner's connection; nil if it has ended.
  func report(of id: ConnectionID, _ learner: ServerID) -> LearnerConnectionReport? {
    guard let connection = connections[id.rawValue] else { return nil }
    return LearnerConnectionReport(
      id: learner, remoteAddress: connection.remoteAddress,
      establishedMilliseconds: connection.establishedMilliseconds, packetsReceived: connection.receivedCount,
      packetsSent: connection.sentCount, requests: connection.requestCount, lastZxid: connection.lastZxid)
  }

  /// Resets the packet counters of all connections.
  func resetStatistics() {
    for connection in connections.values { connection.resetStatistics() }
  }

  /// Sends the packets of this turn.
  func flush() {
    guard !unsent.isEmpty else { return }
    // The client of the learner that has forwarded the request waits for that learner's disk, so a proposal is sent
    // there first. A COMMIT is sent there last: when that client gets its answer, the other servers are about to know.
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

  // MARK: Reports of connections

  /// Says why a connection could not be encrypted. Its end is reported separately.
  func onError(_ error: any Error, on channel: any Channel) {
    guard let reason = PeerTransport.reason(error, on: channel) else { return }
    logger.warning(
      "closing a quorum connection",
      metadata: ["peer": "\(channel.remoteAddress.map { "\($0)" } ?? "?")", "reason": "\(reason)"])
  }

  /// Passes on a packet.
  private func onPacket(_ packet: QuorumPacket, _ connection: QuorumConnection) {
    if packet.kind == .request { asking = connection.id }
    events.onPacket(packet, connection.id)
  }

  /// Removes a connection that has ended, and reports it.
  private func onClosed(_ connection: QuorumConnection) {
    remove(connection.id)
    events.onDisconnected(connection.id)
  }

  /// Closes a connection on which something invalid has arrived. The server goes on.
  private func onBadBytes(_ reason: String, _ connection: QuorumConnection) {
    logger.warning("closing a quorum connection", metadata: ["reason": "\(reason)"])
    remove(connection.id)
    connection.close()
    events.onDisconnected(connection.id)
  }
}
