internal import ZooKeeperProtocol

/// ACKEPOCH: a learner has promised to follow the epoch, and reports the end and the epoch of its history.
///
/// *Source*: `Leader.waitForEpochAck`; `QuorumProtocol` B.3.
extension ZabPeer {
  /// Records the promise, and synchronizes the learner if the epoch is already saved.
  mutating func onAckEpoch(_ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let state = leader, let data = packet.data,
      let promise = try? EpochAck(decoding: data, allowingTrailingBytes: true)
    else {
      return dismiss(handle.connection, .missingEpoch(handle.id), &actions)
    }
    // A quorum that has promised to follow makes the leader's history the authoritative one, and whatever a later
    // learner has in addition is truncated. Before that, a learner with a newer history must not be led.
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
    // A voter of the proposed configuration counts even if it connects as an observer: it may not know of it yet.
    if promise.currentEpoch != nil, packet.zxid.rawValue != -1 {
      countEpochAck(handle.id, &actions)
    }
    if let phase = leader?.phase, phase == .synchronizing || phase == .broadcasting,
      self.handle(handle.connection)?.phase == .awaitingSync
    {
      synchronize(handle.connection, &actions)
    }
  }

  /// Records a promise to follow the epoch. With promises from a quorum, no other leader can get this epoch.
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

  /// Saves the epoch once the whole history with which this server was elected is durable.
  ///
  /// The saved epoch says that this server has the history of that epoch's leader, and so it wins elections against all
  /// servers with older epochs. If only a part of the history were on its disk, it would win them after a crash as
  /// well, and would truncate the rest on the servers that have it.
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

  /// The current epoch is durable: a leader begins to synchronize its learners, and a learner acknowledges NEWLEADER.
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
