internal import Jute
internal import ZooKeeperProtocol

/// Sessions begin and change hands.
///
/// *Source*: `ClientProtocol` 2.5, 2.6.
extension ServerCore {
  /// The first frame of a connection.
  func onConnectRequest(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    var reader = JuteReader(payload)
    let request: ConnectRequest
    do throws(JuteError) { request = try ConnectRequest(from: &reader) } catch { return close(connection) }
    // The client knows a newer state than this server: it must look elsewhere.
    guard request.lastZxidSeen <= tree.lastProcessedZxid else { return close(connection) }
    connection.hasReadOnlyByte = request.readOnly != nil
    connection.sessionTimeoutMilliseconds = settings.negotiatedTimeout(
      requestedMilliseconds: request.timeoutMilliseconds)
    if role == .readOnly { return connectReadOnly(request, connection, time) }
    if request.sessionID == .none { return createSession(connection, time) }
    // Before the password is looked at, as Apache does it: whoever knows the id can drop the connection.
    if let other = connectionsBySession[request.sessionID] { close(other) }
    connection.sessionID = request.sessionID
    guard SessionCredentials.isValid(request.password, for: request.sessionID) else { return reject(connection) }
    if role == .learner { return askAboutSession(connection) }
    guard let session = preparer.sessions.sessions[request.sessionID], !session.isClosing else {
      return reject(connection)
    }
    preparer.sessions.track(
      request.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, now: time.monotonicMilliseconds)
    session.owner = owner
    open(connection, session, time)
  }

  /// The session's first transaction has been applied, or it was there before.
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
      frame.withUnsafeBytes { onRequest($0, connection, time) }
    }
  }

  private func createSession(_ connection: ClientConnection, _ time: ServerTime) {
    let id = nextSessionID
    nextSessionID = SessionID(rawValue: id.rawValue &+ 1)
    connection.sessionID = id
    connection.state = .opening
    counters.sessionsCreated += 1
    counters.outstandingRequests += 1
    connectionsBySession[id] = connection
    connection.pending.append(
      .write(xid: Xid(rawValue: 0), opCode: .createSession, startMilliseconds: time.monotonicMilliseconds))
    if role == .learner { return forwardCreateSession(connection) }
    propose(
      preparer.prepareCreateSession(
        id, timeoutMilliseconds: connection.sessionTimeoutMilliseconds, owner: owner, time: time))
  }

  /// Tells a client that there is no such session.
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
