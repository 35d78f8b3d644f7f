internal import ZooKeeperProtocol

/// What a learner that is up to date gets from its leader.
///
/// *Source*: `Follower.processPacket`, `Observer.processPacket`; `quorum-protocol` B.9 to B.11.
extension ZabPeer {
  /// Takes in what a leader says to one that is up to date.
  mutating func onBroadcast(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    switch packet.kind {
    case .proposal?: accept(packet, &actions)
    case .commit?, .commitAndActivate?: onCommit(packet.zxid, &actions)
    case .inform?, .informAndActivate?:
      accept(packet, &actions)
      onCommit(packet.zxid, &actions)
    case .ping?: actions.append(.pinged(connection, packet.zxid))
    case .revalidate?: actions.append(.leaderAnswers(packet))
    case .sync?: actions.append(.synced(through: committed))
    default: actions.append(.note("packet \(packet.type) of the leader was passed over"))
    }
  }

  /// Sends an ACK for each transaction that has become durable, in order.
  mutating func acknowledgePersisted(_ actions: inout [ZabAction]) {
    guard let state = learner, let connection = state.connection, case .following = role,
      persisted > state.acknowledged
    else { return }
    for entry in history.entries(after: state.acknowledged, through: persisted) {
      actions.append(.send(QuorumPacket(.ack, zxid: entry.zxid), connection))
    }
    learner?.acknowledged = persisted
  }
}
