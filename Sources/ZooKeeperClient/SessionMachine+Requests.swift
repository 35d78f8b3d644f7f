import Jute
import ZooKeeperProtocol

/// Requests, their replies, and their limits.
extension SessionMachine {
  /// Sends a request, or queues it until there is a connection.
  ///
  /// Its completion is part of exactly one action.
  mutating func submit(_ call: Call, now: Int64, into actions: inout [Action]) {
    if let refusal = refusal(of: call.request) {
      actions.append(.complete(call.completion, .failure(refusal)))
      return
    }
    if let deadline = call.deadline { earliestDeadline = min(deadline, earliestDeadline ?? deadline) }
    if case .connected = phase {
      send(call)
      lastSent = now
    } else {
      queued.append(call)
      queued[queued.count - 1].firstAttempt = nextOutcome
    }
  }

  /// Registers a caller that waits until the session is connected.
  mutating func wait(_ waiter: Waiter, into actions: inout [Action]) {
    switch phase {
    case .connected: actions.append(.complete(waiter.completion, .success([])))
    case .ended(let code): actions.append(.complete(waiter.completion, .failure(ZooKeeperError(code))))
    case .closing: actions.append(.complete(waiter.completion, .failure(ZooKeeperError(.closed))))
    case .idle, .waiting, .connecting, .handshaking, .authenticating, .comparing:
      waiters.append(waiter)
      waiters[waiters.count - 1].firstAttempt = nextOutcome
    }
  }

  /// Proves an identity on this and every later connection. It stays even if its caller stops waiting for the answer.
  mutating func addIdentity(_ identity: Identity, now: Int64, into actions: inout [Action]) {
    if let refusal = endError {
      if let completion = identity.completion { actions.append(.complete(completion, .failure(refusal))) }
      return
    }
    if let deadline = identity.deadline { earliestDeadline = min(deadline, earliestDeadline ?? deadline) }
    identities.append(identity)
    guard case .connected = phase else { return }
    sendIdentity(at: identities.count - 1)
    lastSent = now
  }

  /// Closes the session: asks the server, and ends when the answer has come or `deadline` has passed.
  mutating func close(_ completion: Completion, deadline: Int64, into actions: inout [Action]) {
    switch phase {
    case .ended: actions.append(.complete(completion, .success([])))
    case .connected, .authenticating:
      send(.closeSession, id: RequestID(rawValue: .max), completion: completion)
      phase = .closing
      attemptDeadline = deadline
    case .closing:
      pending.append(SentCall(id: RequestID(rawValue: .max), xid: .first, completion: completion, isClose: true))
    case .idle, .waiting, .connecting, .handshaking, .comparing:
      end(.closed, into: &actions)
      actions.append(.complete(completion, .success([])))
    }
  }

  /// Completes the call with `cancelled`. If it was sent already, its reply is dropped when it comes.
  mutating func cancel(_ id: RequestID, into actions: inout [Action]) {
    if let index = waiters.firstIndex(where: { $0.id == id }) {
      let waiter = waiters.remove(at: index)
      actions.append(.complete(waiter.completion, .failure(ZooKeeperError(.cancelled(outcomeUnknown: false)))))
    }
    if let index = queued.firstIndex(where: { $0.id == id }) {
      let call = queued.remove(at: index)
      actions.append(.complete(call.completion, .failure(ZooKeeperError(.cancelled(outcomeUnknown: false)))))
    }
    if let index = pending.firstIndex(where: { $0.id == id }) {
      Self.answer(pending[index], .failure(ZooKeeperError(.cancelled(outcomeUnknown: true))), into: &actions)
      pending[index].completion = nil
    }
    if let index = identities.firstIndex(where: { $0.id == id }) {
      let error = ZooKeeperError(.cancelled(outcomeUnknown: authsInFlight.contains(index)))
      answerIdentity(at: index, .failure(error), into: &actions)
    }
  }

  /// Removes a consumer of events. What the server still sends for it is ignored.
  mutating func removeWatcher(_ watcher: WatcherID) { watches.remove(watcher) }

  /// Removes the watches on a path after the server has, and reports it to their watchers.
  mutating func removeWatches(path: String, type: WatcherType, into actions: inout [Action]) {
    for (event, watchers) in watches.remove(path: path, type: type) {
      actions.append(.notify(watchers, WatchEvent(type: event, state: state, path: path)))
      finishServed(watchers, into: &actions)
    }
  }

  /// Handles a whole frame from the server.
  ///
  /// - Throws: `JuteError` if it cannot be decoded, or replies to another request than the oldest; the driver then
  ///   closes the connection.
  mutating func onFrame(
    _ payload: UnsafeRawBufferPointer, now: Int64, into actions: inout [Action]
  ) throws(JuteError) {
    lastReceived = now
    if case .handshaking = phase { return try onConnectResponse(payload, now: now, into: &actions) }
    var reader = JuteReader(payload)
    let header = try ReplyHeader(from: &reader)
    if case .authenticating = phase { return try onSASLReply(header, &reader, now: now, into: &actions) }
    switch header.xid {
    case .notification: try onNotification(header, &reader, into: &actions)
    case .ping, .setWatches: break
    case .auth: onAuthReply(header.error, into: &actions)
    default: try onReply(header, &reader, into: &actions)
    }
  }

  /// Appends a request to the output, and expects its reply after those of earlier requests.
  mutating func send(_ call: Call) {
    send(call.request, id: call.id, watch: call.watch, deadline: call.deadline, completion: call.completion)
  }

  private mutating func send(
    _ request: ClientRequest, id: RequestID, watch: WatchIntent? = nil, deadline: Int64? = nil,
    completion: Completion
  ) {
    let xid = nextXid
    nextXid = nextXid.next
    request.encodeFrame(xid: xid, into: &outbound)
    var isClose = false
    if case .closeSession = request { isClose = true }
    pending.append(
      SentCall(id: id, xid: xid, watch: watch, deadline: deadline, completion: completion, isClose: isClose))
  }

  /// Appends an identity to the output.
  mutating func sendIdentity(at index: Int) {
    ClientRequest.auth(identities[index].packet).encodeFrame(xid: .auth, into: &outbound)
    authsInFlight.append(index)
  }

  /// Fails everything that was never sent.
  mutating func failQueued(_ error: ZooKeeperError, into actions: inout [Action]) {
    while let call = queued.popFirst() { actions.append(.complete(call.completion, .failure(error))) }
    failIdentities(error, into: &actions)
  }

  /// Fails what was never sent and has waited while each server was tried, after a round without success.
  ///
  /// What came in the middle of the round waits for another one. The servers that had refused the session by then, as
  /// they do during an election, may accept it now.
  mutating func failTried(_ error: ZooKeeperError, into actions: inout [Action]) {
    let firstOfRound = attempt - servers.count + 1
    // Later ones came later.
    while let call = queued.first, call.firstAttempt <= firstOfRound {
      queued.removeFirst()
      actions.append(.complete(call.completion, .failure(error)))
    }
    failIdentities(error, into: &actions)
    waiters.removeAll { waiter in
      guard waiter.failsFast, waiter.firstAttempt <= firstOfRound else { return false }
      actions.append(.complete(waiter.completion, .failure(error)))
      return true
    }
  }

  /// The first attempt to connect whose outcome is still open in every respect: in a handshake the server may have
  /// decided already.
  private var nextOutcome: Int { phase == .connecting ? attempt : attempt + 1 }

  /// Fails the callers of `addAuth` that still wait.
  mutating func failIdentities(_ error: ZooKeeperError, into actions: inout [Action]) {
    for index in identities.indices { answerIdentity(at: index, .failure(error), into: &actions) }
  }

  private mutating func answerIdentity(
    at index: Int, _ result: Result<[UInt8], ZooKeeperError>, into actions: inout [Action]
  ) {
    guard let completion = identities[index].completion else { return }
    identities[index].completion = nil
    identities[index].deadline = nil
    actions.append(.complete(completion, result))
  }

  /// Fails every request that was sent. Whether the server has carried it out is unknown.
  mutating func failPending(protocolError: JuteError?, into actions: inout [Action]) {
    let lost = ZooKeeperError(.connectionLoss(outcomeUnknown: true))
    // Replies come in order, so that the one that could not be decoded belongs to the oldest request.
    var error = lost
    if case .tooLarge(let length, let limit)? = protocolError?.code {
      error = ZooKeeperError(.replyTooLarge(lengthBytes: length, limitBytes: limit))
    } else if let protocolError {
      error = ZooKeeperError(.malformedReply(protocolError))
    }
    while let call = pending.popFirst() {
      Self.answer(call, .failure(error), into: &actions)
      error = lost
    }
    failStreamed()
    authsInFlight.removeAll()
    failIdentities(lost, into: &actions)
  }

  /// Fails every call whose time limit has passed.
  mutating func expireCalls(now: Int64, into actions: inout [Action]) {
    let cause: ZooKeeperError.Code = failures.isEmpty ? .timedOut(outcomeUnknown: false) : .cannotConnect(failures)
    waiters.removeAll { waiter in
      guard let deadline = waiter.deadline, deadline <= now else { return false }
      actions.append(.complete(waiter.completion, .failure(ZooKeeperError(cause))))
      return true
    }
    guard let earliest = earliestDeadline, earliest <= now else { return }
    earliestDeadline = nil
    queued.removeAll { call in
      guard let deadline = call.deadline, deadline <= now else { return false }
      actions.append(.complete(call.completion, .failure(ZooKeeperError(.timedOut(outcomeUnknown: false)))))
      return true
    }
    for index in pending.indices {
      guard let deadline = pending[index].deadline, deadline <= now else { continue }
      Self.answer(pending[index], .failure(ZooKeeperError(.timedOut(outcomeUnknown: true))), into: &actions)
      pending[index].completion = nil
      pending[index].deadline = nil
    }
    for index in identities.indices {
      guard let deadline = identities[index].deadline, deadline <= now else { continue }
      let error = ZooKeeperError(.timedOut(outcomeUnknown: authsInFlight.contains(index)))
      answerIdentity(at: index, .failure(error), into: &actions)
    }
    expireStreamed(now: now)
    // Computed only here, once for each limit that passes, so that submitting a call costs one comparison.
    let deadlines = [
      queued.lazy.compactMap(\.deadline).min(), pending.lazy.compactMap(\.deadline).min(),
      identities.lazy.compactMap(\.deadline).min(), streamed.first { !$0.isAnswered }?.deadline,
    ]
    earliestDeadline = deadlines.compactMap(\.self).min()
  }

  private static func answer(_ call: SentCall, _ result: Result<[UInt8], ZooKeeperError>, into actions: inout [Action])
  {
    guard let completion = call.completion else { return }
    actions.append(.complete(completion, result))
  }

  /// Why requests can no longer be sent; nil as long as they can.
  var endError: ZooKeeperError? {
    switch phase {
    case .ended(let code): ZooKeeperError(code)
    case .closing: ZooKeeperError(.closed)
    case .idle, .waiting, .connecting, .handshaking, .authenticating, .comparing, .connected: nil
    }
  }

  /// Why a request is not sent; nil if it can be.
  func refusal(of request: ClientRequest) -> ZooKeeperError? {
    if let endError { return endError }
    guard request.mayBeLarge else { return nil }
    var writer = JuteWriter()
    request.encodeFrame(xid: .first, into: &writer)
    let length = writer.count - FrameSplitter.prefixLengthBytes
    return length > settings.maximumFrameBytes ? tooLarge(length) : nil
  }

  /// The refusal of a request of that size.
  func tooLarge(_ lengthBytes: Int) -> ZooKeeperError {
    ZooKeeperError(.requestTooLarge(lengthBytes: lengthBytes, limitBytes: settings.maximumFrameBytes))
  }

  private mutating func onNotification(
    _ header: ReplyHeader, _ reader: inout JuteReader, into actions: inout [Action]
  ) throws(JuteError) {
    let event = try WatcherEvent(from: &reader)
    let watchers = watches.take(event.type, path: event.path)
    guard !watchers.isEmpty else { return }
    // Servers before 3.9 always send -1.
    let zxid = header.zxid.rawValue > 0 ? header.zxid : nil
    actions.append(
      .notify(watchers, WatchEvent(type: event.type, state: event.state, path: event.path, zxid: zxid)))
    finishServed(watchers, into: &actions)
  }

  private func finishServed(_ watchers: [WatcherID], into actions: inout [Action]) {
    for watcher in watchers where watcher != .default && !watches.isRegistered(watcher) {
      actions.append(.finish(watcher))
    }
  }

  private mutating func onAuthReply(_ error: KeeperError, into actions: inout [Action]) {
    guard let index = authsInFlight.popFirst() else { return }
    guard error == .ok else { return end(.authFailed, into: &actions) }
    answerIdentity(at: index, .success([]), into: &actions)
  }

  private mutating func onReply(
    _ header: ReplyHeader, _ reader: inout JuteReader, into actions: inout [Action]
  ) throws(JuteError) {
    if takeStreamed(header) { return }
    guard !pending.isEmpty, pending[0].xid == header.xid else {
      // Servers reply in the order of the requests. Another xid means that the two sides have lost step.
      throw JuteError(.unknownValue(Int(header.xid.rawValue)), offset: 0)
    }
    let call = pending.removeFirst()
    hasBeenServed = true
    if header.zxid > lastZxidSeen { lastZxidSeen = header.zxid }
    // A watcher whose caller stopped waiting has no consumer. The default watcher always has one.
    if let watch = call.watch, call.completion != nil || watch.watcher == .default {
      register(watch, after: header.error)
    }
    if header.error == .ok {
      Self.answer(call, .success(call.completion == nil ? [] : reader.readRemaining()), into: &actions)
    } else {
      Self.answer(call, .failure(ZooKeeperError(.server(header.error))), into: &actions)
    }
    if case .closing = phase, call.isClose { end(.closed, into: &actions) }
  }

  /// Registers a watch if the server has set it: a read sets it only if it succeeds, exists also if the znode is
  /// missing.
  private mutating func register(_ intent: WatchIntent, after error: KeeperError) {
    var intent = intent
    switch (intent.kind, error) {
    case (_, .ok): break
    case (.exist, .noNode): return watches.add(intent)
    case (.persistent, .noNode), (.persistentRecursive, .noNode): break
    default: return
    }
    if intent.kind == .exist { intent.kind = .data }
    watches.add(intent)
  }
}

extension ClientRequest {
  /// Whether the request's frame can be near a server's limit. Others need not be encoded to check their size.
  fileprivate var mayBeLarge: Bool {
    switch self {
    case .create(let body), .create2(let body), .createContainer(let body): body.isLarge
    case .createTTL(let body): body.create.isLarge
    case .setData(let body): (body.data?.count ?? 0) + body.path.utf8.count > largeBytes
    case .setACL, .multi, .multiRead, .reconfig: true
    default: (path?.utf8.count ?? 0) > largeBytes
    }
  }
}

extension CreateRequest {
  fileprivate var isLarge: Bool { (data?.count ?? 0) + path.utf8.count > largeBytes || acl.count > 64 }
}

/// A request whose variable parts are smaller than this, in bytes, is under any sensible limit of a server.
private let largeBytes = 32_768
