internal import ZooKeeperProtocol

/// FOLLOWERINFO and OBSERVERINFO: learners come, and the epoch is chosen.
///
/// *Source*: Zab paper, phase 1; `Leader.getEpochToPropose`; `QuorumProtocol` B.3.
extension ZabPeer {
  /// Lets a learner in.
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

  /// How many epochs a learner may have accepted beyond this server. Each takes a quorum, so a few are missed by a
  /// server that was away; more are a forgery, and would use the numbers up.
  private static var maxEpochsAhead: Int64 { 1 << 16 }

  /// Whether a voter has just said, over the port for elections, that it looks for a leader: whoever has been sent away
  /// for its epoch does. A packet alone proves nothing.
  private func isLooking(_ server: ServerID) -> Bool {
    guard votes(server), let heard = leader?.lookingVoters[server] else { return false }
    return now - heard <= 2 * settings.maxNotificationMilliseconds
  }

  /// A voter has accepted a higher epoch, which came to nothing, and may not follow a lower one: without a new epoch it
  /// would stay outside for as long as this leader lasts, as it does with Apache's.
  private mutating func makeRoom(for server: ServerID, _ accepted: Epoch, _ actions: inout [ZabAction]) {
    epochFloor = max(epochFloor, accepted)
    actions.append(.note(.beginsEpochAbove(accepted, for: server)))
    startLooking(&actions)
  }

  /// Counts a server whose accepted epoch is known. With a quorum the epoch is chosen: above all of them.
  mutating func countForEpoch(_ server: ServerID, accepted: Epoch, _ actions: inout [ZabAction]) {
    guard leader?.phase == .awaitingLearners else { return }
    let candidate = leader?.epoch ?? .zero
    guard accepted < .last else {
      let reason =
        "epoch \(accepted) was accepted, the last there is; start the ensemble on a snapshot without its epochs"
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

  /// An epoch that was accepted is safe: it may be told, or promised.
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
