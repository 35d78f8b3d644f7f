internal import ZooKeeperProtocol

/// NEWLEADER: the learner has the leader's history, and says so once that is durable, and then the epoch.
///
/// *Source*: Zab paper, phase 2; `QuorumProtocol` B.7.
extension ZabPeer {
  /// Waits until the history is durable.
  mutating func onNewLeader(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .synchronizing, packet.zxid == state.epoch.newLeaderZxid else {
      return leave(.unexpectedNewLeader(packet.zxid), &actions)
    }
    // The leader's configuration comes with it: a transaction that brought it may be in a snapshot only.
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

  /// The history is durable, and so is the epoch.
  mutating func acknowledgeNewLeader(_ actions: inout [ZabAction]) {
    guard let state = learner, let connection = state.connection else { return }
    learner?.phase = .awaitingUpToDate
    learner?.acknowledged = state.syncedThrough
    actions.append(.send(QuorumPacket(.ack, zxid: state.epoch.newLeaderZxid), connection))
    acknowledgePersisted(&actions)
  }

  /// A quorum has the leader's history: everything in it is committed, and clients may come.
  mutating func onUpToDate(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .awaitingUpToDate else {
      return leave(.prematureUpToDate, &actions)
    }
    committed = max(committed, state.syncedThrough)
    deliver(&actions)
    learner?.phase = .running
    learner?.deadline = now + settings.syncMilliseconds
    // Apache's learners acknowledge twice, and its leaders know.
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
