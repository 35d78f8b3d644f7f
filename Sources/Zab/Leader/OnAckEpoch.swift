internal import ZooKeeperProtocol

/// ACKEPOCH: a learner has promised to follow, and tells what it has.
///
/// *Source*: `Leader.waitForEpochAck`; `QuorumProtocol` B.3.
extension ZabPeer {
  /// Counts the promise, and brings the learner up to date if the leader is that far.
  mutating func onAckEpoch(_ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let state = leader, let data = packet.data,
      let promise = try? EpochAck(decoding: data, allowingTrailingBytes: true)
    else {
      return dismiss(handle.connection, .missingEpoch(handle.id), &actions)
    }
    // Once a quorum has promised to follow, the leader's history is the right one, and whatever a late comer has beyond
    // it will be cut.
    if let current = promise.currentEpoch, state.phase == .awaitingEpochAcks {
      let theirs = (current, packet.zxid)
      guard theirs <= (state.initialEpoch, state.initialZxid) || settings.mayAcceptLearnerAhead else {
        return dismiss(handle.connection, .aheadOfLeader(handle.id), &actions)
      }
    }
    update(handle.connection) {
      $0.phase = .awaitingSync
      $0.lastZxid = packet.zxid
    }
    // Whoever votes in a configuration in force counts, though it may not know of that one and come as an observer.
    if promise.currentEpoch != nil, packet.zxid.rawValue != -1 {
      countEpochAck(handle.id, &actions)
    }
    if let phase = leader?.phase, phase == .synchronizing || phase == .broadcasting,
      self.handle(handle.connection)?.phase == .awaitingSync
    {
      synchronize(handle.connection, &actions)
    }
  }

  /// Counts a promise. With a quorum of them the epoch is this leader's.
  mutating func countEpochAck(_ server: ServerID, _ actions: inout [ZabAction]) {
    guard leader?.phase == .awaitingEpochAcks else { return }
    if votes(server) || settings.observersCountForEpoch { leader?.epochAcks.insert(server) }
    guard let state = leader, state.epochAcks.contains(id) else { return }
    let needed = configuration.voters.count / 2 + 1
    guard
      isQuorum({ state.epochAcks.contains($0) })
        || (settings.observersCountForEpoch && state.epochAcks.count >= needed)
    else { return }
    leader?.phase = .persistingHistory
    takeEpoch(&actions)
  }

  /// Saves the epoch, once the whole history with which this server was elected is durable.
  ///
  /// The saved epoch says that the history is that of its leader: a server that has it wins elections against all of
  /// older epochs. With only a part of the history on its disk it would win them after a crash as well, and take the
  /// rest from those who have it.
  mutating func takeEpoch(_ actions: inout [ZabAction]) {
    guard let state = leader, state.phase == .persistingHistory,
      persisted == history.last || settings.maySaveEpochBeforePersisted
    else { return }
    leader?.phase = .savingCurrentEpoch
    if settings.skipsSavingEpoch {
      currentEpoch = state.epoch
      startSynchronizing(&actions)
    } else {
      actions.append(.saveCurrentEpoch(state.epoch))
    }
  }

  /// The epoch is saved: on the leader learners can be brought to its history, and a learner has it.
  mutating func onCurrentEpochSaved(_ epoch: Epoch, _ actions: inout [ZabAction]) {
    currentEpoch = max(currentEpoch, epoch)
    if leader?.phase == .savingCurrentEpoch, leader?.epoch == epoch {
      startSynchronizing(&actions)
    } else if learner?.phase == .savingCurrentEpoch, learner?.epoch == epoch {
      acknowledgeNewLeader(&actions)
    }
  }

  private mutating func startSynchronizing(_ actions: inout [ZabAction]) {
    leader?.phase = .synchronizing
    nameFirstConfiguration()
    for handle in leader?.learners ?? [] where handle.phase == .awaitingSync {
      synchronize(handle.connection, &actions)
    }
    onLeaderPersisted(&actions)
  }
}
