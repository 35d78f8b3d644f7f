internal import ZooKeeperProtocol

/// What a member may promise once more of its history is durable. Nothing is acknowledged anywhere else on account of
/// what is on this server's disk.
extension ZabPeer {
  /// The log is synced up to a transaction.
  mutating func onPersisted(through zxid: Zxid, _ actions: inout [ZabAction]) {
    // A place, not just a number: what was truncated meanwhile is not there any more.
    persisted = max(persisted, min(zxid, history.last))
    if isLeader {
      onLeaderPersisted(&actions)
    } else if isLearner {
      onLearnerPersisted(&actions)
    }
  }

  /// The same on a leader: its own vote counts like any other.
  mutating func onLeaderPersisted(_ actions: inout [ZabAction]) {
    switch leader?.phase {
    case .persistingHistory?: takeEpoch(&actions)
    case .synchronizing?:
      // The epoch was saved before this phase began.
      guard persisted == history.last else { return }
      leader?.newLeaderAcks.insert(id)
      establish(&actions)
    case .broadcasting?:
      leader?.acknowledged.note(persisted, from: id)
      advanceCommit(&actions)
      deliver(&actions)
    default: break
    }
  }

  /// The same on a learner: first it acknowledges the history as a whole, then each transaction.
  mutating func onLearnerPersisted(_ actions: inout [ZabAction]) {
    guard let phase = learner?.phase else { return }
    switch phase {
    case .persistingHistory:
      guard let state = learner else { return }
      guard persisted >= state.newLeaderZxid || settings.mayAcknowledgeNewLeaderBeforePersisted else { return }
      learner?.phase = .savingCurrentEpoch
      guard state.epoch > currentEpoch else { return acknowledgeNewLeader(&actions) }
      if settings.mayAcknowledgeNewLeaderBeforeEpoch {
        currentEpoch = state.epoch
        acknowledgeNewLeader(&actions)
      }
      actions.append(.saveCurrentEpoch(state.epoch))
    case .awaitingUpToDate, .running:
      acknowledgePersisted(&actions)
      deliver(&actions)
    default: break
    }
  }

  /// Sends an ACK for each transaction that has become durable, in order.
  mutating func acknowledgePersisted(_ actions: inout [ZabAction]) {
    guard let connection = learner?.connection, let acknowledged = learner?.acknowledged, case .following = role,
      persisted > acknowledged
    else { return }
    for entry in history.entries(after: acknowledged, through: persisted) {
      actions.append(.send(QuorumPacket(.ack, zxid: entry.zxid), connection))
    }
    learner?.acknowledged = persisted
  }
}
