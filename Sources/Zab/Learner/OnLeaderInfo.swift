internal import ZooKeeperProtocol

/// LEADERINFO: the leader announces its epoch, and a learner promises to follow no older one.
///
/// *Source*: `Learner.registerWithLeader`; `QuorumProtocol` B.3.
extension ZabPeer {
  /// Accepts the epoch, or leaves a leader whose epoch is too old.
  mutating func onLeaderInfo(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard packet.kind == .leaderInfo else { return leave(.expectedLeaderInfo(type: packet.type), &actions) }
    let epoch = Epoch(rawValue: Int64(packet.zxid.epoch))
    guard epoch < .last else { return leave(.invalidEpoch(epoch), &actions) }
    guard epoch >= acceptedEpoch else {
      return leave(.staleEpoch(epoch, accepted: acceptedEpoch), &actions)
    }
    learner?.epoch = epoch
    if epoch > acceptedEpoch {
      if settings.mayPromiseBeforeSaved {
        acceptedEpoch = epoch
        promise(&actions)
        return actions.append(.saveAcceptedEpoch(epoch))
      }
      learner?.phase = .savingAcceptedEpoch
      actions.append(.saveAcceptedEpoch(epoch))
    } else {
      // This epoch was promised before, perhaps to another leader, so the leader must not count it as a new promise.
      acknowledgeEpoch(nil, &actions)
    }
  }

  /// Promises to follow the epoch, and reports the end and the epoch of this server's history.
  mutating func promise(_ actions: inout [ZabAction]) { acknowledgeEpoch(currentEpoch, &actions) }

  /// The end of a history for which a leader sends its tree: no leader has proposed anything in epoch 0, and none asks
  /// for a truncation across epochs. To the end of an empty history, a leader whose memory reaches back to the
  /// beginning would answer with DIFF. So may an Apache leader to this one, if its log was begun standalone; this
  /// package's leaders send the tree in any case.
  static let foreignHistory = Zxid(rawValue: 1)

  /// What a server reports that was started without its data. No leader counts its promise, and every leader sends it
  /// the tree, as it does to an Apache server.
  private static let noHistory = Zxid(rawValue: -1)

  private mutating func acknowledgeEpoch(_ current: Epoch?, _ actions: inout [ZabAction]) {
    guard let connection = learner?.connection else { return }
    // If the log could not be truncated, this server claims a history that no leader has, so that it is sent a tree.
    let claimed = snapshotNeededIn == learner?.epoch ? Self.foreignHistory : history.last
    let zxid = lacksData ? Self.noHistory : claimed
    learner?.phase = .awaitingSync
    let promise = EpochAck(currentEpoch: lacksData ? nil : current)
    actions.append(.send(QuorumPacket(.ackEpoch, zxid: zxid, data: promise.encoded), connection))
  }
}
