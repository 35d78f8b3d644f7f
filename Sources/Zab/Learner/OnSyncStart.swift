internal import ZooKeeperProtocol

/// DIFF, TRUNC and SNAP: a learner's history becomes the beginning of its leader's.
///
/// *Source*: `Learner.syncWithLeader`; `QuorumProtocol` B.5, B.7.
extension ZabPeer {
  /// Begins the way that the leader has chosen.
  mutating func onSyncStart(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = learner else { return }
    let claimsNothing = snapshotNeededIn == state.epoch
    // Before anything of the new epoch is in the log.
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
    actions.append(.truncate(to: zxid, rebuildsTree: zxid < delivered))
  }

  /// The log is cut.
  mutating func onTruncated(_ zxid: Zxid, _ actions: inout [ZabAction]) {
    guard learner?.phase == .replacing else { return }
    history.truncate(to: zxid)
    if let change = pending, change.zxid > zxid { pending = nil }
    persisted = min(persisted, zxid)
    committed = min(committed, zxid)
    delivered = min(delivered, zxid)
    beginSync(&actions)
  }

  /// The log cannot be cut there: the history began later, with another leader's snapshot.
  ///
  /// The promise was given with what this server really has; now that it has counted, the same leader is asked again,
  /// and sends its tree to one who says that it has nothing. Nothing is lost before that tree is durable.
  mutating func onTruncationFailed(_ actions: inout [ZabAction]) {
    guard let state = learner, state.phase == .replacing, let connection = state.connection else { return }
    snapshotNeededIn = state.epoch
    actions.append(.note(.asksForSnapshotInsteadOfTruncating))
    actions.append(.close(connection))
    learner = LearnerState(leaderID: state.leaderID, deadline: now + settings.initMilliseconds)
    actions.append(.connectToLeader(state.leaderID))
  }

  /// The leader's tree is the whole history now.
  ///
  /// A leader sends what it has, committed or not. So a configuration that is newer than the committed one counts as
  /// proposed, just as if its transaction had come by itself: whoever is elected with this tree needs both quorums.
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
