import EnsembleCore
package import Logging
import NIOCore
import NIOPosix
import ServerCore
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A standalone server: sockets, timers and disks around the core, which decides everything.
///
/// A turn of the loop reads what has arrived on all connections, hands the core's proposals to the log's thread, and
/// sends every connection's answers in one write. When the log is synced, the core applies and answers what waited.
///
/// *Thread*: one event loop of its own; public calls may be made from anywhere.
package final class ServerNode: @unchecked Sendable {
  // @unchecked: all state below is touched on `loop` only, once `start` has made it.

  package let configuration: ServerConfiguration
  /// The port that clients connect to.
  package private(set) var clientPort = 0
  /// The port of the HTTP server for administrators; nil when there is none.
  package private(set) var adminPort: Int?

  let logger: Logger
  /// What clients talk to. While a member of an ensemble serves nobody, it has the last tree that was served.
  var core: ServerCore
  /// Whether clients are served; a server alone always does.
  var isServing: Bool
  /// Whether it is served without a quorum, reads only.
  var isReadOnly = false
  /// The other servers, if this one is not alone.
  private(set) var ensemble: EnsembleDriver?
  let storage: Storage
  let background = BackgroundWorker()
  let reportQueue = ReportQueue()
  let startTime = NIODeadline.now()
  private let group: MultiThreadedEventLoopGroup
  let loop: any EventLoop
  /// Holds the loop still, in a sandbox.
  let brake = LoopBrake()
  let log: LogPipeline
  private var listener: (any Channel)?
  /// Whether nobody waits for the start any more.
  private let isGivenUp: @Sendable () -> Bool
  private var httpServers: [AdminServer] = []
  var handlers: [UInt64: ServerConnectionHandler] = [:]
  private var connectionsByAddress: [String: Int] = [:]
  private var isTurnScheduled = false
  private var pacing = TurnPacing()
  /// Requests of clients that have come since the last turn's end.
  var requestsInTurn = 0
  private var isThrottling = false
  private var timers: [RepeatedTask] = []
  private var ending: EventLoopPromise<ServerStartError?>
  private(set) var isStopping = false

  private init(
    _ configuration: ServerConfiguration, _ recovered: Storage.Recovered, group: MultiThreadedEventLoopGroup,
    logger: Logger, isGivenUp: @escaping @Sendable () -> Bool
  ) {
    self.configuration = configuration
    self.isGivenUp = isGivenUp
    self.group = group
    self.logger = logger
    loop = group.next()
    storage = recovered.storage
    core = ServerCore(
      settings: configuration.coreSettings, tree: recovered.state.tree,
      sessions: recovered.state.sessions,
      time: Self.currentTime)
    isServing = configuration.ensemble == nil
    log = LogPipeline(storage, configuration, background: background, loop: loop, logger: logger)
    ending = loop.makePromise()
    log.events = LogPipeline.Events(
      onPersisted: { [unowned self] in onPersisted(through: $0, generation: $1) },
      onFailure: { [unowned self] in onLogFailure($0) })
  }

  /// Puts a member of an ensemble together.
  private func joinEnsemble(_ recovered: Storage.Recovered) throws(TxnLogError) {
    guard var settings = configuration.ensemble else { return }
    let files = EpochFiles(storage.directory)
    let member = try EnsembleMember(
      settings.serverID, file: settings.quorum, files, recovered.state, recovered.history,
      lastZxid: storage.report.lastZxid, zab: settings.zabSettings, settings: configuration.coreSettings)
    if !member.zab.configuration.hasSameMembers(as: settings.quorum) {
      logger.warning(
        "\(ServerConfiguration.agreedMembersWarning(member.zab.configuration, path: files.configurationPath))")
    }
    settings.quorum = member.zab.configuration
    ensemble = EnsembleDriver(member, recovered, settings, loop: loop, logger: logger, node: self)
  }

  /// Recovers the data directory, and returns when clients can connect.
  ///
  /// - Parameters:
  ///   - severed: members of the ensemble that this one cannot reach, see `sever`.
  ///   - isGivenUp: whether to wait no longer for what is not there yet, such as the own name. Asked on the loop.
  /// - Throws: when the data is damaged, the directory is in use or cannot be written, or the port is taken.
  package static func start(
    _ configuration: ServerConfiguration, logger: Logger, severedFrom severed: Set<Int64> = [],
    isGivenUp: @escaping @Sendable () -> Bool = { false }
  ) async throws(ServerStartError) -> ServerNode {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<ServerNode, ServerStartError>, Never>) in
      group.next().execute {
        do throws(ServerStartError) {
          let node = try open(configuration, group: group, logger: logger, isGivenUp: isGivenUp)
          node.ensemble?.sever(Set(severed.map(ServerID.init(rawValue:))))
          node.listen { continuation.resume(returning: $0) }
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    if case .failure = result { group.shutdownGracefully { _ in } }
    return try result.get()
  }

  private static func open(
    _ configuration: ServerConfiguration, group: MultiThreadedEventLoopGroup, logger: Logger,
    isGivenUp: @escaping @Sendable () -> Bool
  ) throws(ServerStartError) -> ServerNode {
    let configuration = try configuration.joined()
    if let warning = configuration.peerTypeWarning { logger.warning("\(warning)") }
    do throws(TxnLogError) {
      let recovered = try Storage.open(configuration)
      recovered.report(to: logger)
      let node = ServerNode(configuration, recovered, group: group, logger: logger, isGivenUp: isGivenUp)
      try node.joinEnsemble(recovered)
      return node
    } catch {
      throw ServerStartError(error)
    }
  }

  /// Makes a data directory that `start` refuses usable again, at the price of transactions that were answered.
  ///
  /// - Returns: a line for each file that was changed; none when there was nothing to repair.
  /// - Throws: when another server uses the directory, or nothing can be rescued.
  package static func repair(_ configuration: ServerConfiguration) throws(ServerStartError) -> [String] {
    do throws(TxnLogError) { return try Storage.repair(configuration) } catch { throw ServerStartError(error) }
  }

  private func listen(_ done: @escaping @Sendable (Result<ServerNode, ServerStartError>) -> Void) {
    if let ensemble { ensemble.startLog() } else { log.start(after: storage.report.lastZxid, generation: 0) }
    DescriptorBudget.shared.measure()
    let bootstrap = ServerBootstrap.forPorts(on: loop)
      .serverChannelOption(.backlog, value: Int32(clamping: configuration.listenBacklog))
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      // Every connection keeps its buffer: small until it has shown that it sends much.
      .childChannelOption(
        .recvAllocator,
        value: AdaptiveRecvByteBufferAllocator(minimum: 128, initial: 128, maximum: 65_536)
      )
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 256 << 10, high: 1 << 20))
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture { try accept(channel) }
      }
    let address = HostAndPort(host: configuration.clientAddress ?? "127.0.0.1", port: configuration.clientPort)
    listening.bind(bootstrap, address, purpose: "the client port").whenComplete { [self] result in
      switch result {
      case .success(let channel):
        listener = channel
        clientPort = channel.localAddress?.port ?? 0
        startTimers()
        startOperatorServers { [self] result in
          guard case .success = result, let ensemble else { return finishListening(result, done) }
          ensemble.listen(listening).whenComplete { [self] result in
            if case .success = result { ensemble.start() }
            finishListening(result.mapError(ServerStartError.init(listening:)), done)
          }
        }
      case .failure(let error):
        giveUp()
        done(.failure(ServerStartError(listening: error)))
      }
    }
  }

  /// How ports are listened on.
  private var listening: Listening {
    Listening(
      loop: loop, logger: logger, retries: configuration.quorumTimes.listenRetries,
      isGivenUp: { [isGivenUp] in isGivenUp() })
  }

  private func finishListening(
    _ result: Result<Void, ServerStartError>, _ done: @Sendable (Result<ServerNode, ServerStartError>) -> Void
  ) {
    if case .failure = result { giveUp() }
    done(result.map { self })
  }

  /// Ends what `listen` has started, when it fails.
  private func giveUp() {
    stopServing()
    _ = try? log.stop()
    ending.succeed(nil)
  }

  private func startOperatorServers(_ done: @escaping @Sendable (Result<Void, ServerStartError>) -> Void) {
    var starting: [EventLoopFuture<Void>] = []
    var listening = listening
    // What may be done without is not waited for without end.
    if listening.retries == 0 { listening.retries = 3 }
    if configuration.admin.isEnabled {
      let admin = configuration.admin
      let address = HostAndPort(host: admin.address, port: admin.port)
      let timeout = TimeAmount.milliseconds(Int64(admin.idleTimeoutMilliseconds))
      starting.append(
        AdminServer.start(listening, address, purpose: "the AdminServer's port", idleTimeout: timeout) { [self] in
          answer(toAdmin: $0)
        }.map { [self] server in
          httpServers.append(server)
          adminPort = server.port
        }.flatMapErrorThrowing { [logger] error in
          // As in Apache's ensembles, a taken port is no reason not to serve clients.
          let reason = ServerStartError(listening: error).message
          logger.warning("no AdminServer", metadata: ["address": "\(address)", "reason": "\(reason)"])
        })
    }
    if let metrics = configuration.metrics {
      starting.append(
        AdminServer.start(
          listening, HostAndPort(host: metrics.address, port: metrics.port), purpose: "the metrics port",
          idleTimeout: .seconds(30)
        ) { [self] path in
          guard path == "/metrics" else { return loop.makeSucceededFuture(.notFound) }
          return report(.descriptors) {
            HTTPAnswer(contentType: "text/plain; version=0.0.4", body: Monitor.prometheus($0))
          }
        }.map { [self] in httpServers.append($0) })
    }
    EventLoopFuture.andAllSucceed(starting, on: loop).whenComplete { result in
      done(result.mapError(ServerStartError.init(listening:)))
    }
  }

  // MARK: Turns

  /// The two clocks.
  static var currentTime: ServerTime {
    ServerTime(
      monotonicMilliseconds: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000),
      wallMilliseconds: Host.wallMilliseconds)
  }

  var time: ServerTime { Self.currentTime }

  /// A client's requests were handled: the turn ends behind those of others that have come with them, if there are any.
  func onRead() { if pacing.onRead(), !isTurnScheduled { endTurn() } else { scheduleTurn() } }

  /// Ends the turn once everything that has arrived is handled.
  func scheduleTurn() {
    guard !isTurnScheduled else { return }
    isTurnScheduled = true
    loop.execute { [self] in
      isTurnScheduled = false
      endTurn()
    }
  }

  /// Hands over what was proposed, and sends what was answered.
  func endTurn() {
    let isQuiet = requestsInTurn <= 1
    requestsInTurn = 0
    pacing.onTurnEnded()
    if let ensemble {
      ensemble.settle()
    } else {
      core.drainProposals { proposal in
        log.append(proposal.bytes, zxid: proposal.zxid)
      }
    }
    let waits = isQuiet && log.isWorthWaiting
    if !waits { log.submit() }
    ensemble?.flush()
    for connection in core.takeTouched() { handlers[connection.number]?.flush() }
    // Behind all that has to leave: the other servers sync meanwhile.
    if waits, log.submitAndWait() { return }
    updateThrottling()
    if isServing, !isReadOnly {
      log.snapshotIfDue(core, logged: ensemble?.member.zab.persisted ?? core.tree.lastProcessedZxid)
    }
  }

  private func onPersisted(through zxid: Zxid, generation: Int) -> Bool {
    if let ensemble {
      guard ensemble.onPersisted(through: zxid, generation: generation) else { return false }
    } else {
      core.commit(through: zxid, time)
    }
    endTurn()
    return true
  }

  // MARK: Failures

  /// Nothing may be done any more: the server ends.
  func fail(_ reason: String) {
    logger.critical("the server cannot go on", metadata: ["reason": "\(reason)"])
    ending.succeed(ServerStartError(reason, hint: "the server has stopped serving"))
    stopServing()
  }

  /// While too many requests are under way, connections that have some are not read.
  private func updateThrottling() {
    let isOver = core.counters.outstandingRequests > configuration.outstandingLimit
    guard isOver || isThrottling else { return }
    isThrottling = isOver
    for handler in handlers.values { handler.setThrottled(isOver && handler.connection.outstandingCount > 0) }
  }

  /// The disk does not take what clients were about to be told is safe: nobody is told, and nobody served.
  private func onLogFailure(_ error: TxnLogError) {
    logger.critical("the log cannot be written; no write since is acknowledged", metadata: ["reason": "\(error)"])
    ending.succeed(
      ServerStartError(
        "the log cannot be written: \(ServerStartError(error).message)", hint: "the server has stopped serving"))
    stopServing()
  }

  // MARK: Connections

  private func accept(_ channel: any Channel) throws {
    let address = channel.remoteAddress?.peerAddress ?? "127.0.0.1"
    let count = connectionsByAddress[address, default: 0]
    let isOver =
      (configuration.maximumConnectionsPerAddress > 0 && count >= configuration.maximumConnectionsPerAddress)
      || (configuration.maximumConnections > 0 && handlers.count >= configuration.maximumConnections)
    guard !isOver, !isStopping, DescriptorBudget.shared.take(for: channel) else {
      logger.warning("too many connections", metadata: ["client": "\(address)", "connections": "\(count)"])
      return channel.close(promise: nil)
    }
    let port = channel.remoteAddress?.port ?? 0
    let connection = core.accept(address: address)
    let text = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    let handler = ServerConnectionHandler(node: self, connection: connection, remoteAddress: text)
    handlers[connection.number] = handler
    connectionsByAddress[address] = count + 1
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  /// A connection is gone.
  func onDisconnected(_ handler: ServerConnectionHandler) {
    handlers[handler.connection.number] = nil
    let address = handler.connection.address
    connectionsByAddress[address] = connectionsByAddress[address].flatMap { $0 > 1 ? $0 - 1 : nil }
    core.disconnected(handler.connection)
    if isStopping { return }
    scheduleTurn()
  }

  // MARK: Timers

  private func startTimers() {
    let tick = TimeAmount.milliseconds(clamping: configuration.tickTimeMilliseconds)
    every(tick) { node in if node.core.role != .learner, node.isServing { node.core.expireSessions(node.time) } }
    every(.seconds(1)) { $0.closeSilentConnections() }
    every(.milliseconds(clamping: configuration.features.containerCheckMilliseconds)) { node in
      guard node.core.role != .learner, node.isServing, !node.isReadOnly else { return }
      node.core.reap(node.time, limit: node.configuration.features.containersPerMinute)
    }
    if configuration.retention.purgeIntervalMilliseconds > 0 {
      log.purge()
      every(.milliseconds(clamping: configuration.retention.purgeIntervalMilliseconds)) { $0.log.purge() }
    }
  }

  private func every(_ interval: TimeAmount, _ body: @escaping @Sendable (ServerNode) -> Void) {
    timers.append(
      loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [weak self] _ in
        guard let self else { return }
        body(self)
        endTurn()
      })
  }

  /// A connection that has asked for no session within 10 seconds, however much it has sent, or that does not take its
  /// last answers, only takes room.
  private func closeSilentConnections() {
    let now = NIODeadline.now()
    for handler in handlers.values where handler.connection.sessionID == .none || handler.isClosing {
      let since = handler.isClosing ? handler.lastHeard : handler.acceptedAt
      if now - since > .seconds(10) { handler.close() }
    }
  }

  // MARK: The end

  /// Waits until `finished` returns or the server fails by itself.
  ///
  /// - Returns: why it failed, or nil.
  package func waitForEnd(or finished: @escaping @Sendable () async -> Void) async -> ServerStartError? {
    let waiting = Task { [self] in
      await finished()
      loop.execute { [self] in ending.succeed(nil) }
    }
    defer { waiting.cancel() }
    return (try? await ending.futureResult.get()) ?? nil
  }

  /// Stops serving, writes what was accepted, and gives the directory back.
  ///
  /// - Parameter finishesSnapshot: whether a snapshot that is being written is waited for, so that the next start need
  ///   not replay what is in it.
  package func stop(finishesSnapshot: Bool = true) async {
    await end(writingLog: true, finishesSnapshot: finishesSnapshot)
  }

  /// Ends as a process does that is killed: what was accepted and is not on its way to the disk is lost.
  package func kill() async { await end(writingLog: false, finishesSnapshot: false) }

  private func end(writingLog: Bool, finishesSnapshot: Bool) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let work: @Sendable () -> Void = { [self] in
        ending.succeed(nil)
        stopServing()
        if writingLog { _ = try? log.stop() } else { log.abandon() }
        log.finish(waitsForSnapshot: finishesSnapshot) { continuation.resume() }
      }
      // A server that is held still does this before anything else.
      if !brake.release(running: work) { loop.execute(work) }
    }
    background.stop()
    try? await group.shutdownGracefully()
    storage.release()
  }

  private func stopServing() {
    guard !isStopping else { return }
    isStopping = true
    for timer in timers { timer.cancel() }
    ensemble?.stop()
    listener?.close(promise: nil)
    for server in httpServers { server.stop() }
    for handler in handlers.values { handler.close() }
  }
}
