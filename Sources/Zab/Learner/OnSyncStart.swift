internal import ZooKeeperProtocol

/// DIFF, TRUNC and SNAP: a learner's history is made a prefix of its leader's.
///
/// *Source*: `Learner.syncWithLeader`; `QuorumProtocol` B.5, B.7.
extension ZabPeer {
  /// Begins a synchronization in the way that the leader has chosen.
  mutating func onSyncStart(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner else { return }
    let claimsNothing = snapshotNeededIn == state.epoch || lacksData
    // The epoch must be announced before a transaction of it is in the log, or a crash leaves a log that no server
    // starts on.
    if state.epoch > currentEpoch, !settings.skipsAnnouncingEpoch {
      actions.append(.prepareCurrentEpoch(state.epoch))
    }
    switch packet.kind {
    case .diff? where !claimsNothing: beginSync(&actions)
    case .trunc? where !claimsNothing: onTrunc(packet.zxid, &actions)
    case .snap?:
      learner?.phase = .replacing
      actions.append(.receiveSnapshot(connection, packet.zxid))
    case .ping?: break
    default: leave(.expectedSynchronization(type: packet.type), &actions)
    }
  }

  private mutating func onTrunc(_ zxid: Zxid, _ actions: inout [ZabAction]) {
    guard zxid <= history.last else { return leave(.truncationAfterEnd(zxid, end: history.last), &actions) }
    guard zxid < history.last else { return beginSync(&actions) }
    learner?.phase = .replacing
    if zxid >= history.base, !history.contains(zxid) { return onTruncationFailed(&actions) }
    if settings.truncatesMemoryOnly { return onTruncated(zxid, &actions) }
    actions.append(.truncate(to: zxid, rebuildsTree: zxid < delivered && !settings.keepsTreeAcrossTruncation))
  }

  /// Truncates the history in memory after the driver has truncated the log, and goes on.
  mutating func onTruncated(_ zxid: Zxid, _ actions: inout [ZabAction]) {
    guard learner?.phase == .replacing else { return }
    history.truncate(to: zxid)
    if let change = pending, change.zxid > zxid { pending = nil }
    persisted = min(persisted, zxid)
    committed = min(committed, zxid)
    delivered = min(delivered, zxid)
    beginSync(&actions)
  }

  /// The log cannot be truncated there, because it begins later, with the snapshot of another leader.
  ///
  /// The server connects to the same leader again and claims a history that no leader has, to which the leader answers
  /// with its tree. It could not do so at once: the promise to follow the epoch must be given with the real history.
  /// Nothing is lost before the leader's tree is durable.
  mutating func onTruncationFailed(_ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .replacing, let connection = state.connection else { return }
    snapshotNeededIn = state.epoch
    actions.append(.note(.asksForSnapshotInsteadOfTruncating))
    actions.append(.close(connection))
    learner = LearnerState(leaderID: state.leaderID, deadline: now + settings.initMilliseconds)
    callLeader(&actions)
  }

  /// The leader's tree is now the only history.
  ///
  /// A leader sends its tree whether or not all of it is committed. So a configuration in it that is newer than the
  /// active one is treated as proposed, as if its transaction had been received: a leader that is elected with this
  /// tree needs a quorum of both configurations.
  mutating func onSnapshotInstalled(
    _ zxid: Zxid, _ configured: QuorumConfiguration?, _ actions: inout [ZabAction]
  ) {
    guard learner?.phase == .replacing else { return }
    if settings.keepsHistoryAcrossSnapshot, zxid > history.last {
      history.append(TxnHistory.Entry(zxid: zxid, bytes: []))
    } else {
      history = TxnHistory(base: zxid)
    }
    pending = configured.flatMap { found in
      guard found.version > configuration.version else { return nil }
      return PendingConfiguration(zxid: Zxid(rawValue: found.version), configuration: found)
    }
    persisted = zxid
    committed = zxid
    delivered = zxid
    snapshotNeededIn = nil
    lacksData = false
    beginSync(&actions)
  }

  private mutating func beginSync(_ actions: inout [ZabAction]) {
    learner?.phase = .synchronizing
    learner?.syncedThrough = history.last
    let held = learner?.held ?? []
    learner?.held = []
    for packet in held {
      guard let connection = learner?.connection else { return }
      onLeaderPacket(packet, connection, &actions)
    }
  }
}
