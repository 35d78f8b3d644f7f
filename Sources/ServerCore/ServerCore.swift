internal import DequeModule
internal import Jute
package import ZnodeTree
package import ZooKeeperProtocol

/// A server without its sockets, clocks and disks: frames in, frames and transactions out.
///
/// The driver hands in frames (`receive`), logs what is in `drainProposals`, says when it is durable
/// (`commit(through:)`), and sends the output of the connections in `takeTouched`. Reads are answered at once
/// from the tree, unless writes of the same connection are under way: then they wait behind them.
///
/// Watch events of a transaction go out before the reply to it, and before any reply that shows it.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer`, `FinalRequestProcessor`; `ClientProtocol` 2 to 6.
///
/// *Thread*: one at a time.
package final class ServerCore {
  package let tree: DataTree
  package let settings: ServerSettings
  /// Whether this server decides about writes itself, see `ServerRole`.
  package let role: ServerRole
  package internal(set) var counters = ServerCounters()
  /// The committed sessions with their timeouts in milliseconds: what a snapshot lists.
  package internal(set) var committedSessions: [SessionID: Int32]

  let preparer: RequestPreparer
  let access: AccessControl
  var watches = WatchTable()
  var connections: [UInt64: ClientConnection] = [:]
  var connectionsBySession: [SessionID: ClientConnection] = [:]
  /// Proposed and not yet applied.
  var inFlight = ZxidQueue<TxnEntry>()
  private var proposals: [Proposal] = []
  private var touched: [ClientConnection] = []
  /// The number of the next connection. A driver that goes from one core to the next passes it on.
  package var nextConnectionNumber: UInt64 = 1
  var nextSessionID: SessionID
  var eventMark: UInt64 = 0
  var changes: [TreeChange] = []
  var eventWriter = JuteWriter()
  /// What a learner's server asks its leader, see `ServerCore+Ensemble`.
  var questions = LeaderQuestions()

  /// A server over a recovered tree, whose sessions all get their full timeouts from now.
  package init(
    settings: ServerSettings, tree: DataTree, sessions: [SessionID: Int32] = [:], time: ServerTime,
    role: ServerRole = .standalone
  ) {
    self.settings = settings
    self.tree = tree
    self.role = role
    committedSessions = sessions
    preparer = RequestPreparer(tree: tree, settings: settings)
    if case .leader(let epoch) = role { preparer.lastZxid = epoch.newLeaderZxid }
    access = preparer.access
    nextSessionID = SessionCredentials.firstID(serverID: settings.serverID, milliseconds: time.wallMilliseconds)
    for (session, timeout) in sessions {
      preparer.sessions.track(session, timeoutMilliseconds: timeout, now: time.monotonicMilliseconds)
    }
  }

  /// This server as the owner of sessions.
  var owner: UInt64 { UInt64(bitPattern: settings.serverID) }

  /// The newest transaction applied, as replies show it.
  package var lastProcessedZxid: Zxid { tree.lastProcessedZxid }

  /// A new connection, from a client at a numeric address.
  ///
  /// - Parameter certificateSubject: the subject of the client's TLS certificate, if it has shown one.
  package func accept(address: String, certificateSubject: String? = nil) -> ClientConnection {
    let connection = ClientConnection(number: nextConnectionNumber, address: address)
    nextConnectionNumber += 1
    if let certificateSubject { connection.identities += access.x509Identities(certificateSubject) }
    connections[connection.number] = connection
    return connection
  }

  /// The connection is gone, from either end. Its session lives on.
  package func disconnected(_ connection: ClientConnection) {
    // It may be another core's, from before the server's role changed.
    guard connections[connection.number] === connection else { return }
    close(connection)
    connections[connection.number] = nil
    counters.outstandingRequests -= connection.outstandingCount
    connection.pending = Deque()
    connection.heldFrames = []
  }

  /// Whether something was proposed since the last call of `drainProposals`.
  package var hasProposals: Bool { !proposals.isEmpty }

  /// Hands what was proposed since the last call to `body`, in the order of the zxids.
  package func drainProposals(_ body: (borrowing Proposal) -> Void) {
    if proposals.isEmpty { return }
    // The array's own access would copy each, and count every part of it.
    proposals.withUnsafeBufferPointer { for index in $0.indices { body($0[index]) } }
    proposals.removeAll(keepingCapacity: true)
  }

  /// The connections that have output, or are to be closed, since the last call.
  package func takeTouched() -> [ClientConnection] {
    if touched.isEmpty { return [] }
    defer { touched.removeAll(keepingCapacity: true) }
    for connection in touched { connection.isTouched = false }
    return touched
  }

  /// Ends the sessions that were not heard from in time. Call it every tick.
  package func expireSessions(_ time: ServerTime) {
    if role == .readOnly { return expireReadOnly(time) }
    for session in preparer.sessions.expire(now: time.monotonicMilliseconds) {
      counters.sessionsExpired += 1
      propose(
        preparer.prepareCloseSession(session, xid: Xid(rawValue: 0), wallMilliseconds: time.wallMilliseconds))
    }
  }

  /// Deletes containers and TTL znodes that are out of use, at most `limit`.
  package func reap(_ time: ServerTime, limit: Int) {
    let paths = tree.reapablePaths(
      nowMilliseconds: time.wallMilliseconds, maxNeverUsedMilliseconds: settings.containerMaxNeverUsedMilliseconds,
      limit: limit)
    for path in paths {
      counters.containersDeleted += 1
      propose(preparer.prepareDeleteContainer(path, wallMilliseconds: time.wallMilliseconds))
    }
  }

  /// All proposals up to `zxid` are durable: applies them, answers them, tells the watchers.
  package func commit(through zxid: Zxid, _ time: ServerTime) {
    while let entry = inFlight.popFirst(through: zxid) { apply(entry, time) }
  }

  /// Applies the oldest proposal, if it is `zxid`: the leader need not decode what it has made.
  ///
  /// - Returns: whether it was.
  package func commitNext(_ zxid: Zxid, _ time: ServerTime) -> Bool {
    guard inFlight.firstZxid == zxid, let entry = inFlight.popFirst(through: zxid) else { return false }
    apply(entry, time)
    return true
  }

  /// Proposals that are not yet applied.
  package var proposalsInFlight: Int { inFlight.count }

  /// The connections, in the order in which they came.
  package var allConnections: [ClientConnection] { connections.values.sorted { $0.number < $1.number } }

  /// Connections, open or about to be.
  package var connectionCount: Int { connections.count }

  /// Sessions that have not ended.
  package var sessionCount: Int { preparer.sessions.sessions.count }

  /// When each living session ends, in milliseconds of the monotonic clock, in no order: `dump`.
  package var sessionExpiries: [(milliseconds: Int64, session: SessionID)] {
    preparer.sessions.sessions.values.lazy.filter { !$0.isClosing }.map { ($0.expiryMilliseconds, $0.id) }
  }

  /// Entries of both watch tables.
  package var watchCount: Int { watches.dataWatchCount + watches.childWatchCount }

  /// Entries and paths of the data table, and the connections in it: `wchs`.
  package var dataWatchSummary: (watches: Int, paths: Int, connections: Int) {
    (watches.dataWatchCount, watches.dataPathCount, connections.values.count { !$0.dataWatches.isEmpty })
  }

  /// Forgets the server's latencies and packet counts: `srst`.
  package func resetStatistics() {
    counters.latency = LatencyStatistics()
    counters.packetsReceived = 0
    counters.packetsSent = 0
    counters.responseSizes = ResponseSizes()
  }

  /// Forgets the statistics of all connections: `crst`.
  package func resetConnectionStatistics() {
    for connection in connections.values { connection.statistics = ConnectionStatistics() }
  }

  /// Sends a transaction on its way.
  func propose(_ prepared: consuming PreparedTxn) {
    let zxid = prepared.entry.header.zxid
    proposals.append(Proposal(zxid: zxid, bytes: prepared.bytes))
    inFlight.append(prepared.entry, zxid)
  }

  /// Notes that the driver has something to do for a connection.
  func touch(_ connection: ClientConnection) {
    guard !connection.isTouched else { return }
    connection.isTouched = true
    touched.append(connection)
  }

  /// Reads no more from a connection; the driver closes it once the output is sent.
  func close(_ connection: ClientConnection) {
    guard connection.state != .closed else { return }
    watches.removeAll(of: connection)
    connection.state = .closed
    if connectionsBySession[connection.sessionID] === connection { connectionsBySession[connection.sessionID] = nil }
    touch(connection)
  }
}
