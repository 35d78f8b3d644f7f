internal import Jute
package import ZooKeeperProtocol

/// The learner's side: what the leader decides.
///
/// *Source*: `FollowerRequestProcessor`, `LearnerZooKeeperServer`; `QuorumProtocol` B.11, C.
extension ServerCore {
  /// Whether something is to be asked.
  package var hasQuestions: Bool { !questions.requests.isEmpty }

  /// What is to be asked since the last call, in order.
  package func takeQuestions() -> [LeaderQuestion] {
    defer { questions.requests.removeAll(keepingCapacity: true) }
    return questions.requests
  }

  /// The sessions that were heard from since the last call: the answer to a PING.
  package func takeTouchedSessions() -> [SessionTouch] {
    defer { questions.touched.removeAll(keepingCapacity: true) }
    return questions.touched.map { session in
      session.isTouched = false
      return SessionTouch(sessionID: session.id, timeoutMilliseconds: session.timeoutMilliseconds)
    }
  }

  /// The leader knows whether a session lives.
  package func onSessionChecked(_ validity: SessionValidity, _ time: ServerTime) {
    guard let waiting = questions.revalidations.removeValue(forKey: validity.sessionID) else { return }
    // One answer for each question; the connection that came last has the session.
    for connection in waiting where connection.state == .opening {
      guard validity.isValid, connection === waiting.last else {
        reject(connection)
        continue
      }
      let session = preparer.sessions.track(
        validity.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds,
        now: time.monotonicMilliseconds)
      open(connection, session, time)
    }
  }

  /// The leader, which may be this server, has answered the oldest sync: its client may be told once this server has
  /// applied `zxid`.
  package func onSynced(through zxid: Zxid, _ time: ServerTime) {
    questions.answeredSyncs.append(zxid)
    releaseSyncs(time)
  }

  /// Passes on a write; its transaction answers it.
  func forwardWrite(
    _ xid: Xid, _ opCode: OpCode, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime
  ) {
    counters.outstandingRequests += 1
    connection.pending.append(.write(xid: xid, opCode: opCode, startMilliseconds: time.monotonicMilliseconds))
    forward(xid, opCode, [UInt8](payload[8...]), connection)
  }

  /// Passes on a sync.
  func forwardSync(
    _ xid: Xid, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime
  ) {
    counters.outstandingRequests += 1
    connection.pending.append(.sync([UInt8](payload), startMilliseconds: time.monotonicMilliseconds))
    questions.syncs.append(connection)
    forward(xid, .sync, [UInt8](payload[8...]), connection)
  }

  /// On a leader: holds a client's sync back until the ensemble has confirmed that this server leads.
  func holdSync(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    counters.outstandingRequests += 1
    connection.pending.append(.sync([UInt8](payload), startMilliseconds: time.monotonicMilliseconds))
    questions.syncs.append(connection)
    questions.heldSyncCount += 1
  }

  /// Asks for a new session.
  func forwardCreateSession(_ connection: ClientConnection) {
    let timeout = withUnsafeBytes(of: connection.sessionTimeoutMilliseconds.bigEndian) { [UInt8]($0) }
    questions.requests.append(
      .request(
        ForwardedRequest(
          sessionID: connection.sessionID, xid: Xid(rawValue: 0), type: OpCode.createSession.rawValue, body: timeout),
        nil))
  }

  /// Asks whether a session that a client wants back lives.
  func askAboutSession(_ connection: ClientConnection) {
    connection.state = .opening
    questions.revalidations[connection.sessionID, default: []].append(connection)
    questions.requests.append(
      .session(
        SessionTouch(
          sessionID: connection.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds)))
  }

  /// Tells the clients whose syncs the leader has answered, as far as this server has come.
  func releaseSyncs(_ time: ServerTime) {
    while let zxid = questions.answeredSyncs.first, zxid <= tree.lastProcessedZxid {
      _ = questions.answeredSyncs.popFirst()
      guard let connection = questions.syncs.popFirst(), connection.state == .open else { continue }
      connection.releasedSyncCount += 1
      drain(connection, time)
    }
  }

  private func forward(_ xid: Xid, _ opCode: OpCode, _ body: [UInt8], _ connection: ClientConnection) {
    questions.requests.append(
      .request(
        ForwardedRequest(sessionID: connection.sessionID, xid: xid, type: opCode.rawValue, body: body),
        connection.identities))
  }
}

/// The leader's side: what learners ask.
///
/// *Source*: `LearnerHandler`, `PrepRequestProcessor`; `QuorumProtocol` B.11.
extension ServerCore {
  /// Lets the leader's clients change the ensemble that `view` tells of.
  package func setEnsembleView(_ view: @escaping () -> EnsembleView) { preparer.ensembleView = view }

  /// Whether syncs of the leader's own clients have come since the last call of `takeHeldSyncs`.
  package var hasHeldSyncs: Bool { questions.heldSyncCount > 0 }

  /// How many syncs of the leader's own clients have come since the last call. Each is answered by `onSynced`.
  package func takeHeldSyncs() -> Int {
    defer { questions.heldSyncCount = 0 }
    return questions.heldSyncCount
  }

  /// The last transaction that was made here, applied or not: what a learner's sync waits for.
  package var lastPreparedZxid: Zxid { preparer.lastZxid }

  /// A learner's client wants a write. Every request makes a transaction, if only one that says why not: the learner
  /// waits for it.
  package func receive(
    _ request: ForwardedRequest, identities: [Identity], from server: ServerID, _ time: ServerTime
  ) {
    counters.packetsReceived += 1
    let owner = UInt64(bitPattern: server.rawValue)
    if let session = preparer.sessions.sessions[request.sessionID], !session.isClosing {
      preparer.sessions.touch(session, now: time.monotonicMilliseconds)
    }
    let origin = RequestOrigin(
      sessionID: request.sessionID, xid: request.xid, identities: identities, owner: owner)
    guard let opCode = OpCode(rawValue: request.type) else {
      return propose(preparer.prepareError(.unimplemented, origin, wallMilliseconds: time.wallMilliseconds))
    }
    switch opCode {
    case .createSession:
      let timeout = request.body.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
      propose(
        preparer.prepareCreateSession(
          request.sessionID, timeoutMilliseconds: Int32(bitPattern: timeout), owner: owner, time: time))
    case .closeSession:
      propose(
        preparer.prepareCloseSession(
          request.sessionID, xid: request.xid, wallMilliseconds: time.wallMilliseconds))
    default: propose(prepare(opCode, request.body, origin, time))
    }
  }

  /// A learner's client wants its session back.
  ///
  /// - Returns: whether there is one; then it belongs to that learner from now on.
  package func checkSession(_ touch: SessionTouch, from server: ServerID, _ time: ServerTime) -> Bool {
    guard let session = preparer.sessions.sessions[touch.sessionID], !session.isClosing else { return false }
    preparer.sessions.track(
      touch.sessionID, timeoutMilliseconds: touch.timeoutMilliseconds, now: time.monotonicMilliseconds)
    session.owner = UInt64(bitPattern: server.rawValue)
    return true
  }

  /// A learner has heard from sessions.
  package func touchSessions(_ touches: [SessionTouch], _ time: ServerTime) {
    for touch in touches {
      guard let session = preparer.sessions.sessions[touch.sessionID], !session.isClosing else { continue }
      preparer.sessions.touch(session, now: time.monotonicMilliseconds)
    }
  }

  /// Ends sessions that have ephemerals and are not there any more: what a leader does before anything else.
  package func endLostSessions(_ time: ServerTime) {
    for session in tree.sessionsWithEphemerals where committedSessions[session] == nil {
      propose(
        preparer.prepareCloseSession(session, xid: Xid(rawValue: 0), wallMilliseconds: time.wallMilliseconds))
    }
  }

  private func prepare(
    _ opCode: OpCode, _ body: [UInt8], _ origin: RequestOrigin, _ time: ServerTime
  ) -> PreparedTxn {
    let request = body.withUnsafeBytes { bytes -> ClientRequest? in
      var reader = JuteReader(bytes)
      do throws(JuteError) { return try ClientRequest(opCode: opCode, from: &reader) } catch { return nil }
    }
    guard let request else {
      return preparer.prepareError(.marshallingError, origin, wallMilliseconds: time.wallMilliseconds)
    }
    return preparer.prepare(request, origin, wallMilliseconds: time.wallMilliseconds)
  }
}
