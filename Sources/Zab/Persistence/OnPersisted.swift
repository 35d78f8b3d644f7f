internal import ZooKeeperProtocol

/// What a member may acknowledge once more of its history is durable. No other file acknowledges anything because it is
/// on this server's disk.
extension ZabPeer {
  /// Records that the log is synced up to a transaction, and does what that permits in the current role.
  mutating func onPersisted(through zxid: Zxid, _ actions: inout [ZabAction]) {
    // The report may be for transactions that were truncated meanwhile.
    persisted = max(persisted, min(zxid, history.last))
    if isLeader {
      onLeaderPersisted(&actions)
    } else if isLearner {
      onLearnerPersisted(&actions)
    }
  }

  /// On a leader, its own acknowledgement counts like that of any other voter.
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

  /// A learner first acknowledges the history as a whole, and after that each transaction.
  mutating func onLearnerPersisted(_ actions: inout [ZabAction]) {
    guard let phase = learner?.phase else { return }
    switch phase {
    case .synchronizing: catchUp(&actions)
    case .persistingHistory:
      catchUp(&actions)
      guard let state = learner else { return }
      guard persisted >= state.newLeaderZxid || settings.mayAcknowledgeNewLeaderBeforePersisted else { return }
      learner?.phase = .savingCurrentEpoch
      guard state.epoch > currentEpoch else { return acknowledgeNewLeader(&actions) }
      if settings.mayAcknowledgeNewLeaderBeforeEpoch {
        currentEpoch = state.epoch
        acknowledgeNewLeader(&actions)
      }
      actions.append(.saveCurrentEpoch(state.epoch))
    case .awaitingUpToDate:
      acknowledgePersisted(&actions)
      catchUp(&actions)
    case .running:
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
