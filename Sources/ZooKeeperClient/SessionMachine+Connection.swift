import Jute
import ZooKeeperProtocol

/// Finding a server, the handshake, keep-alive, and the end of a connection.
extension SessionMachine {
  /// A connection is given up after this time without a message. Two thirds of the session timeout leave a third to
  /// find another server before the session expires.
  var readTimeout: Int64 { timeoutMilliseconds * 2 / 3 }

  /// A ping is sent after this time without another message: a third of the session timeout, so that its answer has
  /// another third to come before `readTimeout`.
  var pingInterval: Int64 { min(timeoutMilliseconds / 3, SessionSettings.longestPingIntervalMilliseconds) }

  /// Tries the next server of the list.
  mutating func connectToNext(now: Int64, into actions: inout [Action]) {
    serverIndex = (serverIndex + 1) % servers.count
    triedInRound += 1
    attempt += 1
    attemptDeadline = now + settings.attemptMilliseconds
    phase = .connecting
    actions.append(.connect(servers[serverIndex], attempt: attempt))
  }

  /// Sends the handshake on the new connection of `attempt`.
  mutating func onConnected(attempt: Int, now: Int64, into actions: inout [Action]) {
    guard attempt == self.attempt, case .connecting = phase else {
      return actions.append(.disconnect(attempt: attempt))
    }
    phase = .handshaking
    outbound.removeAll()
    let start = outbound.reserveFrame()
    ConnectRequest(
      lastZxidSeen: lastZxidSeen, timeoutMilliseconds: Int32(clamping: settings.sessionTimeoutMilliseconds),
      sessionID: hasSeenReadWrite ? sessionID : .none,
      password: hasSeenReadWrite ? password : [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes),
      readOnly: settings.allowsReadOnly
    ).encode(into: &outbound)
    outbound.finishFrame(at: start)
  }

  /// Handles the failure to open the connection of `attempt`.
  mutating func onConnectFailed(
    attempt: Int, _ reason: ConnectFailure.Reason, now: Int64, into actions: inout [Action]
  ) {
    guard attempt == self.attempt, case .connecting = phase else { return }
    attemptFailed(reason, now: now, into: &actions)
  }

  /// Handles the end of the connection of `attempt`.
  ///
  /// - Parameter reason: why it is of no use, if that is known.
  mutating func onDisconnected(
    attempt: Int, reason: ConnectFailure.Reason? = nil, now: Int64, into actions: inout [Action]
  ) {
    guard attempt == self.attempt else { return }
    switch phase {
    case .handshaking:
      if let reason { return attemptFailed(reason, now: now, into: &actions) }
      // A server that lacks transactions which the client has seen closes the connection without an answer. It still
      // answers four-letter words, so that the reason can be found out.
      guard lastZxidSeen != .zero else { return attemptFailed(.closedWithoutAnswer, now: now, into: &actions) }
      phase = .comparing
      attemptDeadline = now + settings.attemptMilliseconds
      actions.append(.compare(servers[serverIndex], attempt: attempt))
    case .authenticating:
      attemptFailed(reason ?? .closedWithoutAnswer, now: now, into: &actions)
    case .connected:
      connectionLost(protocolError: reason?.protocolError, now: now, into: &actions)
    case .closing:
      // The server closes the connection after its answer. If the answer is lost, the session ends by its timeout.
      end(.closed, into: &actions)
    case .idle, .waiting, .connecting, .comparing, .ended: break
    }
  }

  /// Compares the last zxid of the server that closed the connection of `attempt` with what the session has seen.
  ///
  /// - Parameter zxid: nil if the server does not serve, or did not answer.
  mutating func onCompared(attempt: Int, zxid: Zxid?, now: Int64, into actions: inout [Action]) {
    guard attempt == self.attempt, case .comparing = phase else { return }
    guard let zxid, zxid < lastZxidSeen else { return attemptFailed(.closedWithoutAnswer, now: now, into: &actions) }
    attemptFailed(.behind(server: zxid, seen: lastZxidSeen), now: now, into: &actions)
  }

  /// Records why a server could not be used, and tries the next one, or pauses if the round is over.
  mutating func attemptFailed(_ reason: ConnectFailure.Reason, now: Int64, into actions: inout [Action]) {
    failures.append(ConnectFailure(address: servers[serverIndex], reason: reason))
    guard triedInRound >= servers.count else { return connectToNext(now: now, into: &actions) }
    // A server that lags catches up. Servers that have lost their data never know this session again, and without a
    // limit the client would wait for them indefinitely.
    let isBehind = failures.contains { if case .behind = $0.reason { true } else { false } }
    roundsBehind = isBehind && isOverByTheClock(now: now) ? roundsBehind + 1 : 0
    if roundsBehind >= SessionSettings.roundsBehindLimit { return end(.sessionExpired, into: &actions) }
    let error = ZooKeeperError(.cannotConnect(failures))
    failures.removeAll()
    triedInRound = 0
    pause(now: now)
    failTried(error, into: &actions)
  }

  /// Handles the server's answer to the handshake.
  ///
  /// - Throws: `JuteError` if it cannot be decoded.
  mutating func onConnectResponse(
    _ payload: UnsafeRawBufferPointer, now: Int64, into actions: inout [Action]
  ) throws(JuteError) {
    guard payload.count >= ConnectResponse.minimumSizeBytes else {
      // Servers from 3.7 on answer a bare reply header when a read-only server cannot grant a session.
      guard payload.count == ReplyHeader.encodedSizeBytes else {
        throw JuteError(.truncated(missingBytes: ConnectResponse.minimumSizeBytes - payload.count), offset: 0)
      }
      actions.append(.disconnect(attempt: attempt))
      return attemptFailed(.readOnlyServerRefused, now: now, into: &actions)
    }
    var reader = JuteReader(payload)
    let response = try ConnectResponse(from: &reader)
    guard response.timeoutMilliseconds > 0 else {
      actions.append(.disconnect(attempt: attempt))
      if hasSeenReadWrite { return end(.sessionExpired, into: &actions) }
      return attemptFailed(.closedWithoutAnswer, now: now, into: &actions)
    }
    guard let password = response.password else { throw JuteError(.unexpectedNull, offset: 16) }
    let readOnly = response.readOnly ?? false
    sessionID = response.sessionID
    self.password = password
    timeoutMilliseconds = Int64(response.timeoutMilliseconds)
    hasSeenReadWrite = hasSeenReadWrite || !readOnly
    if settings.authenticates { return beginSASL(readOnly: readOnly, now: now, into: &actions) }
    establish(readOnly: readOnly, now: now, into: &actions)
  }

  /// Begins to use a connection on which the session exists, and the client has proved its identity.
  mutating func establish(readOnly: Bool, now: Int64, into actions: inout [Action]) {
    phase = .connected(readOnly: readOnly)
    triedInRound = 0
    connectedSince = now
    hasBeenServed = false
    roundsBehind = 0
    // The pauses start from the shortest again, unless this server turns out to be one that closes every connection.
    if shortConnections == 0 { fruitlessRounds = 0 }
    failures.removeAll()
    probePauseMilliseconds = 100
    nextProbe = readOnly && servers.count > 1 ? now + probePauseMilliseconds : nil
    actions.append(.notify([.default] + watches.watchers, .session(state)))
    for waiter in waiters { actions.append(.complete(waiter.completion, .success([]))) }
    waiters.removeAll()
    resume(now: now)
  }

  /// Begins a new connection: sends the identities, then the watches, then the queued requests, which may need the
  /// identities.
  private mutating func resume(now: Int64) {
    for index in identities.indices { sendIdentity(at: index) }
    for request in watches.setWatches(relativeZxid: lastZxidSeen) {
      let message: ClientRequest = request.needsSetWatches2 ? .setWatches2(request) : .setWatches(request)
      message.encodeFrame(xid: .setWatches, into: &outbound)
    }
    while let call = queued.popFirst() { send(call) }
    lastSent = now
  }

  /// Sends a ping if one is due, gives up a server that does not answer, and looks for a read-write server while
  /// connected to a read-only one.
  mutating func keepAlive(readOnly: Bool, now: Int64, into actions: inout [Action]) {
    if now - lastReceived >= readTimeout {
      actions.append(.disconnect(attempt: attempt))
      return connectionLost(protocolError: nil, now: now, into: &actions)
    }
    if now - lastSent >= pingInterval {
      ClientRequest.ping.encodeFrame(xid: .ping, into: &outbound)
      lastSent = now
    }
    if let nextProbe, now >= nextProbe {
      probeIndex = (probeIndex + 1) % servers.count
      if probeIndex == serverIndex { probeIndex = (probeIndex + 1) % servers.count }
      actions.append(.probe(servers[probeIndex]))
      probePauseMilliseconds = min(probePauseMilliseconds * 2, 60_000)
      self.nextProbe = now + probePauseMilliseconds
    }
  }

  /// Handles the answer of a server that a read-only session has asked, and moves to it if it is read-write.
  mutating func onProbe(_ address: ServerAddress, isReadWrite: Bool, now: Int64, into actions: inout [Action]) {
    guard isReadWrite, case .connected(readOnly: true) = phase, let index = servers.firstIndex(of: address) else {
      return
    }
    actions.append(.disconnect(attempt: attempt))
    serverIndex = (index + servers.count - 1) % servers.count
    connectionLost(protocolError: nil, now: now, into: &actions)
  }

  private mutating func connectionLost(protocolError: JuteError?, now: Int64, into actions: inout [Action]) {
    failPending(protocolError: protocolError, into: &actions)
    outbound.removeAll()
    nextProbe = nil
    triedInRound = 0
    actions.append(.notify([.default] + watches.watchers, .session(.disconnected)))
    // A server that accepts the session and closes the connection at once, again and again, must not be tried a
    // thousand times a second.
    let wasShort = now - connectedSince < SessionSettings.shortConnectionMilliseconds
    // After a connection that has served a request, the pauses start from the shortest again in any case.
    if !wasShort || hasBeenServed { fruitlessRounds = 0 }
    shortConnections = wasShort ? shortConnections + 1 : 0
    if shortConnections > SessionSettings.shortConnectionLimit { return pause(now: now) }
    connectToNext(now: now, into: &actions)
  }

  /// Waits before the next attempt, longer each time, and for a random part of that so that clients do not return in
  /// step.
  private mutating func pause(now: Int64) {
    // After a restart, servers keep a session for its timeout. The pause must not use up all of that.
    let longest = min(SessionSettings.longestPauseMilliseconds, timeoutMilliseconds / 4)
    let ceiling = min(
      max(longest, SessionSettings.firstPauseMilliseconds),
      SessionSettings.firstPauseMilliseconds << Int64(min(fruitlessRounds, 10)))
    fruitlessRounds += 1
    phase = .waiting(until: now + Int64.random(in: ceiling / 2...ceiling, using: &random))
  }

  /// Ends the session: all calls that wait fail with the reason, and all watchers get their last event.
  mutating func end(_ code: ZooKeeperError.Code, into actions: inout [Action]) {
    if case .ended = phase { return }
    let wasClosing = phase == .closing
    actions.append(.disconnect(attempt: attempt))
    phase = .ended(code)
    outbound.removeAll()
    let error = ZooKeeperError(code)
    for index in pending.indices {
      // For `close` itself this is a success, even if the server's answer did not come.
      let isClose = wasClosing && pending[index].isClose
      if let completion = pending[index].completion {
        actions.append(.complete(completion, isClose ? .success([]) : .failure(error)))
      }
    }
    pending.removeAll()
    failStreamed()
    failQueued(error, into: &actions)
    failIdentities(error, into: &actions)
    for waiter in waiters { actions.append(.complete(waiter.completion, .failure(error))) }
    waiters.removeAll()
    actions.append(.notify([.default] + watches.watchers, .session(state)))
    for watcher in watches.watchers { actions.append(.finish(watcher)) }
    watches = WatchRegistry()
    earliestDeadline = nil
  }
}
