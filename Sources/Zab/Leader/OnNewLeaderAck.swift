internal import ZooKeeperProtocol

/// The ACK for NEWLEADER: a learner has the leader's initial history on disk.
///
/// *Source*: `Leader.waitForNewLeaderAck`; `QuorumProtocol` B.8.
extension ZabPeer {
  /// Records the acknowledgement, and establishes the epoch if a quorum has given it.
  mutating func onNewLeaderAck(_ packet: QuorumPacket, _ handle: LearnerHandle, _ actions: inout [ZabAction]) {
    guard let state = leader, packet.zxid == state.epoch.newLeaderZxid else {
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
  }

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
