internal import ZooKeeperProtocol

/// NEWLEADER: the learner has the leader's history. It acknowledges that once the history is durable, and after it the
/// epoch.
///
/// *Source*: Zab paper, phase 2; `QuorumProtocol` B.7.
extension ZabPeer {
  /// Waits until the history is durable.
  mutating func onNewLeader(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .synchronizing, packet.zxid == state.epoch.newLeaderZxid else {
      return leave(.unexpectedNewLeader(packet.zxid), &actions)
    }
    // NEWLEADER contains the leader's configuration, because its transaction may be part of a snapshot only.
    if let text = packet.data, text.count > 1 {
      do throws(QuorumConfigurationError) {
        let told = try QuorumConfiguration(parsing: String(decoding: text, as: UTF8.self))
        if told.version > configuration.version, !told.voters.isEmpty { learner?.configuration = told }
      } catch {
        return leave(.unreadableConfiguration(error.message), &actions)
      }
    }
    learner?.phase = .persistingHistory
    learner?.newLeaderZxid = history.last
    onLearnerPersisted(&actions)
  }

  /// Acknowledges NEWLEADER: the history is durable, and so is the epoch.
  mutating func acknowledgeNewLeader(_ actions: inout [ZabAction]) {
    guard let state = learner, let connection = state.connection else { return }
    learner?.phase = .awaitingUpToDate
    learner?.acknowledged = state.syncedThrough
    actions.append(.send(QuorumPacket(.ack, zxid: state.epoch.newLeaderZxid), connection))
    acknowledgePersisted(&actions)
  }

  /// UPTODATE: a quorum has the leader's history, so everything in it is committed, and clients are served.
  mutating func onUpToDate(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .awaitingUpToDate else {
      return leave(.prematureUpToDate, &actions)
    }
    committed = max(committed, state.syncedThrough)
    deliver(&actions)
    learner?.phase = .running
    learner?.deadline = now + settings.syncMilliseconds
    // Apache's learners acknowledge NEWLEADER a second time here, and leaders of either kind ignore it.
    actions.append(.send(QuorumPacket(.ack, zxid: state.epoch.newLeaderZxid), connection))
    if let told = state.configuration {
      if let change = pending, change.configuration.version <= told.version { pending = nil }
      put(told, &actions)
    }
    startServing(state.epoch, &actions)
    activateOnLearner(through: committed, designated: nil, &actions)
    restartIfRoleChanged(&actions)
  }
}
