internal import ZooKeeperProtocol

/// ACK: a follower has a transaction, and all before it, on disk.
///
/// *Source*: `Leader.processAck`, `tryToCommit`; `QuorumProtocol` B.9.
extension ZabPeer {
  /// Records the acknowledgement, and commits what now has a quorum.
  mutating func onAck(_ zxid: Zxid, from server: ServerID, _ actions: inout [ZabAction]) {
    // Followers acknowledge NEWLEADER a second time, with counter 0, and also transactions of their synchronization.
    guard zxid.counter != 0, zxid <= history.last, votes(server) else { return }
    leader?.acknowledged.note(zxid, from: server)
    advanceCommit(&actions)
    deliver(&actions)
  }

  /// Whether a packet is an acknowledgement, and the next one of the same learner acknowledges as much or more: then
  /// the next one alone has the same effect.
  func isIncludedInNext(_ index: Int, _ packets: [QuorumPacket], _ connection: ConnectionID) -> Bool {
    guard isLeader, index + 1 < packets.count, packets[index].kind == .ack, packets[index + 1].kind == .ack else {
      return false
    }
    let (zxid, next) = (packets[index].zxid, packets[index + 1].zxid)
    guard zxid <= next, next <= history.last, zxid.counter != 0, next.counter != 0 else { return false }
    return leader?.learners.contains { $0.connection == connection && $0.phase == .running } == true
  }

  /// Commits the transactions that a quorum has acknowledged, in order.
  mutating func advanceCommit(_ actions: inout [ZabAction]) {
    guard leader?.phase == .broadcasting else { return }
    while let entry = history.entry(after: committed), isAcknowledged(entry.zxid) {
      committed = entry.zxid
      if pending?.zxid == entry.zxid { return commitConfiguration(entry, &actions) }
      for handle in leader?.learners ?? [] where handle.isForwarding {
        let packet =
          handle.isObserver
          ? QuorumPacket(.inform, zxid: entry.zxid, data: entry.bytes) : QuorumPacket(.commit, zxid: entry.zxid)
        actions.append(.send(packet, handle.connection))
      }
    }
  }

  /// Commits a configuration: every learner activates it together with this transaction.
  private mutating func commitConfiguration(_ entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    guard let next = pending?.configuration else { return }
    let designated = designatedLeader(next)
    let orders = (
      followers: ConfigurationActivation(designatedLeader: designated),
      observers: ConfigurationActivation(designatedLeader: designated, txn: entry.bytes)
    )
    for handle in leader?.learners ?? [] where handle.isForwarding {
      let packet =
        handle.isObserver
        ? QuorumPacket(.informAndActivate, zxid: entry.zxid, data: orders.observers.encoded)
        : QuorumPacket(.commitAndActivate, zxid: entry.zxid, data: orders.followers.encoded)
      actions.append(.send(packet, handle.connection))
    }
    deliver(&actions)
    activateOnLeader(through: entry.zxid, &actions)
    advanceCommit(&actions)
  }

  private func isAcknowledged(_ zxid: Zxid) -> Bool {
    guard let acknowledged = leader?.acknowledged else { return false }
    if settings.commitsWithAnyAcknowledgement { return acknowledged.newest >= zxid }
    return isQuorum { acknowledged[$0] >= zxid }
  }
}
