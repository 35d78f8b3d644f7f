import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// The parts of a running server, and how they are connected.
///
/// A part knows only the parts that its initializer is given, and not those that are created later. Calls in the other
/// direction go through closures, which are set here.
///
/// *Thread*: the event loop.
final class ServerParts: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  let clients: ClientListener
  let membership: Membership
  let log: LogPipeline
  let operators: OperatorServers
  private let restore: ServerRestore
  private let encryptions: [PortEncryption]
  private let configuration: ServerConfiguration
  private let loop: any EventLoop
  private let logger: Logger
  private let turns: TurnLoop
  private let metrics = ServerMetrics()
  private let timers: ServerTimers
  private let expiry: SessionExpiry
  private let clock = ServerClock()
  private let slowDisk = SlowDisk()
  private let onFailure: (String) -> Void
  private var isStopped = false

  /// Creates and connects the parts; nothing is started.
  ///
  /// - Parameter onFailure: called with the reason when the server must stop.
  /// - Throws: when the files of the data directory contradict each other.
  init(
    _ configuration: ServerConfiguration, _ recovered: Storage.Recovered, _ encryption: ServerEncryption,
    background: BackgroundWorker, audit: AuditLog?, loop: any EventLoop, logger: Logger,
    onFailure: @escaping (String) -> Void
  ) throws(TxnLogError) {
    self.configuration = configuration
    self.loop = loop
    self.logger = logger
    self.onFailure = onFailure
    let storage = recovered.storage
    metrics.noteStart(storage.times, txns: storage.report.replayedCount)
    log = LogPipeline(
      storage, configuration, clock, slowDisk, background: background, loop: loop, metrics: metrics, logger: logger)
    turns = TurnLoop(loop, log, metrics)
    timers = ServerTimers(loop, turns)
    let served = ServedCore(
      configuration.coreSettings, recovered.state, clock, servesEverybody: configuration.ensemble == nil,
      leaderServesClients: configuration.quorumTimes.leaderServesClients, audit: audit, metrics: metrics.core)
    expiry = SessionExpiry(served, turns, loop: loop, logger: logger)
    clients = ClientListener(
      configuration, served, turns, encryption.ofClients, audit: audit, metrics: metrics, loop: loop,
      logger: logger)
    membership = try Membership(
      configuration, recovered, log, turns, clients, encryption.ofServers, metrics, loop: loop,
      logger: logger)
    encryptions = encryption.all
    restore = ServerRestore(
      recovered, clients, log, membership, metrics, loop: loop, logger: logger,
      onFailure: { [metrics] reason in
        metrics.fatalErrors += 1
        onFailure(reason)
      })
    let reporter = Reporter(
      configuration, storage, clients, log, membership, metrics, encryption, restore, loop: loop, logger: logger)
    operators = OperatorServers(configuration, reporter, encryption, logger: logger)
    clients.onWord = { [reporter] in reporter.answer(to: $0, argument: $1) }
    connect()
    audit?.onCaughtUp = { [turns] in loop.execute { turns.schedule() } }
  }

  /// Sets the closures by which parts call those that were created later.
  private func connect() {
    log.events = LogPipeline.Events(
      onPersisted: { [unowned self] zxid, generation in
        guard membership.onPersisted(through: zxid, generation: generation) else { return false }
        turns.end()
        return true
      },
      onFailure: { [unowned self] error in
        metrics.fatalErrors += 1
        logger.critical("the log cannot be written; the server stops", metadata: ["reason": "\(error)"])
        onFailure("the log cannot be written: \(ServerStartError(error).message)")
      })
    membership.driver?.onFailure = { [unowned self] reason in
      metrics.fatalErrors += 1
      logger.critical("the server cannot continue, and stops", metadata: ["reason": "\(reason)"])
      onFailure(reason)
    }
    turns.steps = TurnLoop.Steps(
      propose: { [membership, clients] in
        clients.admitWaitingRequests()
        membership.propose()
      },
      send: { [membership, clients] in
        membership.flush()
        clients.flush()
      },
      finish: { [unowned self] in
        clients.updateThrottling()
        expiry.goOn()
        guard clients.served.audience == .everybody else { return }
        let core = clients.served.core
        log.snapshotIfDue(core, logged: membership.durableZxid(core))
      })
  }

  /// Starts the log, and opens all ports, the clients' port first.
  func listen(isGivenUp: @escaping @Sendable () -> Bool) -> EventLoopFuture<Void> {
    let listening = Listening(
      loop: loop, logger: logger, retries: configuration.quorumTimes.listenRetries, isGivenUp: isGivenUp)
    membership.startLog()
    return clients.listen(listening).flatMap { [self] in
      startTimers()
      return operators.start(listening)
    }.flatMap { [self] in
      membership.join(listening)
    }
  }

  /// Has these faults from now on, and no others.
  func apply(_ faults: ServerFaults) {
    clock.offsetMilliseconds = faults.clockOffset.wholeMilliseconds
    slowDisk.set(faults.syncDelay)
    membership.driver?.apply(faults)
  }

  /// Ends a session as if its client had been silent.
  ///
  /// - Returns: false if this server does not end sessions, or there is no such session.
  func expire(_ session: SessionID) -> Bool {
    guard clients.served.audience == .everybody, clients.served.core.expire(session, clock.now) else { return false }
    turns.end()
    return true
  }

  private func startTimers() {
    let served = clients.served
    timers.every(.milliseconds(clamping: configuration.tickTimeMilliseconds)) { [expiry] in expiry.run() }
    for encryption in encryptions { encryption.watchFiles(timers) }
    var due = NIODeadline.now() + .seconds(1)
    timers.every(.seconds(1)) { [clients, metrics] in
      let now = NIODeadline.now()
      metrics.loopLag.add(Int((now - due).nanoseconds / 1000))
      clients.closeSilentConnections()
      clients.releaseMemory()
      // The next run is due that much after the end of this one.
      due = now + .seconds(1)
    }
    if configuration.requestLimits.maximumRequests > 0 {
      // Those that wait are looked at in each turn; a timer makes sure that there is one.
      timers.every(.milliseconds(clamping: configuration.requestLimits.stallMilliseconds)) {}
    }
    let features = configuration.features
    timers.every(.milliseconds(clamping: features.containerCheckMilliseconds)) {
      if served.ownsSessions { served.core.reap(served.clock.now, limit: features.containersPerMinute) }
    }
    guard configuration.retention.purgeIntervalMilliseconds > 0 else { return }
    log.purge()
    timers.every(.milliseconds(clamping: configuration.retention.purgeIntervalMilliseconds)) { [log] in log.purge() }
  }

  /// Answers what was read, gives up a leader's role, and ends the clients' connections; see `Drain`.
  func drain(onEnd: @escaping () -> Void) {
    guard !isStopped else { return onEnd() }
    let limit = TimeAmount.milliseconds(clamping: configuration.answerLimitMilliseconds)
    Drain(clients, membership, turns, answerLimit: limit, loop: loop, logger: logger).begin(onEnd: onEnd)
  }

  /// Calls `body` on the loop at intervals, for as long as the server serves.
  func every(_ interval: TimeAmount, _ body: @escaping () -> Void) { timers.every(interval, body) }

  /// Closes all ports and connections, and cancels all timers; the log stays open.
  func stopServing() {
    guard !isStopped else { return }
    isStopped = true
    restore.stop()
    timers.stop()
    expiry.stop()
    membership.shutDown()
    operators.stop()
    clients.stop()
  }
}
