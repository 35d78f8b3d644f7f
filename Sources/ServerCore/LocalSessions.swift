internal import Jute
package import ZooKeeperProtocol

/// Sessions that only the server knows to which their clients are connected. They take no transaction, end with their
/// server's role, and cannot move to another server.
///
/// Their writes are like any others: the leader lets sessions write that it does not know, if their ids say that
/// another server has made them. What they cannot have are ephemerals, because only that server would end them. So a
/// session becomes one of the whole ensemble before it creates an ephemeral, or is refused.
///
/// *Source*: `UpgradeableSessionTracker`, `LeaderSessionTracker`, `LearnerSessionTracker`,
/// `QuorumZooKeeperServer#checkUpgradeSession`; `ClientProtocol` 2.10.
extension ServerCore {
  /// The number of sessions that only this server knows.
  package var localSessionCount: Int { preparer.localSessions.sessions.count }

  /// Whether there is such a session on this server.
  package func hasLocalSession(_ session: SessionID) -> Bool { preparer.localSessions.sessions[session] != nil }

  /// When each of them expires if nothing more is heard, in milliseconds of the monotonic clock, in no order.
  package var localSessionExpiries: [(milliseconds: Int64, session: SessionID)] {
    preparer.localSessions.sessions.values.map { ($0.expiryMilliseconds, $0.id) }
  }

  /// Creates a session for a connection, and opens the connection at once.
  func createLocalSession(_ connection: ClientConnection, _ time: ServerTime) {
    let session = preparer.localSessions.track(
      connection.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, now: time.monotonicMilliseconds)
    open(connection, session, time)
  }

  /// Resumes a session that this server has made.
  ///
  /// - Returns: whether it is a local session of this server.
  func resumeLocalSession(_ connection: ClientConnection, _ time: ServerTime) -> Bool {
    guard let session = preparer.localSessions.sessions[connection.sessionID] else { return false }
    preparer.localSessions.track(
      session.id, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, now: time.monotonicMilliseconds)
    open(connection, session, time)
    return true
  }

  /// Does what the write of a local session needs before it can be handled like any other.
  ///
  /// - Returns: whether there is nothing left to do, because it was the end of the session.
  func settleLocalWrite(
    _ xid: Xid, _ opCode: OpCode, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection,
    _ session: SessionRecord, _ time: ServerTime
  ) -> Bool {
    if opCode == .closeSession {
      preparer.localSessions.remove(session.id)
      hold(.end(xid: xid, startMicroseconds: time.monotonicMicroseconds), on: connection)
      drain(connection, time)
      return true
    }
    guard makesEphemeral(opCode, payload) else { return false }
    if settings.upgradesLocalSessions {
      upgrade(session, connection, time)
    } else if role == .learner, opCode != .multi {
      connection.refusedEphemerals.append(xid)
    }
    return false
  }

  /// The error that a client gets for its write, of which the leader has said that the session does not exist: the
  /// leader does not know that it is local.
  ///
  /// A multi is answered as the leader says, as by Apache's servers.
  func localError(_ error: KeeperError, _ xid: Xid, _ connection: ClientConnection) -> KeeperError {
    guard let index = connection.refusedEphemerals.firstIndex(of: xid) else { return error }
    // Replies come in the order of the requests: those before this one were answered without the leader's refusal.
    connection.refusedEphemerals.removeFirst(index + 1)
    return error == .sessionExpired ? .ephemeralOnLocalSession : error
  }

  /// Ends local sessions that were not heard from within their timeouts, without a transaction.
  ///
  /// - Returns: these sessions.
  func expireLocalSessions(_ time: ServerTime) -> [SessionID] {
    let expired = preparer.localSessions.expire(
      now: time.monotonicMilliseconds, limit: settings.expiredAtOnceCount)
    for session in expired {
      counters.sessionsExpired += 1
      metrics.sessionsExpired += 1
      endLocalSession(session)
    }
    return expired
  }

  /// Ends a local session, and closes its connection.
  func endLocalSession(_ session: SessionID) {
    preparer.localSessions.remove(session)
    if let connection = connectionsBySession[session] { close(connection) }
  }

  /// Makes a session one of the whole ensemble. The transaction for it precedes that of the request.
  private func upgrade(_ session: SessionRecord, _ connection: ClientConnection, _ time: ServerTime) {
    preparer.localSessions.remove(session.id)
    if role == .learner {
      connection.session = preparer.sessions.track(
        session.id, timeoutMilliseconds: session.timeoutMilliseconds, now: time.monotonicMilliseconds)
      forwardCreateSession(connection)
    } else {
      propose(
        preparer.prepareCreateSession(
          session.id, timeoutMilliseconds: session.timeoutMilliseconds, owner: owner, time: time))
      connection.session = preparer.sessions.sessions[session.id]
    }
  }

  private func makesEphemeral(_ opCode: OpCode, _ payload: UnsafeRawBufferPointer) -> Bool {
    guard opCode == .create || opCode == .create2 || opCode == .multi else { return false }
    var reader = JuteReader(UnsafeRawBufferPointer(rebasing: payload[8...]))
    do throws(JuteError) {
      switch try ClientRequest(opCode: opCode, from: &reader) {
      case .create(let body), .create2(let body): return CreateForm(opCode, body).makesEphemeral
      case .multi(let body): return body.operations.contains { Self.makesEphemeral($0) }
      default: return false
      }
    } catch {
      return false
    }
  }

  private static func makesEphemeral(_ operation: MultiOperation) -> Bool {
    switch operation {
    case .create(let body), .create2(let body): CreateForm(.create, body).makesEphemeral
    // Without a TTL mode it is a plain create, see `RequestPreparer.multi`.
    case .createTTL(let body): CreateForm(.create, body.create).makesEphemeral
    default: false
    }
  }
}

extension RequestPreparer {
  /// Whether a session is local to this server, or may be local to another one: the ensemble does not know it, and its
  /// id says that another server has made it.
  func mayBeLocal(_ session: SessionID) -> Bool {
    if localSessions.sessions[session] != nil { return true }
    let maker = UInt8(truncatingIfNeeded: session.rawValue >> 56)
    return sessions.sessions[session] == nil && maker != UInt8(truncatingIfNeeded: settings.serverID)
  }

  /// Refuses an ephemeral of a session that the ensemble does not know, or has ended, or is at another server.
  ///
  /// - Throws: `ephemeralOnLocalSession`, `sessionExpired` or `sessionMoved`.
  func checkOwnerOfEphemerals(_ context: Context) throws(KeeperError) {
    if localSessions.sessions[context.origin.sessionID] != nil { throw .ephemeralOnLocalSession }
    try sessions.check(context.origin.sessionID, owner: context.origin.owner)
  }
}
