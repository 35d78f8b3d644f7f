internal import ZooKeeperProtocol

/// A member without a quorum that still answers reads: sessions of its own, and no writes.
///
/// *Source*: `org.apache.zookeeper.server.quorum.ReadOnlyZooKeeperServer`; `ClientProtocol` 2.9. Where Apache's server
/// since 3.7 answers a new session with something that is no answer, ours makes one, as Apache's does with local
/// sessions.
extension ServerCore {
  /// The first frame of a connection.
  func connectReadOnly(_ request: ConnectRequest, _ connection: ClientConnection, _ time: ServerTime) {
    // Whoever has not said that old data will do looks elsewhere.
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
    // A session of the ensemble's waits for the ensemble; of another one nobody knows.
    if committedSessions[request.sessionID] != nil { return close(connection) }
    guard SessionCredentials.isValid(request.password, for: request.sessionID),
      let session = preparer.sessions.sessions[request.sessionID], !session.isClosing
    else { return reject(connection) }
    if let other = connectionsBySession[request.sessionID] { close(other) }
    open(connection, session, time)
  }

  /// A write, or a sync, which needs a leader.
  func refuseWrite(_ xid: Xid, _ opCode: OpCode?, _ connection: ClientConnection) {
    guard opCode == .closeSession else { return answer(connection, xid, .notReadOnly) }
    preparer.sessions.remove(connection.sessionID)
    answer(connection, xid, .ok)
    close(connection)
  }

  /// Ends the connections of sessions that were not heard from in time. No transaction tells of it.
  func expireReadOnly(_ time: ServerTime) {
    for session in preparer.sessions.expire(now: time.monotonicMilliseconds) {
      if let connection = connectionsBySession[session] { close(connection) }
      preparer.sessions.remove(session)
    }
  }
}
