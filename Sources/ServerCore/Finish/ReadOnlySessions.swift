internal import ZooKeeperProtocol

/// A member without a quorum that still answers reads. Its sessions are local to it, and it refuses writes.
///
/// What it shows may be old. As in Apache's servers it may also never become valid: the log is applied when a member
/// starts, and its last transactions may not have been committed.
///
/// Since 3.7, Apache's servers answer the request for a new session with a malformed reply, unless local sessions are
/// enabled. Here a session is created in any case.
///
/// *Source*: `org.apache.zookeeper.server.quorum.ReadOnlyZooKeeperServer`; `ClientProtocol` 2.9.
extension ServerCore {
  /// Handles the first frame of a connection.
  func connectReadOnly(_ request: ConnectRequest, _ connection: ClientConnection, _ time: ServerTime) {
    // A client that does not accept a read-only server must connect to another one.
    guard request.readOnly == true else { return close(connection) }
    if request.sessionID == .none {
      let id = nextSessionID
      nextSessionID = SessionID(rawValue: id.rawValue &+ 1)
      connection.sessionID = id
      counters.sessionsCreated += 1
      let session = preparer.sessions.track(
        id, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, now: time.monotonicMilliseconds)
      return open(connection, session, time)
    }
    connection.sessionID = request.sessionID
    // A session of the ensemble must wait for the ensemble. Any other session is unknown.
    if committedSessions[request.sessionID] != nil { return close(connection) }
    guard SessionCredentials.isValid(request.password, for: request.sessionID),
      let session = preparer.sessions.sessions[request.sessionID], !session.isClosing
    else { return reject(connection) }
    if let other = connectionsBySession[request.sessionID] { close(other) }
    open(connection, session, time)
  }

  /// Refuses a write, or a sync, which needs a leader. The end of a session is accepted.
  func refuseWrite(_ xid: Xid, _ opCode: OpCode?, _ connection: ClientConnection) {
    guard opCode == .closeSession else { return answer(connection, xid, .notReadOnly) }
    preparer.sessions.remove(connection.sessionID)
    answer(connection, xid, .ok)
    close(connection)
  }

  /// Ends local sessions that were not heard from within their timeouts, without a transaction.
  func expireReadOnly(_ time: ServerTime) {
    let expired = preparer.sessions.expire(now: time.monotonicMilliseconds, limit: settings.expiredAtOnceCount)
    for session in expired {
      if let connection = connectionsBySession[session] { close(connection) }
      preparer.sessions.remove(session)
    }
  }
}
