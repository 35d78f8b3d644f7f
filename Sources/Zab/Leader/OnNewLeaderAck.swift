internal import ZooKeeperProtocol

/// The ACK for NEWLEADER: a learner has the leader's initial history on disk.
///
/// *Source*: `Leader.waitForNewLeaderAck`; `QuorumProtocol` B.8.
extension ZabPeer {
  /// Records the acknowledgement, and establishes the epoch if a quorum has given it.
  mutating func onNewLeaderAck(_ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let state = leader else { return }
    if isEarly(packet.zxid) { return update(handle.connection) { $0.earlyAck = packet.zxid } }
    guard packet.zxid == state.epoch.newLeaderZxid else {
      return dismiss(handle.connection, .acknowledgedAnotherEpoch(handle.id, packet.zxid), &actions)
    }
    let deadline = now + settings.syncMilliseconds
    update(handle.connection) {
      $0.phase = .awaitingQuorum
      $0.deadline = deadline
    }
    if votes(handle.id) { leader?.newLeaderAcks.insert(handle.id) }
    if state.phase == .broadcasting {
      sendUpToDate(handle.connection, &actions)
    } else {
      establish(&actions)
    }
    if let zxid = handle.earlyAck, leader != nil { onAck(zxid, from: handle.id, &actions) }
  }

  /// Whether an ACK is for a transaction of the synchronization. Apache's learners of 3.8.0 write these on another
  /// thread than the one that acknowledges NEWLEADER, and either may be first (ZOOKEEPER-4685).
  private func isEarly(_ zxid: Zxid) -> Bool { zxid.counter != 0 && zxid <= history.last }

  /// Establishes the epoch if a quorum has the initial history: that commits the history, and clients are served.
  mutating func establish(_ actions: inout [ZabAction]) {
    guard let state = leader, state.phase == .synchronizing, state.newLeaderAcks.contains(id),
      isQuorum({ state.newLeaderAcks.contains($0) })
    else { return }
    leader?.phase = .broadcasting
    leader?.acknowledged.note(persisted, from: id)
    committed = history.last
    deliver(&actions)
    if let change = pending {
      pending = nil
      put(change.configuration, &actions)
    }
    for handle in state.learners where handle.phase == .awaitingQuorum {
      sendUpToDate(handle.connection, &actions)
    }
    startServing(state.epoch, &actions)
    guard !configuration.isVoter(id) else { return }
    actions.append(.note(.configurationEndsLeadership))
    startLooking(&actions)
  }

  private mutating func sendUpToDate(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    update(connection) { $0.phase = .running }
    actions.append(.send(QuorumPacket(.upToDate, zxid: Zxid(rawValue: -1)), connection))
    if leader?.confirmation.wave != nil { startWave(&actions) }
  }
}
