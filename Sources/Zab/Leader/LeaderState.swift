internal import ZooKeeperProtocol

/// What a server knows as long as it leads, or tries to.
struct LeaderState: Equatable, Sendable {
  /// How far the epoch has come.
  enum Phase: Equatable, Sendable {
    /// Learners come and say which epochs they have accepted.
    case awaitingLearners
    /// The epoch is chosen and being saved.
    case savingAcceptedEpoch
    /// Learners promise to follow it.
    case awaitingEpochAcks
    /// A quorum has promised; what this server was elected with is not all durable yet.
    case persistingHistory
    /// The epoch is being saved.
    case savingCurrentEpoch
    /// Learners are brought to the leader's history.
    case synchronizing
    /// A quorum has it.
    case broadcasting
  }

  var phase = Phase.awaitingLearners
  /// The epoch to be proposed; final once `phase` has gone on.
  var epoch: Epoch
  /// The epoch and the end of the history with which the server was elected.
  let initialEpoch: Epoch
  let initialZxid: Zxid
  /// When it gives up, if no quorum has the history by then.
  var deadline: Int64
  var nextPing: Int64
  /// Pings since the last look at the quorum, which comes with every other.
  var hasPingedOnce = false
  /// Voters that have told their accepted epoch.
  var connecting: Set<ServerID> = []
  /// Voters that have promised to follow the epoch.
  var epochAcks: Set<ServerID> = []
  /// Voters that have the leader's initial history, durably.
  var newLeaderAcks: Set<ServerID> = []
  /// In the order in which they came.
  var learners: [LearnerHandle] = []
  /// How much of the history each voter has acknowledged in this epoch.
  var acknowledged = Acknowledgements()
  /// When a voter last said that it looks for a leader.
  var lookingVoters: [ServerID: Int64] = [:]
  /// How far the syncs that wait for a quorum's confirmation have been answered.
  var confirmation = LeadershipConfirmation()
  /// The last transaction of this epoch that was proposed; its beginning before the first.
  var lastProposed = Zxid.zero

  var nextDeadline: Int64 { phase == .broadcasting ? nextPing : min(nextPing, deadline) }
}

/// How much of the history each voter has, durably, as far as its leader knows.
///
/// They are few, and asked for with every transaction: looking through them takes less than a dictionary.
struct Acknowledgements: Equatable, Sendable {
  private struct Entry: Equatable, Sendable {
    let server: ServerID
    var zxid: Zxid
  }

  private var entries: [Entry] = []

  /// The most that any server has; zero before the first.
  var newest: Zxid { entries.map(\.zxid).max() ?? .zero }

  /// What a server has; zero while it has acknowledged nothing.
  subscript(server: ServerID) -> Zxid { entries.first { $0.server == server }?.zxid ?? .zero }

  /// A server has everything up to `zxid`.
  mutating func note(_ zxid: Zxid, from server: ServerID) {
    guard let index = entries.firstIndex(where: { $0.server == server }) else {
      return entries.append(Entry(server: server, zxid: zxid))
    }
    entries[index].zxid = max(entries[index].zxid, zxid)
  }

  /// Nothing that a server has said counts any more.
  mutating func forget(_ server: ServerID) { entries.removeAll { $0.server == server } }
}

/// A learner as its leader sees it.
struct LearnerHandle: Equatable, Sendable {
  /// How far it has come.
  enum Phase: Equatable, Sendable {
    case awaitingInfo
    /// It has told its accepted epoch and waits for the new one.
    case awaitingEpoch
    case awaitingEpochAck
    /// It has promised to follow, and waits until a quorum has.
    case awaitingSync
    /// It is being sent what it lacks, and then NEWLEADER.
    case synchronizing
    /// It has the history, and waits until a quorum has.
    case awaitingQuorum
    case running
  }

  /// A newcomer's claim to be a server that is connected already.
  struct Contest: Equatable, Sendable {
    let packet: QuorumPacket
    let id: ServerID
    /// Until when the older connection may show that it is alive.
    let deadline: Int64
  }

  let connection: ConnectionID
  var id = ServerID.none
  var isObserver = false
  var phase = Phase.awaitingInfo
  /// The end of its history, as it says.
  var lastZxid = Zxid.zero
  /// When it counts as lost, if nothing is heard by then.
  var deadline: Int64
  /// What a newcomer has said that calls itself a server which is connected already, see `contest`.
  var contest: Contest?
  /// PINGs sent and answered since the learner is running. Learners do not answer those that come earlier.
  var pingsSent: UInt64 = 0
  var pingsAnswered: UInt64 = 0
  /// How many PINGs it must have answered to confirm that it follows, see `LeadershipConfirmation`.
  var confirmingPing = UInt64.max

  /// Whether it is sent what is proposed and committed.
  var isForwarding: Bool { phase == .synchronizing || phase == .awaitingQuorum || phase == .running }
}

extension ZabPeer {
  /// Changes a learner's handle; nothing if it is gone.
  mutating func update(_ connection: ConnectionID, _ change: (inout LearnerHandle) -> Void) {
    guard let index = leader?.learners.firstIndex(where: { $0.connection == connection }) else { return }
    change(&leader!.learners[index])
  }

  /// A learner's handle.
  func handle(_ connection: ConnectionID) -> LearnerHandle? {
    leader?.learners.first { $0.connection == connection }
  }

  /// Somebody has called.
  mutating func onLearnerConnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard isLeader else { return actions.append(.close(connection)) }
    let patience = settings.initMilliseconds + settings.syncMilliseconds
    leader?.learners.append(LearnerHandle(connection: connection, deadline: now + patience))
  }

  /// Ends a learner's connection from this side.
  mutating func dismiss(_ connection: ConnectionID, _ fault: LearnerFault, _ actions: inout [ZabAction]) {
    actions.append(.note(.closesLearner(fault)))
    actions.append(.close(connection))
    removeLearner(connection, &actions)
  }

  /// Forgets a learner. What it has acknowledged it has, but it is asked again when it comes back.
  mutating func removeLearner(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    leader?.learners.removeAll { $0.connection == connection }
    settleContests(&actions)
  }

  /// A packet from a learner.
  mutating func onLearnerPacket(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let handle = handle(connection) else { return }
    // A newcomer in a contest has nothing to say until that is settled.
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
      // Other packets are passed over, as Apache's leaders do; so are pings of one that is not up to date.
      break
    }
  }

  /// The leader's time has come.
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

  /// Whether this leader and the learners it hears from are a quorum.
  private var hasSyncedQuorum: Bool {
    if settings.mayLeadWithoutQuorum { return true }
    let heard = Set((leader?.learners ?? []).lazy.filter(\.isForwarding).map(\.id))
    return isQuorum { $0 == id || heard.contains($0) }
  }
}
