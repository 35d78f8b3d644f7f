internal import ZooKeeperProtocol

/// COMMIT: a quorum has the transaction. It must be the next one.
///
/// *Source*: `FollowerZooKeeperServer.commit`; `QuorumProtocol` B.9.
extension ZabPeer {
  /// Takes the next transaction for committed.
  mutating func onCommit(_ zxid: Zxid, _ actions: inout [ZabAction]) {
    guard isLearner, zxid > committed else { return }
    guard let next = history.entry(after: committed), next.zxid == zxid else {
      // Apache's server ends itself here. Ours asks the leader for what it lacks.
      return leave(.commitOutOfOrder(zxid, after: committed), &actions)
    }
    committed = zxid
    deliver(&actions)
  }
}
