import Jute
import Logging
import NIOCore
import NIOPosix
import SASL
import Synchronization
import TransportSecurity
public import ZooKeeperProtocol

/// Moves bytes and time between NIO and the session machine. All decisions are the machine's.
///
/// The runtime does not check that accesses to what every request touches do not overlap, here and in what sends many:
/// that took 11 of 100 instructions. They cannot overlap, because the machine calls no one, and what it wants done is
/// done after its calls.
///
/// *Thread*: everything but `init` runs on `loop`. Callers elsewhere go through `loop.execute`.
final class SessionDriver: @unchecked Sendable {
  // @unchecked: all mutable state is touched on `loop` only; `onLoop` checks it in debug builds.

  /// Called once, with the body of the reply or with the reason why there will be no reply.
  typealias Completion = @Sendable (Result<[UInt8], ZooKeeperError>) -> Void
  typealias Machine = SessionMachine<Completion>

  let loop: any EventLoop
  private let chroot: Chroot
  private let encryption: Encryption
  private let logger: Logger
  private let defaultWatcher: (@Sendable (WatchEvent) -> Void)?
  private let requestCount = Atomic(0)
  @exclusivity(unchecked) private var machine: Machine
  @exclusivity(unchecked) private var actions: [Machine.Action] = []
  /// The actions that are being performed, the next one at the end: to move an action is cheaper than to copy it.
  @exclusivity(unchecked) private var running: [Machine.Action] = []
  @exclusivity(unchecked) private var isRunningActions = false
  /// The outcomes that the stream is told at present.
  @exclusivity(unchecked) private var streamReplies: [StreamReply] = []
  /// The time in nanoseconds while received bytes are handled, which is read once for all of them.
  @exclusivity(unchecked) private var turnTime: Int64?
  @exclusivity(unchecked) private var isFlushScheduled = false
  @exclusivity(unchecked) private var channel: (any Channel)?
  private var channelAttempt = 0
  private let login: SASLLogin?
  /// The SASL exchange of the present connection.
  private var exchange: SASLExchange?
  /// The one stream that is running.
  @exclusivity(unchecked) private var stream: RequestStream?
  private var timer: Scheduled<Void>?
  @exclusivity(unchecked) private var timerDeadline: Int64 = .max
  private var sinks: [WatcherID: WatchEvents.Sink] = [:]
  private var nextWatcher = 1

  init(
    settings: SessionSettings, login: SASLLogin?, chroot: Chroot, encryption: Encryption, loop: any EventLoop,
    logger: Logger, defaultWatcher: (@Sendable (WatchEvent) -> Void)?
  ) {
    self.chroot = chroot
    self.encryption = encryption
    self.login = login
    self.loop = loop
    self.logger = logger
    self.defaultWatcher = defaultWatcher
    machine = Machine(settings: settings)
  }

  /// Milliseconds of the loop's monotonic clock.
  private var now: Int64 { turnNanoseconds / 1_000_000 }

  /// Nanoseconds of the loop's monotonic clock.
  var turnNanoseconds: Int64 { turnTime ?? Int64(NIODeadline.now().uptimeNanoseconds) }

  /// A new id for a call.
  ///
  /// *Thread*: any. The id is needed before the call reaches the loop, so that a task can be cancelled at once.
  func nextRequestID() -> RequestID {
    RequestID(rawValue: requestCount.add(1, ordering: .relaxed).newValue)
  }

  // MARK: What the client asks for

  /// Makes the first attempt to connect.
  func start() { step { $0.start(now: $1, into: &$2) } }

  /// Sends a request; `limit` is in milliseconds from now.
  func submit(
    _ request: ClientRequest, id: RequestID, watch: WatchIntent?, limit: Int64?, _ completion: @escaping Completion
  ) {
    step { machine, now, actions in
      let deadline = limit.map { now + $0 }
      machine.submit(
        .init(id: id, request: request, watch: watch, deadline: deadline, completion: completion), now: now,
        into: &actions)
    }
  }

  /// Begins to report the outcomes of a stream's requests to it; nil ends that. There can be one stream at a time.
  func run(_ stream: RequestStream?) {
    precondition(stream == nil || self.stream == nil, "a session has one stream at a time")
    self.stream = stream
  }

  /// Sends what was added to the output outside of a step.
  func sendStreamed() {
    scheduleFlush()
    scheduleTimer()
  }

  /// Sends a request of the stream.
  ///
  /// - Parameters:
  ///   - number: what its outcome is reported with.
  ///   - limit: how long the stream waits for it, in milliseconds.
  /// - Returns: why it cannot be sent.
  func stream(_ request: EncodedRequest, number: Int, limit: Int64) -> ZooKeeperError? {
    let nanoseconds = turnNanoseconds
    let milliseconds = nanoseconds / 1_000_000
    return machine.stream(
      request, number: number, sentNanoseconds: nanoseconds, deadline: milliseconds + limit, now: milliseconds)
  }

  /// Waits until the session is connected; `limit` is in milliseconds from now.
  func wait(id: RequestID, failsFast: Bool, limit: Int64?, _ completion: @escaping Completion) {
    step { machine, now, actions in
      machine.wait(
        .init(id: id, completion: completion, failsFast: failsFast, deadline: limit.map { now + $0 }), into: &actions)
    }
  }

  /// Completes a call with `cancelled`. A request that was sent already is carried out all the same.
  func cancel(_ id: RequestID) { step { machine, _, actions in machine.cancel(id, into: &actions) } }

  /// Proves an identity on this and every later connection.
  func addIdentity(_ packet: AuthPacket, id: RequestID, limit: Int64?, _ completion: @escaping Completion) {
    step { machine, now, actions in
      machine.addIdentity(
        .init(packet: packet, id: id, deadline: limit.map { now + $0 }, completion: completion), now: now,
        into: &actions)
    }
  }

  /// Ends the session; `limit` milliseconds are given to the server's answer.
  func close(limit: Int64, _ completion: @escaping Completion) {
    step { $0.close(completion, deadline: $1 + limit, into: &$2) }
  }

  /// Removes the watches on a path after the server has removed them, and reports it to their watchers.
  func removeWatches(path: String, type: WatcherType) {
    step { machine, _, actions in machine.removeWatches(path: path, type: type, into: &actions) }
  }

  /// Registers a consumer of events. It receives them once a request has named it as its watcher and was answered.
  func addSink(_ sink: WatchEvents.Sink) -> WatcherID {
    let watcher = WatcherID(rawValue: nextWatcher)
    nextWatcher += 1
    sinks[watcher] = sink
    sink.onTermination { [loop, weak self] in loop.execute { [weak self] in self?.removeSink(watcher) } }
    return watcher
  }

  /// Removes a consumer of events and its watches. The server is not asked to remove them: what it still sends for them
  /// is ignored.
  func removeSink(_ watcher: WatcherID) {
    sinks[watcher] = nil
    machine.removeWatcher(watcher)
  }

  /// A consistent snapshot of the session's public state.
  var snapshot: SessionSnapshot {
    SessionSnapshot(
      state: machine.state, sessionID: machine.sessionID, timeoutMilliseconds: machine.timeoutMilliseconds,
      server: machine.server, lastZxidSeen: machine.lastZxidSeen,
      isOverByTheClock: machine.isOverByTheClock(now: now))
  }

  // MARK: What the connection reports

  /// Takes over an open connection.
  func onConnected(_ channel: any Channel, attempt: Int) {
    // An attempt that the machine has given up may still succeed, when another connection is in use already.
    guard attempt == machine.attempt else { return channel.close(promise: nil) }
    self.channel = channel
    channelAttempt = attempt
    step { $0.onConnected(attempt: attempt, now: $1, into: &$2) }
  }

  /// Handles all whole frames of `buffer` in place, and leaves an incomplete one at its end.
  ///
  /// - Returns: false if the connection is of no use; it is then being closed, and its bytes must be ignored.
  func onBytes(_ buffer: inout ByteBuffer, attempt: Int) -> Bool {
    turnTime = turnNanoseconds
    defer { turnTime = nil }
    while attempt == channelAttempt, channel != nil {
      let hasMore: Bool
      do throws(JuteError) {
        hasMore = try takeFrames(from: &buffer)
      } catch {
        drop(attempt: attempt, after: error, isAlert: buffer.withUnsafeReadableBytes(FirstBytes.areAlert))
        return false
      }
      runActions()
      guard hasMore else { return true }
      // The server begins with what these frames' consumers have asked for while the others are handled. Otherwise the
      // two would wait for each other in turns.
      flush()
    }
    return false
  }

  /// So many replies are handled before their consumers run.
  private static let repliesInOneGo = 32
  /// The same for the replies to a stream, whose requests cost so little that one write for all of them is better.
  private static let streamRepliesInOneGo = 1024

  /// Handles the first whole frames of `buffer`.
  ///
  /// - Returns: whether there may be others.
  private func takeFrames(from buffer: inout ByteBuffer) throws(JuteError) -> Bool {
    var failure: JuteError?
    var hasMore = true
    let consumed = buffer.withUnsafeReadableBytes { bytes -> Int in
      var offset = 0
      do throws(JuteError) {
        while actions.count < Self.repliesInOneGo, machine.streamReplies.count < Self.streamRepliesInOneGo {
          guard
            let payload = try FrameSplitter.firstPayload(
              in: UnsafeRawBufferPointer(rebasing: bytes[offset...]), limitBytes: machine.settings.maximumFrameBytes)
          else {
            hasMore = false
            break
          }
          try machine.onFrame(payload, now: now, into: &actions)
          offset += FrameSplitter.prefixLengthBytes + payload.count
        }
      } catch {
        failure = error
      }
      return offset
    }
    buffer.moveReaderIndex(forwardBy: consumed)
    if let failure { throw failure }
    return hasMore
  }

  /// Closes a connection whose bytes are not valid.
  private func drop(attempt: Int, after failure: JuteError, isAlert: Bool) {
    logger.warning("dropping the connection", metadata: ["reason": "\(failure)"])
    machine.onDisconnected(
      attempt: attempt, reason: isAlert ? .tls(.plaintext) : .notZooKeeper(failure), now: now, into: &actions)
    channel?.close(promise: nil)
    channel = nil
    runActions()
  }

  /// Reports the end of a connection to the machine.
  ///
  /// - Parameter failure: why its encryption failed, if that was the reason.
  func onDisconnected(attempt: Int, failure: TLSFailure?) {
    if attempt == channelAttempt { channel = nil }
    step { $0.onDisconnected(attempt: attempt, reason: failure.map { .tls($0) }, now: $1, into: &$2) }
  }

  // MARK: Performing actions

  private func step(_ body: (inout Machine, Int64, inout [Machine.Action]) -> Void) {
    loop.preconditionInEventLoop()
    body(&machine, now, &actions)
    runActions()
  }

  private func runActions() {
    // A completion may call this type again; the actions of that call are appended, and run by the outer call.
    guard !isRunningActions else { return }
    isRunningActions = true
    while !actions.isEmpty || !machine.streamReplies.isEmpty {
      swap(&actions, &running)
      running.reverse()
      while let action = running.popLast() { run(action) }
      if !machine.streamReplies.isEmpty { runStream() }
    }
    isRunningActions = false
    scheduleFlush()
    scheduleTimer()
  }

  private func run(_ action: consuming Machine.Action) {
    switch action {
    case .connect(let address, let attempt): connect(to: address, attempt: attempt)
    case .disconnect(let attempt): disconnect(attempt: attempt)
    case .complete(let completion, let result): completion(result)
    case .notify(let watchers, let event): notify(watchers, event)
    case .finish(let watcher): sinks.removeValue(forKey: watcher)?.finish()
    case .probe(let address): probe(address)
    case .compare(let address, let attempt): compare(address, attempt: attempt)
    case .authenticate(let address, let attempt, let token): authenticate(address, attempt: attempt, token)
    }
  }

  private func runStream() {
    swap(&machine.streamReplies, &streamReplies)
    stream?.take(streamReplies)
    streamReplies.removeAll(keepingCapacity: true)
  }

  private func notify(_ watchers: [WatcherID], _ event: WatchEvent) {
    let event = chroot.relative(event)
    for watcher in watchers {
      if watcher == .default { defaultWatcher?(event) } else { sinks[watcher]?.send(event) }
    }
  }

  /// Schedules one write for everything that is submitted in the present turn of the loop: a system call for each
  /// request would cost more than the request.
  private func scheduleFlush() {
    guard !isFlushScheduled, !machine.outbound.isEmpty else { return }
    isFlushScheduled = true
    loop.execute { [self] in
      isFlushScheduled = false
      flush()
    }
  }

  private func flush() {
    guard let channel, !machine.outbound.isEmpty else { return }
    let buffer = machine.outbound.withUnsafeBytes { channel.allocator.buffer(bytes: $0) }
    machine.outbound.removeAll()
    channel.writeAndFlush(buffer, promise: nil)
  }

  private func scheduleTimer() {
    let deadline = machine.nextDeadline ?? .max
    // The deadline moves with nearly every request. A timer that fires too early only schedules itself again, so that
    // a new one is needed only if the deadline came nearer.
    guard deadline < timerDeadline else { return }
    timer?.cancel()
    timerDeadline = deadline
    timer = loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(max(deadline, 0)) * 1_000_000)) { [weak self] in
      guard let self else { return }
      timerDeadline = .max
      step { $0.tick(now: $1, into: &$2) }
    }
  }

  // MARK: Connections

  private func connect(to address: ServerAddress, attempt: Int) {
    logger.debug("connecting", metadata: ["server": "\(address)", "attempt": "\(attempt)"])
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(.milliseconds(machine.settings.attemptMilliseconds))
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try encryption.encrypt(channel, to: address)
          try channel.pipeline.syncOperations.addHandler(ClientChannelHandler(driver: self, attempt: attempt))
        }
      }
    bootstrap.connect(to: address).whenComplete { [self] result in
      switch result {
      case .success(let channel): onConnected(channel, attempt: attempt)
      case .failure(let error):
        let limit = machine.settings.attemptMilliseconds
        step { $0.onConnectFailed(attempt: attempt, .init(error, limitMilliseconds: limit), now: $1, into: &$2) }
      }
    }
  }

  private func disconnect(attempt: Int) {
    guard attempt == channelAttempt else { return }
    flush()
    channel?.close(promise: nil)
    channel = nil
  }

  private func authenticate(_ address: ServerAddress, attempt: Int, _ token: [UInt8]?) {
    guard let login else { preconditionFailure("only a session with a login authenticates") }
    if token == nil { exchange = SASLExchange(login, server: address, address: channel?.remoteAddress) }
    exchange?.step(token, on: loop) { [weak self] result in
      guard let self else { return }
      let outcome: Machine.SASLOutcome =
        switch result {
        case .success(.reply(let token)): .reply(token)
        case .success(.complete(let token)): .complete(token)
        case .failure(let error): .failed(error.reason)
        }
      step { $0.onSASL(attempt: attempt, outcome, now: $1, into: &$2) }
    }
  }

  private func probe(_ address: ServerAddress) {
    FourLetterWord.ask("isro", of: address, encryption, on: loop, limitMilliseconds: 1000) { [weak self] answer in
      // A server that does not answer is no better than the present one.
      let isReadWrite = (try? answer.get()).map { $0.starts(with: "rw".utf8) } ?? false
      self?.step { $0.onProbe(address, isReadWrite: isReadWrite, now: $1, into: &$2) }
    }
  }

  private func compare(_ address: ServerAddress, attempt: Int) {
    FourLetterWord.ask(
      "srvr", of: address, encryption, on: loop, limitMilliseconds: machine.settings.attemptMilliseconds
    ) { [weak self] answer in
      let zxid = (try? answer.get()).flatMap { FourLetterWord.zxid(in: String(decoding: $0, as: UTF8.self)) }
      self?.step { $0.onCompared(attempt: attempt, zxid: zxid, now: $1, into: &$2) }
    }
  }
}

/// The state of a session at one moment, as ``ZooKeeperClient/ZooKeeperClient/snapshot()`` returns it.
public struct SessionSnapshot: Hashable, Sendable {
  /// Whether the session is connected, and if it is over, why.
  public let state: KeeperState
  /// `none` before the first connection.
  public let sessionID: SessionID
  /// The negotiated session timeout, in milliseconds; before the first connection, the timeout asked for.
  public let timeoutMilliseconds: Int64
  /// The server that the client is connected to, or else the one tried last; nil before the first attempt.
  public let server: ServerAddress?
  /// The newest transaction that a reply has shown. The client does not use servers that have not applied it.
  public let lastZxidSeen: Zxid
  /// Whether no server has answered for so long that the servers must have ended the session, unless they were down
  /// themselves for that time.
  public let isOverByTheClock: Bool
}
