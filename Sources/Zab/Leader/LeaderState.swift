internal import ZooKeeperProtocol

/// The state of a server while it leads, or tries to.
struct LeaderState: Equatable, Sendable {
  /// How far the leader has come in establishing its epoch.
  enum Phase: Equatable, Sendable {
    /// Learners connect, and report which epochs they have accepted.
    case awaitingLearners
    /// The epoch is chosen, and being saved as the accepted one.
    case savingAcceptedEpoch
    /// Learners promise to follow the epoch.
    case awaitingEpochAcks
    /// A quorum has promised. The history with which this server was elected is not entirely durable yet.
    case persistingHistory
    /// The epoch is being saved as the current one.
    case savingCurrentEpoch
    /// Learners are brought up to date with the leader's history.
    case synchronizing
    /// A quorum has the history: the epoch is established, and transactions are proposed.
    case broadcasting
  }

  var phase = Phase.awaitingLearners
  /// The epoch to be proposed; final once `phase` is no longer `awaitingLearners`.
  var epoch: Epoch
  /// The epoch and the end of the history with which the server was elected.
  let initialEpoch: Epoch
  let initialZxid: Zxid
  /// When it gives up if no quorum has the history before.
  var deadline: Int64
  var nextPing: Int64
  /// Toggled by each ping: the leader checks that it has a quorum at every second one.
  var hasPingedOnce = false
  /// Voters that have reported their accepted epoch.
  var connecting: Set<ServerID> = []
  /// Voters that have promised to follow the epoch.
  var epochAcks: Set<ServerID> = []
  /// Voters that have the leader's initial history on disk.
  var newLeaderAcks: Set<ServerID> = []
  /// The connected learners, in the order in which they connected.
  var learners: [LearnerHandle] = []
  /// How much of the history each voter has acknowledged in this epoch.
  var acknowledged = Acknowledgements()
  /// When a voter last sent a notification that it is looking for a leader.
  var lookingVoters: [ServerID: Int64] = [:]
  /// How far the syncs that wait for a quorum's confirmation have been answered.
  var confirmation = LeadershipConfirmation()
  /// The last transaction that was proposed in this epoch; before the first one, the beginning of the epoch.
  var lastProposed = Zxid.zero

  var nextDeadline: Int64 { phase == .broadcasting ? nextPing : min(nextPing, deadline) }
}

/// How much of the history each voter has on disk, as far as the leader knows.
///
/// An array instead of a dictionary: there are few voters, and they are looked up for every transaction.
struct Acknowledgements: Equatable, Sendable {
  private struct Entry: Equatable, Sendable {
    let server: ServerID
    var zxid: Zxid
  }

  private var entries: [Entry] = []

  /// The newest transaction that any server has acknowledged; zero if there is none.
  var newest: Zxid { entries.map(\.zxid).max() ?? .zero }

  /// The last transaction that a server has acknowledged; zero if there is none.
  subscript(server: ServerID) -> Zxid { entries.first { $0.server == server }?.zxid ?? .zero }

  /// Records that a server has everything up to `zxid`.
  mutating func note(_ zxid: Zxid, from server: ServerID) {
    guard let index = entries.firstIndex(where: { $0.server == server }) else {
      return entries.append(Entry(server: server, zxid: zxid))
    }
    entries[index].zxid = max(entries[index].zxid, zxid)
  }

  /// Discards the acknowledgements of a server, whose history may be truncated now.
  mutating func forget(_ server: ServerID) { entries.removeAll { $0.server == server } }
}

/// What a leader, or an observer master, knows of one learner's connection.
struct LearnerHandle: Equatable, Sendable {
  /// What the leader waits for next on this connection.
  enum Phase: Equatable, Sendable {
    case awaitingInfo
    /// It has reported its accepted epoch, and waits for the new one.
    case awaitingEpoch
    case awaitingEpochAck
    /// It has promised to follow the epoch, and waits until a quorum has and the epoch is saved.
    case awaitingSync
    /// It lacks more than is in memory, and the log on disk is examined for the rest.
    case awaitingLog
    /// It was sent what it lacks and NEWLEADER, and has not acknowledged that yet.
    case synchronizing
    /// It has acknowledged NEWLEADER, and waits until a quorum has.
    case awaitingQuorum
    case running
  }

  /// The claim of a new connection to be a server that is connected already.
  struct Contest: Equatable, Sendable {
    let packet: QuorumPacket
    let id: ServerID
    /// Until when the older connection can show that it is alive.
    let deadline: Int64
  }

  let connection: ConnectionID
  var id = ServerID.none
  var isObserver = false
  var phase = Phase.awaitingInfo
  /// The end of its history, as reported by ACKEPOCH.
  var lastZxid = Zxid.zero
  /// The last transaction that it has acknowledged before NEWLEADER, which counts from then on.
  var earlyAck: Zxid?
  /// When the learner is considered lost if no packet arrives before.
  var deadline: Int64
  /// Set while this connection waits because it claims to be a server that is connected already; see `contest`.
  var contest: Contest?
  /// PINGs sent and answered since the learner is running. Learners do not answer those that were sent earlier.
  var pingsSent: UInt64 = 0
  var pingsAnswered: UInt64 = 0
  /// How many PINGs it must have answered to confirm that it follows, see `LeadershipConfirmation`.
  var confirmingPing = UInt64.max

  /// Whether it is sent what is proposed and committed.
  var isForwarding: Bool { phase == .synchronizing || phase == .awaitingQuorum || phase == .running }
}

extension ZabPeer {
  /// Changes a learner's handle. Does nothing if the learner is no longer connected.
  mutating func update(_ connection: ConnectionID, _ change: (inout LearnerHandle) -> Void) {
    if let index = leader?.learners.firstIndex(where: { $0.connection == connection }) {
      change(&leader!.learners[index])
    } else if let index = learner?.observers.firstIndex(where: { $0.connection == connection }) {
      change(&learner!.observers[index])
    }
  }

  /// The handle of a connection; nil if it has ended.
  func handle(_ connection: ConnectionID) -> LearnerHandle? {
    leader?.learners.first { $0.connection == connection }
      ?? learner?.observers.first { $0.connection == connection }
  }

  /// Adds a learner that has opened a connection; a server that does not lead closes it.
  mutating func onLearnerConnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard isLeader else { return actions.append(.close(connection)) }
    let patience = settings.initMilliseconds + settings.syncMilliseconds
    leader?.learners.append(LearnerHandle(connection: connection, deadline: now + patience))
  }

  /// Closes the connection of a learner that has violated the protocol or is superseded.
  mutating func dismiss(_ connection: ConnectionID, _ fault: LearnerFault, _ actions: inout [ZabAction]) {
    actions.append(.note(.closesLearner(fault)))
    actions.append(.close(connection))
    removeLearner(connection, &actions)
  }

  /// Removes a learner. What it has acknowledged still counts, until it connects again and is synchronized.
  mutating func removeLearner(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    leader?.learners.removeAll { $0.connection == connection }
    learner?.observers.removeAll { $0.connection == connection }
    settleContests(&actions)
  }

  /// Handles a packet from a learner, as its phase requires.
  mutating func onLearnerPacket(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let handle = handle(connection) else { return }
    // A learner sends nothing between FOLLOWERINFO and LEADERINFO, which this connection has not been sent yet.
    guard handle.contest == nil else { return dismiss(connection, .impatientNewcomer, &actions) }
    if handle.phase != .running { refuseContender(of: handle, &actions) }
    let deadline = now + settings.syncMilliseconds
    if handle.phase == .running { update(connection) { $0.deadline = deadline } }
    switch (handle.phase, packet.kind) {
    case (.awaitingInfo, .followerInfo?), (.awaitingInfo, .observerInfo?):
      onLearnerInfo(packet, connection, &actions)
    case (.awaitingEpochAck, .ackEpoch?): onAckEpoch(packet, handle, &actions)
    case (.synchronizing, .ack?): onNewLeaderAck(packet, handle, &actions)
    case (.awaitingQuorum, .ack?), (.running, .ack?): onAck(packet.zxid, from: handle.id, &actions)
    case (.running, .request?), (.running, .revalidate?):
      actions.append(.learnerRequest(packet, handle.id, connection))
    case (.running, .ping?):
      actions.append(.learnerRequest(packet, handle.id, connection))
      onPingAnswered(connection, &actions)
      refuseContender(of: handle, &actions)
    case (.awaitingInfo, _), (.awaitingEpochAck, _):
      dismiss(connection, .packetTooEarly(handle.id, type: packet.type), &actions)
    default:
      // Other packets are ignored, as by Apache's leaders; so are pings of a learner that is not up to date.
      break
    }
  }

  /// Handles an expired deadline of the leader: gives up without a quorum, closes silent learners, sends PING to
  /// others.
  mutating func onLeaderTick(_ actions: inout [ZabAction]) {
    guard let state = leader else { return }
    if state.phase != .broadcasting, now >= state.deadline {
      actions.append(.note(.noQuorumInTime))
      return startLooking(&actions)
    }
    guard now >= state.nextPing else { return }
    leader?.nextPing = now + settings.tickMilliseconds / 2
    for handle in state.learners where now >= handle.deadline {
      dismiss(handle.connection, .silent(handle.id), &actions)
    }
    settleContests(&actions)
    leader?.hasPingedOnce.toggle()
    if state.phase == .broadcasting, state.hasPingedOnce, !hasSyncedQuorum {
      actions.append(.note(.lostQuorum))
      return startLooking(&actions)
    }
    for handle in leader?.learners ?? [] where handle.isForwarding { ping(handle, &actions) }
  }

  /// Whether this leader and the synchronized learners it hears from are a quorum.
  private var hasSyncedQuorum: Bool {
    if settings.mayLeadWithoutQuorum { return true }
    let heard = Set((leader?.learners ?? []).lazy.filter(\.isForwarding).map(\.id))
    return isQuorum { $0 == id || heard.contains($0) }
  }
}
