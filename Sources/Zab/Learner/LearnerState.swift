internal import ZooKeeperProtocol

/// What a server knows as long as it follows or observes a leader, or tries to.
struct LearnerState: Equatable, Sendable {
  /// How far it has come.
  enum Phase: Equatable, Sendable {
    case connecting
    /// It has told its accepted epoch.
    case awaitingEpoch
    case savingAcceptedEpoch
    /// It has promised to follow.
    case awaitingSync
    /// The log is being cut, or a snapshot read.
    case replacing
    /// Transactions come that the leader has and it lacks.
    case synchronizing
    /// NEWLEADER has come: the history is being made durable, then the epoch.
    case persistingHistory
    case savingCurrentEpoch
    /// The leader knows that it has the history.
    case awaitingUpToDate
    case running
  }

  let leaderID: ServerID
  var phase = Phase.connecting
  var connection: ConnectionID?
  /// Calls that were not taken.
  var failedCalls = 0
  /// When to call again.
  var nextCall: Int64?
  /// When the leader counts as lost, if nothing is heard by then.
  var deadline: Int64
  var epoch = Epoch.zero
  /// Packets that wait until the log is cut or the snapshot is there.
  var held: [QuorumPacket] = []
  /// The history up to here is the leader's, and committed once the leader is established.
  var syncedThrough = Zxid.zero
  /// The end of the history when NEWLEADER came.
  var newLeaderZxid = Zxid.zero
  /// The configuration that came with NEWLEADER, if it is newer than this server's.
  var configuration: QuorumConfiguration?
  /// What this follower has acknowledged one by one.
  var acknowledged = Zxid.zero

  var nextDeadline: Int64 { min(deadline, nextCall ?? .max) }
}

extension ZabPeer {
  /// The leader's port took the call: says who comes, and what it has accepted.
  mutating func onLeaderConnected(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .connecting else { return actions.append(.close(connection)) }
    learner?.connection = connection
    learner?.phase = .awaitingEpoch
    let info = LearnerInfo(serverID: id, configurationVersion: configuration.version)
    let kind: QuorumPacket.Kind = if case .observing = role { .observerInfo } else { .followerInfo }
    actions.append(.send(QuorumPacket(kind, zxid: acceptedEpoch.newLeaderZxid, data: info.encoded), connection))
  }

  /// The leader's port did not take the call: it may not know yet that it leads.
  mutating func onLeaderUnreachable(_ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .connecting else { return }
    learner?.failedCalls += 1
    if state.failedCalls + 1 >= settings.leaderRetryCount {
      actions.append(.note(.leaderUnreachable(state.leaderID)))
      return startLooking(&actions)
    }
    learner?.nextCall = now + settings.leaderRetryMilliseconds
  }

  /// The learner's time has come.
  mutating func onLearnerTick(_ actions: inout [ZabAction]) {
    guard let state = learner else { return }
    if now >= state.deadline {
      actions.append(.note(.leaderSilent(state.leaderID)))
      return startLooking(&actions)
    }
    guard let call = state.nextCall, now >= call else { return }
    learner?.nextCall = nil
    actions.append(.connectToLeader(state.leaderID))
  }

  /// The leader does what it must not: it is left.
  mutating func leave(_ fault: LeaderFault, _ actions: inout [ZabAction]) {
    actions.append(.note(.leavesLeader(fault)))
    startLooking(&actions)
  }

  /// A packet from the leader.
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
