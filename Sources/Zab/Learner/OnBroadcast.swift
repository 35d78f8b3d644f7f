internal import ZooKeeperProtocol

/// The packets that a leader sends to a learner that is up to date.
///
/// *Source*: `Follower.processPacket`, `Observer.processPacket`; `QuorumProtocol` B.9 to B.11.
extension ZabPeer {
  /// Handles a packet from the leader to a learner that is up to date.
  mutating func onBroadcast(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    switch packet.kind {
    case .proposal?:
      accept(packet, &actions)
      if settings.informsObserversEarly, let entry = history.entry(after: Zxid(rawValue: packet.zxid.rawValue - 1)) {
        informObservers(entry, designated: nil, &actions)
      }
    case .commit?: onCommit(packet.zxid, &actions)
    case .commitAndActivate?:
      let designated = packet.activation?.designatedLeader
      onCommit(packet.zxid, designated: designated ?? learner?.leaderID, &actions)
      activateOnLearner(through: committed, designated: designated, &actions)
    case .inform?:
      accept(packet, &actions)
      onCommit(packet.zxid, &actions)
    case .informAndActivate?:
      accept(packet.activatedTxn, &actions)
      onCommit(packet.zxid, &actions)
      activateOnLearner(through: committed, designated: packet.activation?.designatedLeader, &actions)
    case .ping?:
      pingObservers(&actions)
      actions.append(.pinged(connection, packet.zxid))
    case .revalidate?: actions.append(.leaderReply(packet))
    case .sync?: actions.append(.synced(through: committed))
    default: actions.append(.note(.ignoresPacket(type: packet.type)))
    }
  }
}

extension QuorumPacket {
  /// The data of a packet that activates a configuration; nil if it cannot be decoded.
  fileprivate var activation: ConfigurationActivation? {
    data.flatMap { try? ConfigurationActivation(decoding: $0) }
  }

  /// The transaction in INFORMANDACTIVATE, in the form of a packet that contains nothing else.
  var activatedTxn: QuorumPacket {
    var packet = self
    packet.data = activation?.txn
    return packet
  }
}
