internal import ZooKeeperProtocol

/// What a learner that is up to date gets from its leader.
///
/// *Source*: `Follower.processPacket`, `Observer.processPacket`; `quorum-protocol` B.9 to B.11.
extension ZabPeer {
  /// Takes in what a leader says to one that is up to date.
  mutating func onBroadcast(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    switch packet.kind {
    case .proposal?: accept(packet, &actions)
    case .commit?: onCommit(packet.zxid, &actions)
    case .commitAndActivate?:
      onCommit(packet.zxid, &actions)
      activateOnLearner(through: committed, designated: Self.designated(packet), &actions)
    case .inform?:
      accept(packet, &actions)
      onCommit(packet.zxid, &actions)
    case .informAndActivate?:
      var inner = packet
      inner.data = packet.data.map { Array($0.dropFirst(8)) }
      accept(inner, &actions)
      onCommit(packet.zxid, &actions)
      activateOnLearner(through: committed, designated: Self.designated(packet), &actions)
    case .ping?: actions.append(.pinged(connection, packet.zxid))
    case .revalidate?: actions.append(.leaderReply(packet))
    case .sync?: actions.append(.synced(through: committed))
    default: actions.append(.note(.ignoresPacket(type: packet.type)))
    }
  }

  /// The leader that a new configuration is for.
  private static func designated(_ packet: QuorumPacket) -> ServerID? {
    guard let data = packet.data, data.count >= 8 else { return nil }
    return ServerID(rawValue: Int64(bitPattern: data.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }))
  }

  /// Sends an ACK for each transaction that has become durable, in order.
  mutating func acknowledgePersisted(_ actions: inout [ZabAction]) {
    guard let connection = learner?.connection, let acknowledged = learner?.acknowledged, case .following = role,
      persisted > acknowledged
    else { return }
    for entry in history.entries(after: acknowledged, through: persisted) {
      actions.append(.send(QuorumPacket(.ack, zxid: entry.zxid), connection))
    }
    learner?.acknowledged = persisted
  }
}
