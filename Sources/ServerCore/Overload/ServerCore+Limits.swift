internal import DequeModule
internal import ZooKeeperProtocol

/// The limits of requests: those over them wait, or are refused.
///
/// Apache's server has one queue for the requests of all connections. Here each connection has its own, and they take
/// turns. Pings do not wait, and a session is heard from when its request comes, so that waiting ends no session.
extension ServerCore {
  /// Whether any limit of requests is configured.
  package var hasRequestLimits: Bool { limitsRequests }

  /// Whether requests wait until fewer are unanswered.
  package var hasWaitingRequests: Bool { waiting.requestCount > 0 }

  /// Handles a frame of an open connection when there are limits.
  func onLimited(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    guard countLarge(payload.count, connection) else { return close(connection) }
    guard mustWait(payload, connection) else {
      if settings.limits.maximumRequests > 0 { metrics.requestWaitTime.add(0) }
      return handle(payload, connection, time)
    }
    if let session = connection.session, !session.isClosing {
      preparer.sessions.touch(session, now: time.monotonicMilliseconds)
      if role == .learner { questions.noteTouched(session) }
    }
    counters.outstandingRequests += 1
    waiting.append(
      WaitingRequest(bytes: [UInt8](payload), sinceMilliseconds: time.monotonicMilliseconds), of: connection)
  }

  /// Handles requests that have waited, as many as may be unanswered. The driver calls it in every turn.
  ///
  /// - Returns: whether requests still wait that could be handled as soon as the output of their connections is sent.
  @discardableResult
  package func admitWaitingRequests(_ time: ServerTime) -> Bool {
    guard hasWaitingRequests else { return false }
    let stuckCount = waiting.slow.values.reduce(0) { $0 + $1.pending.count }
    var passedOver = 0
    var goesOn = false
    while passedOver < waiting.ring.count, let connection = waiting.ring.first {
      guard let first = connection.waiting.first else {
        _ = waiting.popFirst()
        continue
      }
      if isBusy(connection) {
        if !connection.isReaderSlow, connection.saslXid == nil { goesOn = true }
        waiting.ring.append(waiting.ring.removeFirst())
        passedOver += 1
        continue
      }
      if settings.limits.dropsStaleRequests, isStale(first, connection, time) {
        dropStale(connection)
        continue
      }
      // Reads that wait for a client that does not take its answers must not keep the other clients waiting.
      guard counters.outstandingRequests - waiting.requestCount - stuckCount < settings.limits.maximumRequests else {
        metrics.requestWaits += 1
        return false
      }
      passedOver = 0
      guard let (request, owner) = waiting.popFirst() else { continue }
      counters.outstandingRequests -= 1
      admit(request, owner, time)
    }
    return goesOn
  }

  /// Records whether a client has stopped taking its answers. Its requests then wait.
  package func setReaderSlow(_ isSlow: Bool, _ connection: ClientConnection) {
    guard connections[connection.number] === connection else { return }
    connection.isReaderSlow = isSlow
    waiting.slow[connection.number] = isSlow ? connection : nil
  }

  /// Handles the beginning of a frame whose rest has not come yet.
  ///
  /// - Returns: false if it will be too large together with the large requests that are not answered. The driver closes
  ///   the connection.
  package func expect(frameBytes: Int, on connection: ClientConnection) -> Bool {
    guard let threshold = settings.limits.largeRequestThresholdBytes, frameBytes > threshold,
      connection.expectedLargeBytes == 0
    else { return true }
    guard takeLarge(frameBytes, connection) else { return false }
    connection.expectedLargeBytes = frameBytes
    return true
  }

  /// Removes the first of the requests that wait to be answered.
  func finishFirst(of connection: ClientConnection) {
    _ = connection.pending.popFirst()
    counters.outstandingRequests -= 1
    guard limitsRequests else { return }
    connection.finishedCount &+= 1
    while let first = connection.largeRequests.first, first.index < connection.finishedCount {
      _ = connection.largeRequests.popFirst()
      releaseLarge(first.bytes, connection)
    }
  }

  /// Drops the requests that wait on a connection which the server closes.
  func forgetWaiting(_ connection: ClientConnection) {
    counters.outstandingRequests -= waiting.drop(of: connection)
  }

  /// Decides what becomes of the requests that wait on a connection which its client has closed.
  ///
  /// *Source*: `Request.isStale`: the end of a session is never stale, but everything after a request that was
  /// dropped is dropped too.
  func disconnectWaiting(_ connection: ClientConnection) {
    let limits = settings.limits
    guard connection.state == .open else { return forgetWaiting(connection) }
    let isStale = limits.dropsStaleRequests && limits.isStaleWithoutConnection
    let bytes = connection.waiting.reduce(0) { $0 + $1.bytes.count }
    if isStale || waiting.orphanBytes + bytes > RequestLimits.orphanLimitBytes {
      let kept = connection.waiting.first?.opCode == .closeSession ? 1 : 0
      let dropped = waiting.drop(of: connection, from: kept)
      counters.outstandingRequests -= dropped
      metrics.staleRequestsDropped += dropped
    }
    waiting.orphanBytes += connection.waiting.reduce(0) { $0 + $1.bytes.count }
    connection.outlivesClient = !connection.waiting.isEmpty
  }

  /// Forgets what a connection that has ended counts for.
  func releaseLimits(of connection: ClientConnection) {
    releaseLarge(connection.largeBytes, connection)
    connection.largeRequests = Deque()
    connection.expectedLargeBytes = 0
    waiting.slow[connection.number] = nil
  }

  private func mustWait(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection) -> Bool {
    guard settings.limits.maximumRequests > 0, payload.count >= 8 else { return false }
    if !connection.waiting.isEmpty { return true }
    switch OpCode(rawValue: payload.loadBigEndian(at: 4, as: Int32.self)) {
    case .ping, .auth, .sasl: return false
    default: return hasWaitingRequests || counters.outstandingRequests >= settings.limits.maximumRequests
    }
  }

  /// Whether a connection cannot take requests now: answers or a token must be handled first.
  private func isBusy(_ connection: ClientConnection) -> Bool {
    guard connection.state == .open else { return false }
    return connection.isReaderSlow || connection.saslXid != nil
      || connection.output.count >= ClientConnection.outputTargetBytes
  }

  private func isStale(_ request: WaitingRequest, _ connection: ClientConnection, _ time: ServerTime) -> Bool {
    if request.opCode == .closeSession { return false }
    if settings.limits.isStaleWithoutConnection, connection.state == .closed { return true }
    return settings.limits.isStaleAfterSessionTimeout
      && time.monotonicMilliseconds - request.sinceMilliseconds > Int64(connection.sessionTimeoutMilliseconds)
  }

  /// Drops all that waits on a connection, and closes it: later requests must not be handled without it.
  private func dropStale(_ connection: ClientConnection) {
    if connection.outlivesClient { waiting.orphanBytes -= connection.waiting.reduce(0) { $0 + $1.bytes.count } }
    let dropped = waiting.drop(of: connection)
    counters.outstandingRequests -= dropped
    metrics.staleRequestsDropped += dropped
    close(connection)
  }

  private func admit(_ request: WaitingRequest, _ connection: ClientConnection, _ time: ServerTime) {
    if isStale(request, connection, time) { metrics.staleRequests += 1 }
    let waited = time.monotonicMilliseconds - request.sinceMilliseconds
    metrics.requestWaitTime.add(Int(waited) &* 1000)
    if connection.state == .closed { return admitOrphan(request, connection, time) }
    if isRefused(request, waited), let opCode = request.opCode {
      metrics.refusedRequests += 1
      releaseIfLarge(request.bytes.count, connection)
      let start = time.monotonicMicroseconds - waited &* 1000
      hold(.error(xid: request.xid, opCode: opCode, .throttledOp, startMicroseconds: start), on: connection)
      return drain(connection, time)
    }
    request.bytes.withUnsafeBytes { handle($0, connection, time) }
  }

  /// Handles a write of a client that has gone, so that there is no answer.
  private func admitOrphan(_ request: WaitingRequest, _ connection: ClientConnection, _ time: ServerTime) {
    waiting.orphanBytes -= request.bytes.count
    guard request.opCode?.isWrite == true else { return }
    request.bytes.withUnsafeBytes { onRequest($0, connection, time) }
    counters.outstandingRequests -= connection.pending.count
    connection.pending = Deque()
    connection.output.removeAll()
  }

  private func isRefused(_ request: WaitingRequest, _ waitedMilliseconds: Int64) -> Bool {
    guard settings.limits.refusalMilliseconds > 0, waitedMilliseconds > Int64(settings.limits.refusalMilliseconds)
    else { return false }
    switch request.opCode {
    case .ping, .closeSession, .auth, .sasl, nil: return false
    default: return true
    }
  }

  /// Handles a request, and remembers a large one until it is answered.
  private func handle(_ payload: UnsafeRawBufferPointer, _ connection: ClientConnection, _ time: ServerTime) {
    let index = connection.finishedCount &+ connection.pending.count
    onRequest(payload, connection, time)
    guard let threshold = settings.limits.largeRequestThresholdBytes, payload.count > threshold else { return }
    if connection.finishedCount <= index, index < connection.finishedCount &+ connection.pending.count {
      connection.largeRequests.append(ClientConnection.LargeRequest(index: index, bytes: payload.count))
    } else {
      releaseLarge(payload.count, connection)
    }
  }

  /// Counts a request that has come, if it is large.
  ///
  /// - Returns: false if there are too many bytes of large ones.
  private func countLarge(_ bytes: Int, _ connection: ClientConnection) -> Bool {
    guard let threshold = settings.limits.largeRequestThresholdBytes else { return true }
    releaseLarge(connection.expectedLargeBytes, connection)
    connection.expectedLargeBytes = 0
    return bytes <= threshold || takeLarge(bytes, connection)
  }

  private func takeLarge(_ bytes: Int, _ connection: ClientConnection) -> Bool {
    guard bytes <= settings.limits.largeRequestLimitBytes - waiting.largeBytes else {
      metrics.largeRequestsRejected += 1
      return false
    }
    waiting.largeBytes += bytes
    connection.largeBytes += bytes
    return true
  }

  private func releaseIfLarge(_ bytes: Int, _ connection: ClientConnection) {
    if let threshold = settings.limits.largeRequestThresholdBytes, bytes > threshold {
      releaseLarge(bytes, connection)
    }
  }

  private func releaseLarge(_ bytes: Int, _ connection: ClientConnection) {
    // A connection that has ended no longer counts.
    let released = min(bytes, connection.largeBytes)
    waiting.largeBytes -= released
    connection.largeBytes -= released
  }
}

extension OpCode {
  /// Whether it changes the tree or the sessions.
  fileprivate var isWrite: Bool {
    switch self {
    case .create, .create2, .createContainer, .createTTL, .delete, .setData, .setACL, .multi, .reconfig, .closeSession:
      true
    default: false
    }
  }
}
