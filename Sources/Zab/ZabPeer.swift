package import ZooKeeperProtocol

/// The protocol state of one member of an ensemble: its role, its history, and how much of the history is committed.
///
/// Events go in through `step`, and actions come out in the order in which the driver must perform them. An action that
/// changes durable state comes before the action that reveals it, and an action that promises something to another
/// server is emitted only after the event that says that it is durable.
///
/// The history is one sequence, of which one part is in the tree, one committed and one persisted. A transaction is
/// delivered once it is committed; a learner also waits until it is persisted here. So when a leader truncates the
/// history of a learner that served clients, the tree does not change. It does if the server was started since, because
/// at a start the tree is read from the whole log, or if it was being brought up to date, see `catchUp`.
///
/// *Source*: Junqueira, Reed, Serafini, "Zab" (DSN 2011); `QuorumProtocol` A and B.
package struct ZabPeer: Equatable, Sendable {
  package let id: ServerID
  package let settings: ZabSettings
  /// The active configuration: the members of the ensemble.
  package internal(set) var configuration: QuorumConfiguration
  /// The newest epoch that this server has promised to follow; durable. It follows no leader of an older one.
  package internal(set) var acceptedEpoch: Epoch
  /// The epoch of the leader whose history this server has; durable.
  package internal(set) var currentEpoch: Epoch
  package internal(set) var history: TxnHistory
  /// The configuration that is proposed and not committed, if there is one.
  var pending: PendingConfiguration?
  /// The history up to here is durable.
  package internal(set) var persisted: Zxid
  /// The history up to here is committed, as far as this server knows.
  package internal(set) var committed: Zxid
  /// The history up to here is in the tree: delivered, or applied by `catchUp`, or read from disk at the start.
  package internal(set) var delivered: Zxid
  /// Whether this server was started without the data that it may have had: it has no vote until a leader has sent it
  /// the tree, because it may have forgotten what it acknowledged.
  package internal(set) var lacksData: Bool
  package internal(set) var role = ZabRole.looking
  package internal(set) var isServing = false
  var election = FastLeaderElection()
  var leader: LeaderState?
  var learner: LearnerState?
  /// The highest epoch that another voter is known to have accepted: the next one that this server proposes is above
  /// it.
  var epochFloor = Epoch.zero
  /// How many connections to observer masters this observer has attempted, each time to the next one.
  var observerMasterTurn: UInt64 = 0
  /// The epoch in which this server asks for a snapshot because it could not truncate its log.
  var snapshotNeededIn: Epoch?
  /// The log on disk cannot be read for learners that lack a transaction up to this one.
  var unreadableLogEnd = Zxid.zero
  var now: Int64 = 0
  /// When `tick` is due next, on the monotonic clock in milliseconds.
  ///
  /// Stored, because drivers read it after every event: a computed property would cost them a copy of the whole peer.
  package private(set) var nextDeadline = Int64.max

  /// Creates a member from what was recovered from its disk.
  ///
  /// - Parameters:
  ///   - configuration: the configuration that is known to be committed.
  ///   - proposed: the configuration in a later transaction of the log, which may or may not be committed.
  ///   - history: the end of the log; all of it is in the tree.
  ///   - lacksData: whether there was no data, although there may have been some before.
  package init(
    id: ServerID, configuration: QuorumConfiguration, proposed: QuorumConfiguration? = nil, settings: ZabSettings,
    acceptedEpoch: Epoch, currentEpoch: Epoch, history: TxnHistory, lacksData: Bool = false
  ) {
    self.lacksData = lacksData
    pending = proposed.map { PendingConfiguration(zxid: Zxid(rawValue: $0.version), configuration: $0) }
    self.id = id
    self.configuration = configuration
    self.settings = settings
    self.acceptedEpoch = settings.forgetsPromisesAtRestart ? currentEpoch : acceptedEpoch
    self.currentEpoch = currentEpoch
    self.history = history
    persisted = history.last
    committed = history.last
    delivered = history.last
    nextDeadline = currentDeadline
  }

  /// Handles an event.
  ///
  /// - Parameters:
  ///   - now: the monotonic clock, in milliseconds.
  ///   - actions: the actions that the driver must perform are appended here.
  package mutating func step(_ event: ZabEvent, now: Int64, into actions: inout [ZabAction]) {
    self.now = max(self.now, now)
    switch event {
    case .started: startLooking(&actions)
    case .tick: onTick(&actions)
    case .notification(let notification, let sender): onNotification(notification, from: sender, &actions)
    case .notificationRefused(let server): onRefusedNotification(server, &actions)
    case .learnerConnected(let connection): onLearnerConnected(connection, &actions)
    case .observerConnected(let connection): onObserverConnected(connection, &actions)
    case .leaderConnected(let connection): onLeaderConnected(connection, &actions)
    case .leaderUnreachable: onLeaderUnreachable(&actions)
    case .disconnected(let connection): onDisconnected(connection, &actions)
    case .received(let packet, let connection): onPacket(packet, connection, &actions)
    case .receivedTogether(let packets, let connection):
      for index in packets.indices where !isIncludedInNext(index, packets, connection) {
        onPacket(packets[index], connection, &actions)
      }
    case .proposed(let entry): onProposed(entry, &actions)
    case .persisted(let zxid): onPersisted(through: zxid, &actions)
    case .acceptedEpochSaved(let epoch): onAcceptedEpochSaved(epoch, &actions)
    case .currentEpochSaved(let epoch): onCurrentEpochSaved(epoch, &actions)
    case .leadershipQuestioned: onLeadershipQuestioned(&actions)
    case .truncated(let zxid): onTruncated(zxid, &actions)
    case .truncationFailed: onTruncationFailed(&actions)
    case .logExamined(let connection, let isComplete): onLogExamined(connection, isComplete: isComplete, &actions)
    case .logUnreadable(let zxid): unreadableLogEnd = max(unreadableLogEnd, zxid)
    case .snapshotInstalled(let zxid, let configured): onSnapshotInstalled(zxid, configured, &actions)
    }
    nextDeadline = currentDeadline
    checkInvariants()
  }

  private var currentDeadline: Int64 {
    switch role {
    case .looking: election.nextDeadline
    case .leading: leader?.nextDeadline ?? .max
    case .following, .observing: learner?.nextDeadline ?? .max
    }
  }

  // Pattern matching, because a comparison with nil would copy the whole state.

  /// Whether this server leads, or tries to.
  var isLeader: Bool { if case .some = leader { true } else { false } }

  /// Whether this server follows or observes a leader, or tries to.
  var isLearner: Bool { if case .some = learner { true } else { false } }

  /// Whether this server has a vote.
  package var isVoter: Bool { votes(id) }

  /// The epoch in which this server serves clients, as its leader or as a learner; nil while it does not serve.
  package var servingEpoch: Epoch? {
    guard isServing else { return nil }
    return leader?.epoch ?? learner?.epoch
  }

  /// The connection to the leader; nil when there is none.
  package var leaderConnection: ConnectionID? { learner?.connection }

  /// The end of the history when NEWLEADER arrived; zero before that.
  package var newLeaderZxid: Zxid { learner?.newLeaderZxid ?? .zero }

  /// The learners of a leader, or the observers of an observer master.
  private var handles: [LearnerHandle] { leader?.learners ?? learner?.observers ?? [] }

  /// The connections of all learners, or of an observer master's observers.
  package var learnerConnections: [ConnectionID] { handles.map(\.connection) }

  /// The connections on which a learner has identified itself as `server`.
  package func connections(of server: ServerID) -> [ConnectionID] {
    handles.filter { $0.id == server }.map(\.connection)
  }

  /// The number of learners that are connected to this leader, up to date or not.
  package var learnerCount: Int { leader?.learners.count ?? 0 }

  /// How many transactions of the leader's history a voter has not acknowledged. Those of earlier epochs count as one.
  package func lag(of server: ServerID) -> Int64 {
    let acknowledged = server == id ? persisted : leader?.acknowledged[server] ?? .zero
    guard acknowledged < history.last else { return 0 }
    guard acknowledged.epoch == history.last.epoch else { return Int64(history.last.counter) + 1 }
    return Int64(history.last.counter) - Int64(acknowledged.counter)
  }

  /// The ids of the learners that the leader, or an observer master, has brought up to date, as `mntr` reports them.
  package var syncedLearners: (followers: [ServerID], observers: [ServerID]) {
    let running = handles.filter { $0.phase == .running }
    return (running.filter { !$0.isObserver }.map(\.id).sorted(), running.filter(\.isObserver).map(\.id).sorted())
  }

  private mutating func onTick(_ actions: inout [ZabAction]) {
    switch role {
    case .looking: onElectionTick(&actions)
    case .leading: onLeaderTick(&actions)
    case .following, .observing: onLearnerTick(&actions)
    }
  }

  private mutating func onPacket(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    if isLeader {
      onLearnerPacket(packet, connection, &actions)
    } else if learner?.connection == connection {
      onLeaderPacket(packet, connection, &actions)
    } else if let handle = handle(connection) {
      onObserverPacket(packet, handle, &actions)
    }
  }

  private mutating func onDisconnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    if isLeader {
      removeLearner(connection, &actions)
    } else if learner?.connection == connection {
      if leaveObserverMaster(&actions) { return }
      actions.append(.note(.lostLeader))
      startLooking(&actions)
    } else {
      removeLearner(connection, &actions)
    }
  }

  /// Adds a transaction to the history and to the log.
  mutating func append(_ entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    history.append(entry)
    noteConfiguration(in: entry, &actions)
    history.trim(count: settings.historyCount, bytes: settings.historyBytes, notAfter: delivered)
    actions.append(.append(entry))
  }

  /// Delivers what is committed and not delivered yet.
  ///
  /// A leader does not wait for its own disk, which may be the slowest of all. What it reports as committed is in its
  /// own tree before the report leaves, as on Apache's leaders. Otherwise a client of the leader could read, even after
  /// a sync, a value that another client has already seen replaced. A quorum of other servers has such a transaction on
  /// disk, so it cannot be lost; a snapshot that contains it must still wait for the leader's own log, up to
  /// `persisted`. A learner's clients lose nothing by the wait, because a learner answers syncs from what it has
  /// delivered.
  mutating func deliver(_ actions: inout [ZabAction]) {
    let waitsForDisk = !isLeader || settings.leaderWaitsForItsOwnDisk
    let end = waitsForDisk ? min(committed, persisted) : committed
    guard end > delivered else { return }
    actions.append(.deliver(history.entries(after: delivered, through: end)))
    delivered = end
  }

  /// Applies what is durable of the leader's history while a learner is brought up to date, so that it need not apply
  /// all of it at the end.
  ///
  /// It may not be committed yet: the leader may be about to establish its epoch with it. That does no harm while no
  /// client is served. The server is then in the state in which it would be after a restart, which reads the tree from
  /// the whole log: if the leader is lost, the next one may truncate what is in the tree, which is then read again.
  mutating func catchUp(_ actions: inout [ZabAction]) {
    guard let synced = learner?.syncedThrough else { return }
    catchUp(through: min(synced, persisted), &actions)
  }

  /// Applies the history with which a leader establishes its epoch, before it sends its tree, as it would be after a
  /// restart. All of it is durable by then, and no client is served.
  ///
  /// The tree replaces the log of a learner, which may have acknowledged all of that history to an earlier leader. If
  /// it was only sent after the tree, the learner would not have it on disk for a moment, and a transaction that the
  /// earlier leader commits could be lost with the next crash.
  mutating func applyInitialHistory(_ actions: inout [ZabAction]) {
    if !settings.sendsTreeWithoutHistory { catchUp(through: history.last, &actions) }
  }

  private mutating func catchUp(through end: Zxid, _ actions: inout [ZabAction]) {
    guard end > delivered else { return }
    actions.append(.catchUp(history.entries(after: delivered, through: end)))
    delivered = end
  }

  /// Traps if a rule is broken that must hold between any two events: going on could lose acknowledged transactions.
  func checkInvariants() {
    precondition(currentEpoch <= acceptedEpoch, "current epoch \(currentEpoch) is after accepted \(acceptedEpoch)")
    precondition(persisted <= history.last, "persisted \(persisted) is after the end \(history.last)")
    precondition(delivered <= history.last, "delivered \(delivered) is after the end \(history.last)")
    precondition(!isLeader || !isLearner, "server \(id) leads and follows")
  }
}
