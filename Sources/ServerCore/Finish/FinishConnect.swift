internal import Jute
internal import ZooKeeperProtocol

/// The handshake: sessions begin, and are resumed on other connections.
///
/// *Source*: `ClientProtocol` 2.5, 2.6.
extension ServerCore {
  /// Handles the first frame of a connection.
  func onConnectRequest(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    metrics.connectRequests += 1
    var reader = JuteReader(payload)
    let request: ConnectRequest
    do throws(JuteError) { request = try ConnectRequest(from: &reader) } catch { return close(connection) }
    guard admit(request, time) else {
      metrics.throttledConnections += 1
      return close(connection)
    }
    // The client has seen a newer state than this server has, and must connect to another one.
    guard request.lastZxidSeen <= tree.lastProcessedZxid else { return close(connection) }
    connection.hasReadOnlyByte = request.readOnly != nil
    connection.sessionTimeoutMilliseconds = settings.negotiatedTimeout(
      requestedMilliseconds: request.timeoutMilliseconds)
    if role == .readOnly { return connectReadOnly(request, connection, time) }
    if request.sessionID == .none { return createSession(connection, time) }
    metrics.connectionRevalidations += 1
    // As in Apache's servers, this precedes the check of the password: anyone who knows the id can end the connection.
    if let other = connectionsBySession[request.sessionID] { close(other) }
    connection.sessionID = request.sessionID
    guard SessionCredentials.isValid(request.password, for: request.sessionID) else { return reject(connection) }
    if resumeLocalSession(connection, time) { return }
    if role == .learner { return askAboutSession(connection) }
    guard let session = preparer.sessions.sessions[request.sessionID], !session.isClosing else {
      return reject(connection)
    }
    preparer.sessions.track(
      request.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, now: time.monotonicMilliseconds)
    session.owner = owner
    open(connection, session, time)
  }

  /// Opens a connection for a session whose creation was applied, or which existed before.
  func open(_ connection: ClientConnection, _ session: SessionRecord, _ time: ServerTime) {
    connection.session = session
    connectionsBySession[session.id] = connection
    connection.state = .open
    answerConnect(
      connection, timeout: connection.sessionTimeoutMilliseconds, session.id,
      SessionCredentials.password(of: session.id))
    let held = connection.heldFrames
    connection.heldFrames = []
    counters.outstandingRequests -= held.count
    for frame in held where connection.state == .open {
      frame.withUnsafeBytes { onFrame($0, connection, time) }
    }
  }

  private func createSession(_ connection: ClientConnection, _ time: ServerTime) {
    let id = nextSessionID
    nextSessionID = SessionID(rawValue: id.rawValue &+ 1)
    connection.sessionID = id
    counters.sessionsCreated += 1
    if settings.hasLocalSessions, role != .standalone { return createLocalSession(connection, time) }
    connection.state = .opening
    connectionsBySession[id] = connection
    hold(
      .write(xid: Xid(rawValue: 0), opCode: .createSession, startMicroseconds: time.monotonicMicroseconds),
      on: connection)
    if role == .learner { return forwardCreateSession(connection) }
    propose(
      preparer.prepareCreateSession(
        id, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, owner: owner, time: time))
  }

  /// Refuses a session that does not exist, and closes the connection.
  func reject(_ connection: ClientConnection) {
    answerConnect(connection, timeout: 0, .none, [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes))
    close(connection)
  }

  private func answerConnect(_ connection: ClientConnection, timeout: Int32, _ id: SessionID, _ password: [UInt8]) {
    let start = connection.output.reserveFrame()
    ConnectResponse(
      timeoutMilliseconds: timeout, sessionID: id, password: password,
      readOnly: connection.hasReadOnlyByte ? role == .readOnly : nil
    ).encode(into: &connection.output)
    endReply(connection, at: start)
  }
}
