internal import ZooKeeperProtocol

/// LEADERINFO: the leader names its epoch, and a learner promises to follow no older one.
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
      // The promise was given before, perhaps to another: it does not count twice.
      acknowledgeEpoch(nil, &actions)
    }
  }

  /// Promises to follow the epoch, and tells what this server has.
  mutating func promise(_ actions: inout [ZabAction]) { acknowledgeEpoch(currentEpoch, &actions) }

  private mutating func acknowledgeEpoch(_ current: Epoch?, _ actions: inout [ZabAction]) {
    guard let connection = learner?.connection else { return }
    // This server's history cannot be cut to the leader's: it asks for a whole one, as if it had none.
    let zxid = snapshotNeededIn == learner?.epoch ? Zxid.zero : history.last
    learner?.phase = .awaitingSync
    let promise = EpochAck(currentEpoch: current)
    actions.append(.send(QuorumPacket(.ackEpoch, zxid: zxid, data: promise.encoded), connection))
  }
}
