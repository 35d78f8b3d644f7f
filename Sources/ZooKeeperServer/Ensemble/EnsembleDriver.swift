import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// Sockets, timers and disk around an ensemble's member, which decides everything.
///
/// *Thread*: the server's event loop.
final class EnsembleDriver: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  private var runner: MemberRunner<PosixFileSystem, EnsembleDriver>!
  private let settings: ServerConfiguration.Ensemble
  private let loop: any EventLoop
  private let logger: Logger
  private unowned let node: ServerNode
  private var election: ElectionPort!
  private var quorum: QuorumPort!
  private var timer: Scheduled<Void>?
  private var timerDeadline = Int64.max
  private var readOnlyTimer: Scheduled<Void>?
  private var isDraining = false
  /// When it began to serve clients, last.
  private var servingSince = NIODeadline.now()
  private var proposalSizes = ProposalSizes()
  private var hasStarted = false
  private(set) var isStopped = false
  private var isLeading = false
  /// Servers that this one cannot reach, nor they it: a sandbox's broken cable.
  private var severed: Set<ServerID> = []
  /// Whose connection is whose, as far as this server has called.
  private var leaderConnection: (id: ConnectionID, leader: ServerID)?

  init(
    _ member: EnsembleMember, _ recovered: Storage.Recovered, _ settings: ServerConfiguration.Ensemble,
    loop: any EventLoop, logger: Logger, node: ServerNode
  ) {
    self.settings = settings
    self.loop = loop
    self.logger = logger
    self.node = node
    runner = MemberRunner(member, recovered.storage.directory, recovered.trees, log: self)
    quorum = QuorumPort(
      settings,
      maxRequestBytes: ServerSettings.maximumTxnBytes(maximumFrameBytes: node.configuration.maximumFrameBytes),
      loop: loop, logger: logger, driver: self)
    election = ElectionPort(settings, loop: loop, logger: logger) { [unowned self] notification, server in
      step(.notification(notification, from: server))
      node.endTurn()
    }
  }

  var member: EnsembleMember { runner.member }

  /// Begins the log.
  func startLog() { runner.start() }

  /// The log of a generation is durable up to a transaction.
  ///
  /// - Returns: whether that is the current one.
  func onPersisted(through zxid: Zxid, generation: Int) -> Bool {
    guard !isStopped, runner.onPersisted(through: zxid, generation: generation, node.time) else { return false }
    drain()
    return true
  }

  /// Takes calls of other servers; `start` begins the election.
  func listen(_ listening: Listening) -> EventLoopFuture<Void> {
    election.listen(listening).and(quorum.listen(listening)).map { _ in }
  }

  /// Begins the election.
  func start() {
    hasStarted = true
    step(.started)
    node.endTurn()
  }

  /// Ends all connections and timers.
  func stop() {
    isStopped = true
    timer?.cancel()
    readOnlyTimer?.cancel()
    election.stop()
    quorum.stop()
  }

  /// Cuts the connections to some servers, and to no others.
  func sever(_ servers: Set<ServerID>) {
    guard servers != severed, !isStopped else { return }
    let isMended = !severed.isSubset(of: servers)
    severed = servers
    election.severed = servers
    guard hasStarted else { return }
    for server in servers {
      for connection in member.zab.connections(of: server) { disconnect(connection) }
      if let (connection, leader) = leaderConnection, leader == server { disconnect(connection) }
    }
    // Votes that were sent into the void are sent again, now that somebody may hear them.
    if isMended, member.zab.role == .looking { step(.started) }
    node.endTurn()
  }

  private func disconnect(_ connection: ConnectionID) {
    quorum.close(connection)
    step(.disconnected(connection))
  }

  /// Whether the connection to a server is cut on purpose.
  func isSevered(from server: ServerID) -> Bool { severed.contains(server) }

  // MARK: Events

  /// Gives an event to the member, and does what it wants.
  func step(_ event: ZabEvent) {
    guard !isStopped else { return }
    runner.step(event, node.time)
    drain()
  }

  /// Passes on what clients have asked for.
  func settle() {
    guard !isStopped, member.hasRequests else { return }
    runner.settle(node.time)
    drain()
  }

  /// Sends what this turn has brought.
  func flush() { quorum.flush() }

  /// A learner has called.
  func onLearnerConnected(_ connection: ConnectionID) { step(.learnerConnected(connection)) }

  /// The leader took the call.
  func onLeaderConnected(_ connection: ConnectionID, _ leader: ServerID) {
    leaderConnection = (connection, leader)
    step(.leaderConnected(connection))
    node.endTurn()
  }

  /// The leader did not take the call.
  func onLeaderUnreachable() {
    step(.leaderUnreachable)
    node.endTurn()
  }

  /// A packet has come.
  func onPacket(_ packet: QuorumPacket, _ connection: ConnectionID) {
    if let data = packet.data, packet.kind == .followerInfo || packet.kind == .observerInfo,
      let info = try? LearnerInfo(decoding: data, allowingTrailingBytes: true), severed.contains(info.serverID)
    {
      return disconnect(connection)
    }
    if let kind = packet.kind, kind == .diff || kind == .trunc || kind == .snap,
      member.zab.leaderConnection == connection
    {
      logger.info("synchronizing", metadata: ["by": "\(kind)", "zxid": "\(packet.zxid)"])
    }
    step(.received(packet, connection))
  }

  /// All that had arrived on a connection is handled.
  func onReadComplete() { node.endTurn() }

  /// A connection is gone.
  func onDisconnected(_ connection: ConnectionID) {
    step(.disconnected(connection))
    node.endTurn()
  }

  // MARK: Effects

  /// Does what the member wants, and what comes of that.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    while !isStopped, let effect = runner.next(node.time) { perform(effect) }
    isDraining = false
    updateTimer()
  }

  private func perform(_ effect: consuming DriverEffect) {
    switch consume effect {
    case .transport(.send(let packet, let connection)): quorum.send(packet, on: connection)
    case .transport(.sendNotification(let notification, let server)): election.send(notification, to: server)
    case .transport(.connectToLeader(let leader)): quorum.connect(to: leader)
    case .transport(.close(let connection)): quorum.close(connection)
    case .sendTree(let packet, let tree, let connection): quorum.send(packet, tree: tree, on: connection)
    case .receiveTree(let connection, let zxid): quorum.expectTree(runner.treeReader(zxid: zxid), on: connection)
    case .roleChanged(let role):
      logger.info("role", metadata: ["role": "\(role.word)", "zxid": "\(member.zab.history.last)"])
      isLeading = role == .leading
      quorum.roleChanged(role)
      updateReadOnly(role)
    case .activate(let configuration): activate(configuration)
    case .startServing:
      servingSince = .now()
      proposalSizes = ProposalSizes()
      node.startServing()
    case .stopServing: node.stopServingClients()
    case .note(let note): logger.info("\(note)")
    case .failed(.state(let reason)): node.fail(reason)
    case .failed(.storage(let error)): node.fail("\(error)")
    }
  }

  /// A voter that has looked for a leader for a while serves those who only read, if the configuration allows it.
  ///
  /// *Source*: `QuorumPeer.run`, `roZkMgr`; `quorum-protocol` C.1.
  private func updateReadOnly(_ role: ZabRole) {
    guard node.configuration.features.allowsReadOnly else { return }
    readOnlyTimer?.cancel()
    readOnlyTimer = nil
    guard role == .looking else {
      if node.isReadOnly { node.stopServingClients() }
      return
    }
    guard member.zab.isVoter else { return }
    let delay = max(2000, settings.tickTimeMilliseconds)
    readOnlyTimer = loop.scheduleTask(in: .milliseconds(clamping: delay)) { [unowned self] in
      guard !isStopped, member.zab.role == .looking else { return }
      logger.info("there is no quorum: serving only read-only clients")
      node.startReadOnly()
    }
  }

  /// The ensemble has changed.
  private func activate(_ configuration: QuorumConfiguration) {
    logger.info("the ensemble has changed", metadata: ["members": "\(configuration.text.split(separator: "\n"))"])
    election.configurationChanged(configuration)
    quorum.configurationChanged(configuration)
    rewriteFile(configuration)
  }

  /// Brings `zoo.cfg` up to date. A server that was removed keeps its own: with a file that does not name it, it could
  /// not even be started to be added again.
  private func rewriteFile(_ configuration: QuorumConfiguration) {
    guard node.configuration.features.allowsReconfig, let file = node.configuration.file,
      configuration.member(member.zab.id) != nil
    else { return }
    let rewrite = ConfigurationRewrite(files: runner.directory.files, path: Host.resolvedPath(file))
    do throws(FileSystemError) {
      let path = try rewrite.save(configuration, own: member.zab.id)
      logger.info("the configuration file was rewritten", metadata: ["file": "\(file)", "members": "\(path)"])
    } catch {
      logger.warning(
        "the configuration file could not be rewritten; the data directory has what was agreed on",
        metadata: ["file": "\(file)", "reason": "\(TxnLogError(error))"])
    }
  }

  /// A leader's tree is complete.
  func onTree(_ state: RecoveredState, _ connection: ConnectionID) {
    guard !isStopped else { return }
    do throws(TxnLogError) {
      try runner.install(state, from: connection, node.time)
    } catch {
      return node.fail("\(error)")
    }
    drain()
  }

  // MARK: Reports

  /// Forgets what was counted of learners' connections.
  func resetLearnerStatistics() { quorum.resetStatistics() }

  /// This server's part in the ensemble at this moment.
  func report(_ core: ServerCore, clientAddress: HostAndPort, zxid: Zxid, withSessions: Bool) -> EnsembleReport {
    let zab = member.zab
    var report = EnsembleReport(
      part: .none, isServing: node.isServing, own: zab.configuration.member(zab.id) ?? settings.ownMember,
      quorum: zab.configuration, times: settings.times, clientAddress: clientAddress, zxid: zxid,
      sessionCount: core.committedSessions.count,
      sessions: withSessions ? core.committedSessions.map { ($0.key, $0.value) } : [])
    switch zab.role {
    case .looking: break
    case .following(let leader):
      report.part = .follower
      report.leaderID = leader
    case .observing(let leader):
      report.part = .observer
      report.leaderID = leader
    case .leading:
      report.part = .leader
      report.leaderID = zab.id
      report.leadership = leadership
    }
    return report
  }

  private var leadership: EnsembleReport.Leadership {
    let zab = member.zab
    let synced = zab.syncedLearners
    let observers = synced.observers.flatMap { id in
      zab.connections(of: id).compactMap { quorum.report(of: $0, id) }
    }
    return EnsembleReport.Leadership(
      uptimeMilliseconds: Int((NIODeadline.now() - servingSince).nanoseconds / 1_000_000),
      learnerCount: zab.learnerCount, syncedFollowerCount: synced.followers.count,
      syncedNonVotingCount: synced.followers.count { !zab.configuration.isVoter($0) }, observers: observers,
      pendingSyncCount: member.pendingSyncCount, proposalSizes: proposalSizes)
  }

  // MARK: Time

  private func updateTimer() {
    let deadline = member.nextDeadline
    // A timer that is due too early only looks again.
    guard !isStopped, deadline < timerDeadline else { return }
    timer?.cancel()
    timerDeadline = deadline
    let delay = max(1, deadline - node.time.monotonicMilliseconds)
    timer = loop.scheduleTask(in: .milliseconds(clamping: delay)) { [unowned self] in
      timerDeadline = .max
      step(.tick)
      node.endTurn()
    }
  }
}

extension ZabRole {
  /// The role's name.
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
  /// Begins the log's next generation.
  func startLog(after last: Zxid, generation: Int) { node.log.start(after: last, generation: generation) }

  /// Adds a transaction to what leaves for the disk at the end of the turn.
  func append(_ entry: TxnHistory.Entry) {
    if isLeading { proposalSizes.note(entry.bytes.count) }
    node.log.append(entry.bytes, zxid: entry.zxid)
  }

  /// Writes what was appended, and ends the log.
  func stopLog() throws(TxnLogError) -> Zxid { try node.log.stop() }
}
