internal import ZooKeeperProtocol

/// FOLLOWERINFO and OBSERVERINFO: learners identify themselves, and the epoch is chosen.
///
/// *Source*: Zab paper, phase 1; `Leader.getEpochToPropose`; `QuorumProtocol` B.3.
extension ZabPeer {
  /// Admits a learner, or closes its connection if it cannot be led.
  mutating func onLearnerInfo(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let data = packet.data, let info = try? LearnerInfo(decoding: data, allowingTrailingBytes: true),
      info.protocolVersion >= LearnerInfo.currentVersion
    else { return dismiss(connection, .unidentified, &actions) }
    guard info.configurationVersion <= configuration.version else {
      return dismiss(connection, .newerConfiguration(info.serverID), &actions)
    }
    let accepted = Epoch(rawValue: Int64(packet.zxid.epoch))
    guard accepted.rawValue <= acceptedEpoch.rawValue + Self.maxEpochsAhead, accepted < .last else {
      return dismiss(
        connection, .implausibleEpoch(info.serverID, claimed: accepted, accepted: acceptedEpoch), &actions)
    }
    if contest(packet, info.serverID, connection, &actions) { return }
    let isLate = leader?.phase != .awaitingLearners && accepted > (leader?.epoch ?? accepted)
    if isLate, isLooking(info.serverID) {
      return makeRoom(for: info.serverID, accepted, &actions)
    }
    update(connection) {
      $0.id = info.serverID
      $0.isObserver = packet.kind == .observerInfo
      $0.phase = .awaitingEpoch
    }
    countForEpoch(info.serverID, accepted: accepted, &actions)
    if let phase = leader?.phase, phase != .awaitingLearners, phase != .savingAcceptedEpoch {
      sendLeaderInfo(connection, &actions)
    }
  }

  /// How far a learner's accepted epoch may be above this server's. Each epoch takes a quorum, so a server that was
  /// down can miss some of them. A greater distance is a forgery, which would exhaust the epoch numbers.
  private static var maxEpochsAhead: Int64 { 1 << 16 }

  /// Whether a voter has recently sent a notification, on the election port, that it is looking for a leader. A voter
  /// that cannot follow because of its epoch does so. FOLLOWERINFO alone is not enough to end this leader's term.
  private func isLooking(_ server: ServerID) -> Bool {
    guard votes(server), let heard = leader?.lookingVoters[server] else { return false }
    return now - heard <= 2 * settings.maxNotificationMilliseconds
  }

  /// Starts an election for an epoch above the one that a voter has accepted.
  ///
  /// The voter must not follow a leader of a lower epoch, although no leader of the higher one was established. Without
  /// a new epoch it would be excluded as long as this leader leads, as it is with Apache's leaders.
  private mutating func makeRoom(for server: ServerID, _ accepted: Epoch, _ actions: inout [ZabAction]) {
    epochFloor = max(epochFloor, accepted)
    actions.append(.note(.beginsEpochAbove(accepted, for: server)))
    startLooking(&actions)
  }

  /// Records the accepted epoch of a server. With those of a quorum the new epoch is chosen, above all of them.
  mutating func countForEpoch(_ server: ServerID, accepted: Epoch, _ actions: inout [ZabAction]) {
    guard leader?.phase == .awaitingLearners else { return }
    let candidate = leader?.epoch ?? .zero
    guard accepted < .last else {
      let reason =
        "epoch \(accepted) was accepted, which is the last; start the ensemble from a snapshot without its epoch files"
      return actions.append(.failed(reason))
    }
    leader?.epoch = max(candidate, accepted.next)
    if votes(server) { leader?.connecting.insert(server) }
    guard let state = leader, state.connecting.contains(id),
      isQuorum({ state.connecting.contains($0) })
    else { return }
    leader?.phase = .savingAcceptedEpoch
    actions.append(.saveAcceptedEpoch(state.epoch))
  }

  /// The accepted epoch is durable: a leader announces it, and a learner promises to follow it.
  mutating func onAcceptedEpochSaved(_ epoch: Epoch, _ actions: inout [ZabAction]) {
    acceptedEpoch = max(acceptedEpoch, epoch)
    if let state = leader, state.phase == .savingAcceptedEpoch, state.epoch == epoch {
      leader?.phase = .awaitingEpochAcks
      leader?.lastProposed = epoch.newLeaderZxid
      for handle in state.learners where handle.phase == .awaitingEpoch {
        sendLeaderInfo(handle.connection, &actions)
      }
      countEpochAck(id, &actions)
    } else if let state = learner, state.phase == .savingAcceptedEpoch, state.epoch == epoch {
      promise(&actions)
    }
  }

  private mutating func sendLeaderInfo(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    update(connection) { $0.phase = .awaitingEpochAck }
    let packet = QuorumPacket(.leaderInfo, zxid: leader?.lastProposed ?? .zero, data: LeaderInfo().encoded)
    actions.append(.send(packet, connection))
  }
}
