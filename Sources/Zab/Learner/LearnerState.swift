internal import ZooKeeperProtocol

/// The state of a server while it follows or observes a leader, or tries to.
struct LearnerState: Equatable, Sendable {
  /// What the learner waits for next.
  enum Phase: Equatable, Sendable {
    case connecting
    /// It has reported its accepted epoch, and waits for LEADERINFO.
    case awaitingEpoch
    case savingAcceptedEpoch
    /// It has promised to follow the epoch, and waits for DIFF, TRUNC or SNAP.
    case awaitingSync
    /// The log is being truncated, or a snapshot is being read.
    case replacing
    /// The leader sends the transactions that the learner lacks.
    case synchronizing
    /// NEWLEADER has arrived: the history is being made durable, and after it the epoch.
    case persistingHistory
    case savingCurrentEpoch
    /// It has acknowledged NEWLEADER, and waits until a quorum has.
    case awaitingUpToDate
    case running
  }

  let leaderID: ServerID
  var phase = Phase.connecting
  /// The observer master that it is connected to, or tries to be, in the leader's place.
  var master: ServerID?
  /// The number of observer masters that could not be reached, or did not take this server.
  var failedMasters = 0
  var connection: ConnectionID?
  /// The number of connection attempts that failed.
  var failedCalls = 0
  /// When to connect again; nil when no attempt is due.
  var nextCall: Int64?
  /// When the leader is considered lost if no packet arrives before.
  var deadline: Int64
  var epoch = Epoch.zero
  /// Packets that are handled once the log is truncated or the snapshot is installed.
  var held: [QuorumPacket] = []
  /// The history up to here is the leader's, and committed once the leader is established.
  var syncedThrough = Zxid.zero
  /// The end of the history when NEWLEADER arrived.
  var newLeaderZxid = Zxid.zero
  /// The configuration that came with NEWLEADER, if it is newer than this server's.
  var configuration: QuorumConfiguration?
  /// The last transaction for which this follower has sent ACK.
  var acknowledged = Zxid.zero
  /// On an observer master, the observers that are connected.
  var observers: [LearnerHandle] = []

  var nextDeadline: Int64 { min(deadline, nextCall ?? .max) }
}

extension ZabPeer {
  /// Identifies this server to the leader, and reports the epoch that it has accepted.
  mutating func onLeaderConnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .connecting else { return actions.append(.close(connection)) }
    learner?.connection = connection
    learner?.phase = .awaitingEpoch
    let info = LearnerInfo(serverID: id, configurationVersion: configuration.version)
    let kind: QuorumPacket.Kind = if case .observing = role { .observerInfo } else { .followerInfo }
    actions.append(.send(QuorumPacket(kind, zxid: acceptedEpoch.newLeaderZxid, data: info.encoded), connection))
  }

  /// Schedules another connection attempt: the leader may not have noticed yet that it was elected.
  mutating func onLeaderUnreachable(_ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .connecting else { return }
    if leaveObserverMaster(&actions) { return }
    learner?.failedCalls += 1
    if state.failedCalls + 1 >= settings.leaderRetryCount {
      actions.append(.note(.leaderUnreachable(state.leaderID)))
      return startLooking(&actions)
    }
    learner?.nextCall = now + settings.leaderRetryMilliseconds
  }

  /// Handles an expired deadline of the learner: the leader is silent, or a connection attempt is due.
  mutating func onLearnerTick(_ actions: inout [ZabAction]) {
    guard let state = learner else { return }
    if now >= state.deadline {
      actions.append(.note(.leaderSilent(state.leaderID)))
      return startLooking(&actions)
    }
    guard let call = state.nextCall, now >= call else { return }
    learner?.nextCall = nil
    callLeader(&actions)
  }

  /// Abandons a leader that violates the protocol, and starts an election.
  mutating func leave(_ fault: LeaderFault, _ actions: inout [ZabAction]) {
    actions.append(.note(.leavesLeader(fault)))
    startLooking(&actions)
  }

  /// Handles a packet from the leader, as the phase requires.
  mutating func onLeaderPacket(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let phase = learner?.phase else { return }
    learner?.deadline = now + (phase == .running ? settings.syncMilliseconds : settings.initMilliseconds)
    switch phase {
    case .connecting, .savingAcceptedEpoch: leave(.packetTooEarly(type: packet.type), &actions)
    case .awaitingEpoch: onLeaderInfo(packet, connection, &actions)
    case .awaitingSync: onSyncStart(packet, connection, &actions)
    case .replacing: learner?.held.append(packet)
    case .synchronizing, .persistingHistory, .savingCurrentEpoch, .awaitingUpToDate:
      onSyncPacket(packet, connection, &actions)
    case .running: onBroadcast(packet, connection, &actions)
    }
  }
}
