internal import ZooKeeperProtocol

/// What a learner that is up to date gets from its leader.
///
/// *Source*: `Follower.processPacket`, `Observer.processPacket`; `QuorumProtocol` B.9 to B.11.
extension ZabPeer {
  /// Handles a packet from the leader to a learner that is up to date.
  mutating func onBroadcast(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    switch packet.kind {
    case .proposal?: accept(packet, &actions)
    case .commit?: onCommit(packet.zxid, &actions)
    case .commitAndActivate?:
      onCommit(packet.zxid, &actions)
      activateOnLearner(through: committed, designated: packet.activation?.designatedLeader, &actions)
    case .inform?:
      accept(packet, &actions)
      onCommit(packet.zxid, &actions)
    case .informAndActivate?:
      accept(packet.activatedTxn, &actions)
      onCommit(packet.zxid, &actions)
      activateOnLearner(through: committed, designated: packet.activation?.designatedLeader, &actions)
    case .ping?: actions.append(.pinged(connection, packet.zxid))
    case .revalidate?: actions.append(.leaderReply(packet))
    case .sync?: actions.append(.synced(through: committed))
    default: actions.append(.note(.ignoresPacket(type: packet.type)))
    }
  }
}

extension QuorumPacket {
  /// What a packet that activates a configuration says; nil if it cannot be read.
  fileprivate var activation: ConfigurationActivation? {
    data.flatMap { try? ConfigurationActivation(decoding: $0) }
  }

  /// The transaction that came with INFORMANDACTIVATE, as a packet of its own.
  var activatedTxn: QuorumPacket {
    var packet = self
    packet.data = activation?.txn
    return packet
  }
}
