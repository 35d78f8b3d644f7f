import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// The sockets and timers of a member of an ensemble. `EnsembleMember` decides everything, and `MemberRunner` performs
/// what concerns the disk.
///
/// *Thread*: the server's event loop.
final class EnsembleDriver: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private(set) var runner: MemberRunner<PosixFileSystem, EnsembleDriver>!
  let settings: ServerConfiguration.Ensemble
  let loop: any EventLoop
  let logger: Logger
  let configuration: ServerConfiguration
  let log: LogPipeline
  let turns: TurnLoop
  let clients: ClientListener
  let metrics: ServerMetrics
  /// Called with the reason when the server must stop. Set by the owner before `startLog`.
  var onFailure: ((String) -> Void)?
  private(set) var election: ElectionPort!
  private(set) var quorum: QuorumPort!
  private var timer: Scheduled<Void>?
  private var timerDeadline = Int64.max
  private var readOnlyTimer: Scheduled<Void>?
  private var isDraining = false
  /// When the member last began to serve clients.
  private(set) var servingSince = NIODeadline.now()
  private(set) var proposalSizes = ProposalSizes()
  private var hasStarted = false
  private(set) var isStopped = false
  private(set) var isLeading = false
  /// Whether this server is about to stop, and begins nothing new for its learners.
  private(set) var isRetiring = false
  /// Called with each role that the member takes. Set by the owner before `startLog`.
  var onRole: ((String) -> Void)?
  /// Servers with which traffic is blocked in both directions, to simulate a network partition.
  private(set) var severed: Set<ServerID> = []
  /// Reads the log for learners, once one has needed it.
  var learnerLog: LearnerLog?
  private let links: FaultyLinks
  let clock: ServerClock
  let tap = MessageTap()
  /// Whether it serves clients, with the history of its leader.
  private(set) var isUpToDate = false
  /// The role that the log has named last, and since when the member has it.
  var lastRole: String?
  var roleSince = NIODeadline.now()
  /// When the member last began to look for a leader.
  var lookingSince = NIODeadline.now()
  /// The last connection that this server has opened to a leader.
  private var leaderConnection: (id: ConnectionID, leader: ServerID)?
  /// On a leader, when the last transactions were proposed, in microseconds of the monotonic clock, settled when they
  /// are committed. On a follower, the leader's times of the last proposals, in milliseconds since 1970, settled when
  /// they are durable here.
  var proposalTimes = ProposalTimes()
  /// The time of the event that is being handled.
  private(set) var time: ServerTime
  /// Whether `time` is that of the first of several packets that have arrived together.
  var isTimeOfRead = false

  init(
    _ member: EnsembleMember, _ recovered: Storage.Recovered, _ settings: ServerConfiguration.Ensemble,
    _ configuration: ServerConfiguration, _ log: LogPipeline, _ turns: TurnLoop, _ clients: ClientListener,
    _ transport: PeerTransport, _ metrics: ServerMetrics, loop: any EventLoop, logger: Logger
  ) {
    self.settings = settings
    self.configuration = configuration
    self.log = log
    self.turns = turns
    self.clients = clients
    self.metrics = metrics
    self.loop = loop
    self.logger = logger
    links = FaultyLinks(of: settings.serverID)
    clock = clients.served.clock
    time = clock.now
    runner = MemberRunner(member, recovered.storage.directory, recovered.trees, log: self)
    quorum = QuorumPort(
      settings,
      maxRequestBytes: ServerSettings.maximumTxnBytes(maximumFrameBytes: configuration.maximumFrameBytes),
      transport, clock, links, tap, loop: loop, logger: logger, events: quorumEvents)
    election = ElectionPort(settings, transport, links, tap, loop: loop, logger: logger, events: electionEvents)
  }

  var member: EnsembleMember { runner.member }

  /// Starts the log.
  func startLog() { runner.start() }

  /// Handles a report that the log of a generation is durable up to a transaction.
  ///
  /// - Returns: whether that generation is the current one.
  func onPersisted(through zxid: Zxid, generation: Int) -> Bool {
    guard !isStopped else { return false }
    let before = begin()
    guard runner.onPersisted(through: zxid, generation: generation, time) else { return false }
    if isLeading { noteAcknowledged(zxid, by: settings.serverID) } else { noteDurable(zxid) }
    drain()
    end(since: before)
    return true
  }

  /// Opens the ports for other servers.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    election.listen(listening).and(quorum.listen(listening)).map { _ in }
  }

  /// Starts an election.
  func start() {
    hasStarted = true
    step(.started)
    turns.end()
  }

  /// Closes all connections, and cancels all timers.
  func shutDown() {
    isStopped = true
    timer?.cancel()
    readOnlyTimer?.cancel()
    election.stop()
    quorum.stop()
    learnerLog?.stop()
  }

  // MARK: The end

  /// Takes no further requests of learners.
  func beginRetiring() { isRetiring = true }

  /// Whether everything that this leader has proposed is committed; true on any other server.
  var isSettled: Bool {
    let zab = member.zab
    return !isLeading || zab.committed >= zab.history.last
  }

  /// Gives up the role: the other servers get everything that was sent to them, and then see that this one has gone.
  ///
  /// They look for a leader at once. This server no longer answers them, because a server that still reports to lead
  /// would be followed again.
  func resign() {
    quorum.flush()
    isStopped = true
    timer?.cancel()
    readOnlyTimer?.cancel()
    election.stop()
    quorum.closeOutput()
  }

  /// Lets the links to other servers have these faults, and no others.
  func apply(_ faults: ServerFaults) {
    links.update(faults)
    // What was held back leaves first, so that the order is kept.
    election.releaseDelayed()
    quorum.releaseDelayed()
    sever(Set(faults.severed.map(ServerID.init(rawValue:))))
  }

  /// Blocks traffic with these servers, and unblocks it with all others.
  private func sever(_ servers: Set<ServerID>) {
    guard servers != severed, !isStopped else { return }
    let isMended = !severed.isSubset(of: servers)
    severed = servers
    election.severed = servers
    guard hasStarted else { return }
    for server in servers {
      for connection in member.zab.connections(of: server) { disconnect(connection) }
      if let (connection, leader) = leaderConnection, leader == server { disconnect(connection) }
    }
    // Votes that could not be delivered are sent again, now that they may arrive.
    if isMended, member.zab.role == .looking { step(.started) }
    turns.end()
  }

  /// Closes a connection as if the other server had done it.
  func disconnect(_ connection: ConnectionID) {
    quorum.close(connection)
    step(.disconnected(connection))
  }

  // MARK: Events

  /// Gives an event to the member, and performs the resulting effects.
  func step(_ event: ZabEvent) {
    guard !isStopped else { return }
    step(event, since: begin())
  }

  /// Gives an event to the member for which `begin` was called already.
  func step(_ event: ZabEvent, since before: Int) {
    runner.step(event, time)
    drain()
    end(since: before)
  }

  /// Reads the clock for an event.
  ///
  /// - Returns: how many transactions were applied before it.
  func begin() -> Int {
    time = clock.now
    isTimeOfRead = false
    return metrics.core.appliedCount
  }

  /// Records what was applied because of an event, and on a leader how long a quorum took to acknowledge it.
  private func end(since before: Int) {
    guard metrics.core.appliedCount > before else { return }
    metrics.noteApplied(since: before, time)
    guard isLeading else { return }
    metrics.ensemble.commitCount += metrics.core.appliedCount - before
    let applied = clients.served.core.lastProcessedZxid
    while let proposed = proposalTimes.settleFirst(through: applied) {
      metrics.ensemble.acknowledgeTime.add(Int(time.monotonicMicroseconds - proposed))
    }
  }

  /// Records that transactions of the leader are durable here, and will be acknowledged.
  private func noteDurable(_ zxid: Zxid) {
    while let made = proposalTimes.settleFirst(through: zxid) {
      metrics.ensemble.ackCreationLatency.add(Self.microseconds(from: made, to: time.wallMilliseconds))
    }
  }

  /// Proposes the transactions that were made from clients' requests, or forwards the requests to the leader.
  func propose() {
    guard !isStopped, member.hasRequests else { return }
    let before = begin()
    runner.settle(time)
    drain()
    end(since: before)
  }

  /// Sends the packets of this turn.
  func flush() { quorum.flush() }

  private var electionEvents: ElectionPort.Events {
    ElectionPort.Events(
      onMessage: { [unowned self] notification, server in
        step(.notification(notification, from: server))
        turns.end()
      },
      onRefused: { [unowned self] server in
        step(.notificationRefused(by: server))
        turns.end()
      })
  }

  private var quorumEvents: QuorumPort.Events {
    QuorumPort.Events(
      onLearnerConnected: { [unowned self] in step(.learnerConnected($0)) },
      onObserverConnected: { [unowned self] in step(.observerConnected($0)) },
      onLeaderConnected: { [unowned self] connection, leader in
        leaderConnection = (connection, leader)
        step(.leaderConnected(connection))
        turns.end()
      },
      onLeaderUnreachable: { [unowned self] in
        step(.leaderUnreachable)
        turns.end()
      },
      onPacket: { [unowned self] in onPacket($0, $1) },
      onPackets: { [unowned self] in onPackets($0, $1) },
      onTree: { [unowned self] in onTree($0, $1) },
      onReadComplete: { [unowned self] in
        isTimeOfRead = false
        turns.end()
      },
      onDisconnected: { [unowned self] in
        step(.disconnected($0))
        turns.end()
      },
      onUnreadableLog: { [unowned self] in step(.logUnreadable(through: $0)) },
      isSevered: { [unowned self] in severed.contains($0) })
  }

  // MARK: Effects

  /// Performs the member's effects, and those that result from performing them.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    while !isStopped, let effect = runner.next(now) { perform(effect) }
    isDraining = false
    updateTimer()
  }

  private func perform(_ effect: consuming DriverEffect) {
    switch consume effect {
    case .transport(.send(let packet, let connection)):
      if packet.kind == .diff || packet.kind == .trunc { metrics.ensemble.differencesSent += 1 }
      quorum.send(packet, on: connection)
    case .transport(.sendNotification(let notification, let server)): election.send(notification, to: server)
    case .transport(.connectToLeader(let leader)): quorum.connect(to: leader)
    case .transport(.connectToObserverMaster(let server)): quorum.connect(to: server, isObserverMaster: true)
    case .transport(.close(let connection)): quorum.close(connection)
    case .sendTree(let packet, let tree, let connection):
      metrics.ensemble.snapshotsSent += 1
      metrics.ensemble.treesInFlight.add(quorum.treeCount + 1)
      quorum.send(packet, tree: tree, on: connection)
    case .examineLog(let connection, let start, let end): examineLog(connection, after: start, through: end)
    case .sendLog(let packet, let start, let end, let connection):
      metrics.ensemble.differencesSent += 1
      metrics.ensemble.logsInFlight.add(quorum.logCount + 1)
      quorum.send(packet, log: readLog().feed(after: start, through: end), on: connection)
    case .receiveTree(let connection, let zxid): quorum.expectTree(runner.treeReader(zxid: zxid), on: connection)
    case .roleChanged(let role):
      report(role)
      tap.onEvent?(.role(role.word, member.zab.history.last))
      isLeading = role == .leading
      isUpToDate = false
      proposalTimes.removeAll()
      metrics.ensemble.noteRole(isLooking: role == .looking, time)
      quorum.roleChanged(role)
      updateReadOnly(role)
    case .activate(let configuration): activate(configuration)
    case .startServing:
      isUpToDate = true
      servingSince = .now()
      proposalSizes = ProposalSizes()
      metrics.ensemble.noteServing(isLeader: isLeading, isObserver: !isLeading && !member.zab.isVoter, clock.now)
      reportServing()
      if let core = member.core { clients.startServing(core) }
    case .stopServing: clients.stopServing()
    case .note(let note): report(note)
    case .failed(.state(let reason)): onFailure?(reason)
    case .failed(.storage(let error)): onFailure?("\(error)")
    }
  }

  /// Serves read-only clients after a voter has looked for a leader for a while, if the configuration allows it.
  ///
  /// *Source*: `QuorumPeer.run`, `roZkMgr`; `QuorumProtocol` C.1.
  private func updateReadOnly(_ role: ZabRole) {
    guard configuration.features.allowsReadOnly else { return }
    readOnlyTimer?.cancel()
    readOnlyTimer = nil
    guard role == .looking else {
      if clients.served.audience == .readers { clients.stopServing() }
      return
    }
    guard member.zab.isVoter else { return }
    let delay = max(2000, settings.tickTimeMilliseconds)
    readOnlyTimer = loop.scheduleTask(in: .milliseconds(clamping: delay)) { [unowned self] in
      guard !isStopped, member.zab.role == .looking else { return }
      logger.info("there is no quorum: serving only read-only clients")
      clients.startServingReaders(member.state)
    }
  }

  /// Installs a tree that has arrived from the leader.
  private func onTree(_ state: RecoveredState, _ connection: ConnectionID) {
    guard !isStopped else { return }
    do throws(TxnLogError) {
      try runner.install(state, from: connection, now)
    } catch {
      onFailure?("\(error)")
    }
    drain()
  }

  // MARK: Time

  private var now: ServerTime { clock.now }

  private func updateTimer() {
    let deadline = member.nextDeadline
    // An earlier timer stays: when it fires too early, the tick does nothing and the timer is set again.
    guard !isStopped, deadline < timerDeadline else { return }
    timer?.cancel()
    timerDeadline = deadline
    let delay = max(1, deadline - now.monotonicMilliseconds)
    timer = loop.scheduleTask(in: .milliseconds(clamping: delay)) { [unowned self] in
      timerDeadline = .max
      step(.tick)
      turns.end()
    }
  }
}

extension ZabRole {
  /// The name of the role, as four-letter words and the log report it.
  var word: String {
    switch self {
    case .looking: "looking"
    case .leading: "leader"
    case .following: "follower"
    case .observing: "observer"
    }
  }
}

extension EnsembleDriver: MemberLog {
  /// Starts the next generation of the log.
  func startLog(after last: Zxid, generation: Int) { log.start(after: last, generation: generation) }

  /// Appends a transaction to the batch that is written after the end of the turn.
  func append(_ entry: TxnHistory.Entry) {
    if isLeading {
      proposalSizes.note(entry.bytes.count)
      metrics.ensemble.proposalCount += 1
      proposalTimes.append(entry.zxid, at: time.monotonicMicroseconds)
    }
    log.append(entry.bytes, zxid: entry.zxid)
  }

  /// Writes everything that was appended, and ends the log, because it is about to be truncated or replaced.
  func stopLog() throws(TxnLogError) -> Zxid { try log.stopForChange() }
}
