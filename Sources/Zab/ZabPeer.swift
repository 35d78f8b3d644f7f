package import ZooKeeperProtocol

/// One member of an ensemble, as far as agreement is concerned: whom it follows or leads, what is in its history, and
/// what of that is committed.
///
/// Events go in through `step`, actions come out, in an order that the driver keeps: what changes durable state comes
/// before what reveals it, and whatever promises something waits for the event that says it is durable.
///
/// The history is one sequence: what was delivered, what is committed, what is logged. A transaction is delivered once
/// it is committed; a learner also waits until it is durable here. So a leader's order to forget the rest changes no
/// tree, unless the server was restarted since and has read its whole log.
///
/// *Source*: Junqueira, Reed, Serafini, "Zab" (DSN 2011); `QuorumProtocol` A and B.
package struct ZabPeer: Equatable, Sendable {
  package let id: ServerID
  package let settings: ZabSettings
  /// Who belongs to the ensemble.
  package internal(set) var configuration: QuorumConfiguration
  /// The epoch that this server has promised to follow at least; durable.
  package internal(set) var acceptedEpoch: Epoch
  /// The epoch of the leader whose history this server has; durable.
  package internal(set) var currentEpoch: Epoch
  package internal(set) var history: TxnHistory
  /// The configuration that is proposed, if one is.
  var pending: PendingConfiguration?
  /// The history up to here is durable.
  package internal(set) var persisted: Zxid
  /// The history up to here is committed, as far as this server knows.
  package internal(set) var committed: Zxid
  /// The history up to here was delivered, or read from disk at the start.
  package internal(set) var delivered: Zxid
  package internal(set) var role = ZabRole.looking
  package internal(set) var isServing = false
  var election = FastLeaderElection()
  var leader: LeaderState?
  var learner: LearnerState?
  /// The highest epoch that another voter is known to have accepted: the next one must be above it.
  var epochFloor = Epoch.zero
  /// The epoch in which this server asks for a snapshot because it could not truncate.
  var snapshotNeededIn: Epoch?
  var now: Int64 = 0

  /// A member that has just read its disk.
  ///
  /// - Parameters:
  ///   - configuration: the one that is known to be committed.
  ///   - proposed: the one that a later transaction of the log brings, of which that is not known.
  ///   - history: the end of the log; all of it is in the tree.
  package init(
    id: ServerID, configuration: QuorumConfiguration, proposed: QuorumConfiguration? = nil, settings: ZabSettings,
    acceptedEpoch: Epoch, currentEpoch: Epoch, history: TxnHistory
  ) {
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
  }

  /// Takes an event in.
  ///
  /// - Parameters:
  ///   - now: the monotonic clock, in milliseconds.
  ///   - actions: what is to be done is added here.
  package mutating func step(_ event: ZabEvent, now: Int64, into actions: inout [ZabAction]) {
    self.now = max(self.now, now)
    switch event {
    case .started: startLooking(&actions)
    case .tick: onTick(&actions)
    case .notification(let notification, let sender): onNotification(notification, from: sender, &actions)
    case .learnerConnected(let connection): onLearnerConnected(connection, &actions)
    case .leaderConnected(let connection): onLeaderConnected(connection, &actions)
    case .leaderUnreachable: onLeaderUnreachable(&actions)
    case .disconnected(let connection): onDisconnected(connection, &actions)
    case .received(let packet, let connection): onPacket(packet, connection, &actions)
    case .proposed(let entry): onProposed(entry, &actions)
    case .persisted(let zxid): onPersisted(through: zxid, &actions)
    case .acceptedEpochSaved(let epoch): onAcceptedEpochSaved(epoch, &actions)
    case .currentEpochSaved(let epoch): onCurrentEpochSaved(epoch, &actions)
    case .leadershipQuestioned: onLeadershipQuestioned(&actions)
    case .truncated(let zxid): onTruncated(zxid, &actions)
    case .truncationFailed: onTruncationFailed(&actions)
    case .snapshotInstalled(let zxid, let configured): onSnapshotInstalled(zxid, configured, &actions)
    }
    checkInvariants()
  }

  /// When `tick` is due next, on the monotonic clock in milliseconds.
  package var nextDeadline: Int64 {
    switch role {
    case .looking: election.nextDeadline
    case .leading: leader?.nextDeadline ?? .max
    case .following, .observing: learner?.nextDeadline ?? .max
    }
  }

  // Comparing these with nil would copy all that they have.

  /// Whether this server leads, or tries to.
  var isLeader: Bool { if case .some = leader { true } else { false } }

  /// Whether this server follows or observes a leader, or tries to.
  var isLearner: Bool { if case .some = learner { true } else { false } }

  /// Whether this server has a vote.
  package var isVoter: Bool { votes(id) }

  /// The epoch of the leader that this server is or serves behind; nil while it does not serve.
  package var servingEpoch: Epoch? {
    guard isServing else { return nil }
    return leader?.epoch ?? learner?.epoch
  }

  /// The connection to the leader; nil when there is none.
  package var leaderConnection: ConnectionID? { learner?.connection }

  /// The end of the history when NEWLEADER came; nothing before that.
  package var newLeaderZxid: Zxid { learner?.newLeaderZxid ?? .zero }

  /// The connections of all learners.
  package var learnerConnections: [ConnectionID] { (leader?.learners ?? []).map(\.connection) }

  /// The connections on which a learner has said that it is `server`.
  package func connections(of server: ServerID) -> [ConnectionID] {
    (leader?.learners ?? []).filter { $0.id == server }.map(\.connection)
  }

  /// The learners that are connected to this leader, up to date or not.
  package var learnerCount: Int { leader?.learners.count ?? 0 }

  /// Learners by id that the leader has brought up to date, observers apart: `mntr`.
  package var syncedLearners: (followers: [ServerID], observers: [ServerID]) {
    let running = (leader?.learners ?? []).filter { $0.phase == .running }
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
    }
  }

  private mutating func onDisconnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    if isLeader {
      removeLearner(connection, &actions)
    } else if learner?.connection == connection {
      actions.append(.note(.lostLeader))
      startLooking(&actions)
    }
  }

  /// Adds a transaction to the history and to the log.
  mutating func append(_ entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    history.append(entry)
    noteConfiguration(in: entry, &actions)
    history.trim(count: settings.historyCount, bytes: settings.historyBytes, notAfter: delivered)
    actions.append(.append(entry))
  }

  /// Delivers what is committed.
  ///
  /// A leader does not wait for its own disk, which may be the slowest of all: what it has told anybody to be committed
  /// is in its own tree before that leaves, as on Apache's leaders. Otherwise a client of the leader could read, even
  /// behind a sync, what another client has seen replaced. A quorum of others has such a transaction on disk, so
  /// nothing that comes of it, a snapshot included, can turn out to be wrong; but see `persisted` for what a snapshot
  /// waits for. A learner's clients lose nothing by waiting, as its syncs are answered with what it has delivered.
  mutating func deliver(_ actions: inout [ZabAction]) {
    let waitsForDisk = !isLeader || settings.leaderWaitsForItsOwnDisk
    let end = waitsForDisk ? min(committed, persisted) : committed
    guard end > delivered else { return }
    for entry in history.entries(after: delivered, through: end) { actions.append(.deliver(entry)) }
    delivered = end
  }

  /// Rules that hold between any two events.
  func checkInvariants() {
    precondition(currentEpoch <= acceptedEpoch, "current epoch \(currentEpoch) is after accepted \(acceptedEpoch)")
    precondition(persisted <= history.last, "persisted \(persisted) is after the end \(history.last)")
    precondition(delivered <= history.last, "delivered \(delivered) is after the end \(history.last)")
    precondition(!isLeader || !isLearner, "server \(id) leads and follows")
  }
}
