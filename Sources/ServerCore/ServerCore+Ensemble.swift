internal import Jute
package import ZooKeeperProtocol

/// The learner's side: requests that the leader must decide.
///
/// *Source*: `FollowerRequestProcessor`, `LearnerZooKeeperServer`; `QuorumProtocol` B.11, C.
extension ServerCore {
  /// Whether there are requests for the leader.
  package var hasQuestions: Bool { !questions.requests.isEmpty }

  /// The requests for the leader since the last call, in order.
  package func takeQuestions() -> [LeaderQuestion] {
    defer { questions.requests.removeAll(keepingCapacity: true) }
    return questions.requests
  }

  /// The sessions that were heard from since the last call: the answer to a PING.
  package func takeTouchedSessions() -> [SessionTouch] {
    defer { questions.touched.removeAll(keepingCapacity: true) }
    return questions.touched.map { session in
      session.wasHeardFrom = false
      return SessionTouch(sessionID: session.id, timeoutMilliseconds: session.timeoutMilliseconds)
    }
  }

  /// Handles the leader's answer to whether a session is alive.
  package func onSessionChecked(_ validity: SessionValidity, _ time: ServerTime) {
    guard let waiting = questions.revalidations.removeValue(forKey: validity.sessionID) else { return }
    // The first answer serves all connections that wait; the one that came last gets the session.
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

  /// Handles the leader's answer to the oldest sync. The client is answered when this server, which may be the leader
  /// itself, has applied `zxid`.
  package func onSynced(through zxid: Zxid, _ time: ServerTime) {
    questions.answeredSyncs.append(zxid)
    releaseSyncs(time)
  }

  /// Forwards a write to the leader. It is answered when its transaction is applied here.
  func forwardWrite(
    _ xid: Xid, _ opCode: OpCode, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime
  ) {
    hold(.write(xid: xid, opCode: opCode, startMicroseconds: time.monotonicMicroseconds), on: connection)
    forward(xid, opCode, [UInt8](payload[8...]), connection)
  }

  /// Forwards a sync to the leader.
  func forwardSync(
    _ xid: Xid, _ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime
  ) {
    hold(.sync([UInt8](payload), startMicroseconds: time.monotonicMicroseconds), on: connection)
    questions.syncs.append(connection)
    forward(xid, .sync, [UInt8](payload[8...]), connection)
  }

  /// On a leader, holds back a client's sync until the ensemble has confirmed that this server still leads. A leader
  /// that was paused may have been replaced, and would answer with old data.
  func holdSync(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    hold(.sync([UInt8](payload), startMicroseconds: time.monotonicMicroseconds), on: connection)
    questions.syncs.append(connection)
    questions.heldSyncCount += 1
  }

  /// Asks the leader for a new session.
  func forwardCreateSession(_ connection: ClientConnection) {
    let timeout = withUnsafeBytes(of: connection.sessionTimeoutMilliseconds.bigEndian) { [UInt8]($0) }
    questions.requests.append(
      .request(
        ForwardedRequest(
          sessionID: connection.sessionID, xid: Xid(rawValue: 0), type: OpCode.createSession.rawValue, body: timeout),
        nil))
  }

  /// Asks the leader whether a session that a client wants to resume is alive.
  func askAboutSession(_ connection: ClientConnection) {
    connection.state = .opening
    questions.revalidations[connection.sessionID, default: []].append(connection)
    questions.requests.append(
      .session(
        SessionTouch(
          sessionID: connection.sessionID, timeoutMilliseconds: connection.sessionTimeoutMilliseconds)))
  }

  /// Answers the clients whose syncs the leader has answered, as far as this server has applied what they wait for.
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

/// The leader's side: requests of learners.
///
/// *Source*: `LearnerHandler`, `PrepRequestProcessor`; `QuorumProtocol` B.11.
extension ServerCore {
  /// Enables reconfiguration. `view` returns the present state of the ensemble.
  package func setEnsembleView(_ view: @escaping () -> EnsembleView) { preparer.ensembleView = view }

  /// Whether syncs of the leader's own clients have come since the last call of `takeHeldSyncs`.
  package var hasHeldSyncs: Bool { questions.heldSyncCount > 0 }

  /// The number of syncs of the leader's own clients since the last call. Each must be answered by `onSynced`.
  package func takeHeldSyncs() -> Int {
    defer { questions.heldSyncCount = 0 }
    return questions.heldSyncCount
  }

  /// The last transaction that was prepared here, applied or not. A learner's sync waits until the learner has applied
  /// it.
  package var lastPreparedZxid: Zxid { preparer.lastZxid }

  /// Handles a write that a learner forwards. Every request makes a transaction, if only one of type error, because the
  /// learner waits for it.
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

  /// Handles a learner's question whether a session that its client wants to resume is alive.
  ///
  /// - Returns: whether it is; then it belongs to that learner from now on.
  package func checkSession(_ touch: SessionTouch, from server: ServerID, _ time: ServerTime) -> Bool {
    metrics.revalidations += 1
    guard let session = preparer.sessions.sessions[touch.sessionID], !session.isClosing else { return false }
    preparer.sessions.track(
      touch.sessionID, timeoutMilliseconds: touch.timeoutMilliseconds, now: time.monotonicMilliseconds)
    session.owner = UInt64(bitPattern: server.rawValue)
    return true
  }

  /// Records that a learner has heard from sessions.
  package func touchSessions(_ touches: [SessionTouch], _ time: ServerTime) {
    for touch in touches {
      guard let session = preparer.sessions.sessions[touch.sessionID], !session.isClosing else { continue }
      preparer.sessions.touch(session, now: time.monotonicMilliseconds)
    }
  }

  /// Ends sessions that own ephemerals but no longer exist. A leader does this before it serves.
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
