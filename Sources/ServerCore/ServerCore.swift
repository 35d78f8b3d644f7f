internal import DequeModule
internal import Jute
package import ZnodeTree
package import ZooKeeperProtocol

/// A server without its sockets, clocks and disks: frames in, frames and transactions out.
///
/// The driver passes in frames (`receive`), logs the transactions of `drainProposals`, reports when they are durable
/// (`commit(through:)`), and sends the output of the connections in `takeTouched`. Reads are answered at once from the
/// tree, unless a write of the same connection is outstanding: then they wait for it, so that replies are in the order
/// of the requests, and a client sees its own writes.
///
/// The watch events of a transaction are sent before the reply to it, and before any reply that shows its effect.
///
/// The runtime does not check that accesses to those variables do not overlap that every request touches, here and in
/// the other classes on its path. These checks were 35 of 100 instructions of a read and 20 of a write, and they can
/// find nothing: one thread calls the core, and nothing that the core calls comes back to it.
///
/// *Source*: `org.apache.zookeeper.server.ZooKeeperServer`, `FinalRequestProcessor`; `ClientProtocol` 2 to 6.
///
/// *Thread*: one at a time.
package final class ServerCore {
  package let tree: DataTree
  package let settings: ServerSettings
  /// Who turns this server's writes into transactions.
  package let role: ServerRole
  @exclusivity(unchecked) package internal(set) var counters = ServerCounters()
  package let metrics: CoreMetrics
  /// The committed sessions with their timeouts in milliseconds, as a snapshot contains them.
  @exclusivity(unchecked) package internal(set) var committedSessions: [SessionID: Int32]

  let preparer: RequestPreparer
  let access: AccessControl
  @exclusivity(unchecked) var watches = WatchTable()
  @exclusivity(unchecked) var connections: [UInt64: ClientConnection] = [:]
  @exclusivity(unchecked) var connectionsBySession: [SessionID: ClientConnection] = [:]
  /// Transactions that were proposed here and not applied yet.
  @exclusivity(unchecked) var inFlight = ZxidQueue<TxnInFlight>()
  @exclusivity(unchecked) private var proposals: [Proposal] = []
  @exclusivity(unchecked) private var touched: [ClientConnection] = []
  /// The tokens of clients that the driver has not taken yet.
  var saslRequests: [SASLRequest] = []
  /// The end of the session that has expired last.
  private var lastExpiryZxid = Zxid.zero
  /// The number of the next connection. A driver that replaces the core copies it to the new one.
  package var nextConnectionNumber: UInt64 = 1
  var nextSessionID: SessionID
  @exclusivity(unchecked) var eventMark: UInt64 = 0
  @exclusivity(unchecked) var changes: [TreeChange] = []
  @exclusivity(unchecked) var eventWriter = JuteWriter()
  /// Called for each event of the audit log; nil if there is no audit log.
  package var onAudit: ((AuditEvent) -> Void)?
  var auditTrail = AuditTrail()
  /// What keeps handshakes from coming too fast.
  package private(set) var connectionThrottle: ConnectionThrottle
  /// Whether requests are counted and may be held back.
  let limitsRequests: Bool
  /// The requests that wait until fewer are unanswered.
  @exclusivity(unchecked) var waiting = WaitingConnections()
  /// Called when a client has failed to prove an identity of a scheme.
  package var onAuthFailure: ((_ connection: ClientConnection, _ scheme: String) -> Void)?
  /// A learner's requests for its leader; see `ServerCore+Ensemble`.
  @exclusivity(unchecked) var questions = LeaderQuestions()

  /// A server over a recovered tree. All sessions get their full timeouts from now on, because their clients could not
  /// be heard while the server was down.
  package init(
    settings: ServerSettings, tree: DataTree, sessions: [SessionID: Int32] = [:], time: ServerTime,
    role: ServerRole = .standalone, metrics: CoreMetrics = CoreMetrics()
  ) {
    self.settings = settings
    self.metrics = metrics
    self.tree = tree
    self.role = role
    limitsRequests = settings.limits.isOn
    committedSessions = sessions
    preparer = RequestPreparer(tree: tree, settings: settings, expiresSessions: role != .learner, metrics)
    if case .leader(let epoch) = role { preparer.lastZxid = epoch.newLeaderZxid }
    access = preparer.access
    connectionThrottle = ConnectionThrottle(
      settings.connectionThrottle, now: time.monotonicMilliseconds, seed: UInt64(bitPattern: time.wallMilliseconds))
    nextSessionID = SessionCredentials.firstID(serverID: settings.serverID, milliseconds: time.wallMilliseconds)
    // In order, because those that are due at the same time expire in the order in which they were added.
    for (session, timeout) in sessions.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      preparer.sessions.track(session, timeoutMilliseconds: timeout, now: time.monotonicMilliseconds)
    }
  }

  /// This server as the owner of sessions.
  var owner: UInt64 { UInt64(bitPattern: settings.serverID) }

  /// The newest transaction applied, as replies show it.
  package var lastProcessedZxid: Zxid { tree.lastProcessedZxid }

  /// Whether a handshake may go on; it takes its tokens.
  func admit(_ request: ConnectRequest, _ time: ServerTime) -> Bool {
    defer { metrics.tokenDeficit.add(connectionThrottle.deficit) }
    let handshake: ConnectionThrottle.Handshake =
      request.sessionID != .none ? .earlierSession : settings.hasLocalSessions ? .newLocalSession : .newSession
    return connectionThrottle.admit(handshake, now: time.monotonicMilliseconds)
  }

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

  /// Adds the identities of a certificate to a connection on which nothing has been received yet.
  package func identify(_ connection: ClientConnection, certificateSubject: String) {
    connection.identities += access.x509Identities(certificateSubject)
  }

  /// Removes a connection that either side has closed. Its session continues to exist.
  package func disconnected(_ connection: ClientConnection) {
    // It may belong to another core, from before the server's role changed.
    guard connections[connection.number] === connection else { return }
    if limitsRequests { disconnectWaiting(connection) }
    close(connection)
    if limitsRequests { releaseLimits(of: connection) }
    connections[connection.number] = nil
    counters.outstandingRequests -= connection.outstandingCount - connection.waiting.count
    connection.pending = Deque()
    connection.heldFrames = []
    connection.saslXid = nil
  }

  /// Whether something was proposed since the last call of `drainProposals`.
  package var hasProposals: Bool { !proposals.isEmpty }

  /// Passes the transactions that were proposed since the last call to `body`, in the order of their zxids.
  package func drainProposals(_ body: (borrowing Proposal) -> Void) {
    if proposals.isEmpty { return }
    // Iterating over the array would copy each element, and count a reference for each of its parts.
    proposals.withUnsafeBufferPointer { for index in $0.indices { body($0[index]) } }
    proposals.removeAll(keepingCapacity: true)
  }

  /// The connections that have got output, or must be closed, since the last call.
  package func takeTouched() -> [ClientConnection] {
    if touched.isEmpty { return [] }
    defer { touched.removeAll(keepingCapacity: true) }
    for connection in touched { connection.hasPendingOutput = false }
    return touched
  }

  /// Ends sessions that were not heard from within their timeouts, a limited number at a time. The driver calls it
  /// every tick, and while `canExpireMore`.
  ///
  /// A learner's leader ends those of the whole ensemble.
  ///
  /// - Returns: those of clients that may write.
  @discardableResult
  package func expireSessions(_ time: ServerTime) -> [SessionID] {
    if role == .readOnly {
      expireReadOnly(time)
      return []
    }
    let local = settings.hasLocalSessions ? expireLocalSessions(time) : []
    if role == .learner { return local }
    guard isExpiryApplied else { return local }
    let expired = preparer.sessions.expire(now: time.monotonicMilliseconds, limit: settings.expiredAtOnceCount)
    for session in expired {
      counters.sessionsExpired += 1
      metrics.sessionsExpired += 1
      propose(
        preparer.prepareCloseSession(session, xid: Xid(rawValue: 0), wallMilliseconds: time.wallMilliseconds))
    }
    if !expired.isEmpty { lastExpiryZxid = preparer.lastZxid }
    return local + expired
  }

  /// Whether more sessions may have expired than the last call of `expireSessions` has ended.
  package var isExpiring: Bool { preparer.sessions.hasMoreDue || preparer.localSessions.hasMoreDue }

  /// Whether they can be ended now. Those that are not local must wait until the ends of the previous ones are applied:
  /// if all of them were proposed at once, other writes would wait in the log after them, and all clients would wait
  /// for the turn that applies them.
  package var canExpireMore: Bool {
    isExpiring && (preparer.localSessions.hasMoreDue || isExpiryApplied)
  }

  private var isExpiryApplied: Bool { lastExpiryZxid <= tree.lastProcessedZxid }

  /// The address of a session's client; nil if it is not connected to this server.
  package func address(of session: SessionID) -> String? { connectionsBySession[session]?.address }

  /// Ends a session as if it had not been heard from within its timeout.
  ///
  /// - Returns: false if there is no such session, or it is ending.
  package func expire(_ session: SessionID, _ time: ServerTime) -> Bool {
    if preparer.localSessions.sessions[session] != nil {
      counters.sessionsExpired += 1
      endLocalSession(session)
      return true
    }
    guard role != .learner, let present = preparer.sessions.sessions[session], !present.isClosing else { return false }
    counters.sessionsExpired += 1
    propose(preparer.prepareCloseSession(session, xid: Xid(rawValue: 0), wallMilliseconds: time.wallMilliseconds))
    return true
  }

  /// Deletes containers and TTL znodes that are no longer used, at most `limit` at a time.
  package func reap(_ time: ServerTime, limit: Int) {
    let paths = tree.reapablePaths(
      nowMilliseconds: time.wallMilliseconds, maxNeverUsedMilliseconds: settings.containerMaxNeverUsedMilliseconds,
      limit: limit)
    for path in paths {
      counters.containersDeleted += 1
      propose(preparer.prepareDeleteContainer(path, wallMilliseconds: time.wallMilliseconds))
    }
  }

  /// Applies all proposals up to `zxid`, which are durable, sends the watch events and answers the requests.
  package func commit(through zxid: Zxid, _ time: ServerTime) {
    while let next = inFlight.popFirst(through: zxid) { apply(next.entry, known: next.digests, time) }
  }

  /// Applies the oldest proposal if it has the zxid. A leader thus need not decode the transactions that it has made.
  ///
  /// - Returns: whether it was applied.
  package func commitNext(_ zxid: Zxid, _ time: ServerTime) -> Bool {
    guard inFlight.firstZxid == zxid, let next = inFlight.popFirst(through: zxid) else { return false }
    apply(next.entry, known: next.digests, time)
    return true
  }

  /// The number of proposals that are not applied yet.
  package var proposalsInFlight: Int { inFlight.count }

  /// The connections, in the order in which they came.
  package var allConnections: [ClientConnection] { connections.values.sorted { $0.number < $1.number } }

  /// The number of connections, those without a session included.
  package var connectionCount: Int { connections.count }

  /// The number of sessions that have not ended, those that only this server knows included.
  package var sessionCount: Int { preparer.sessions.sessions.count + localSessionCount }

  /// When each session expires if nothing more is heard, in milliseconds of the monotonic clock, in no order, for
  /// `dump`.
  package var sessionExpiries: [(milliseconds: Int64, session: SessionID)] {
    preparer.sessions.sessions.values.lazy.filter { !$0.isClosing }.map { ($0.expiryMilliseconds, $0.id) }
  }

  /// The number of entries of both watch tables.
  package var watchCount: Int { watches.dataWatchCount + watches.childWatchCount }

  /// The numbers of entries, paths and connections of the data table, for `wchs`.
  package var dataWatchSummary: (watches: Int, paths: Int, connections: Int) {
    (watches.dataWatchCount, watches.dataPathCount, connections.values.count { !$0.dataWatches.isEmpty })
  }

  /// Resets the server's latencies and packet counts, and everything that is measured, for `srst`.
  package func resetStatistics() {
    counters.latency = LatencyStatistics()
    counters.packetsReceived = 0
    counters.packetsSent = 0
    counters.responseSizes = ResponseSizes()
    metrics.resetDistributions()
  }

  /// Resets the statistics of all connections, for `crst`.
  package func resetConnectionStatistics() {
    for connection in connections.values { connection.statistics = ConnectionStatistics() }
  }

  /// Adds a transaction to those that `drainProposals` passes to the driver.
  func propose(_ prepared: consuming PreparedTxn) {
    let zxid = prepared.proposal.zxid
    metrics.preparedCount += 1
    proposals.append(prepared.proposal)
    inFlight.append(prepared.inFlight, zxid)
  }

  /// Adds a connection to those that `takeTouched` returns.
  func touch(_ connection: ClientConnection) {
    guard !connection.hasPendingOutput else { return }
    connection.hasPendingOutput = true
    touched.append(connection)
  }

  /// Stops reading from a connection. The driver closes it when its output was sent.
  func close(_ connection: ClientConnection) {
    guard connection.state != .closed else { return }
    watches.removeAll(of: connection)
    connection.state = .closed
    if limitsRequests, !connection.outlivesClient { forgetWaiting(connection) }
    if connectionsBySession[connection.sessionID] === connection { connectionsBySession[connection.sessionID] = nil }
    touch(connection)
  }
}
