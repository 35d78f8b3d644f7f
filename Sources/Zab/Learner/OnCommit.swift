internal import ZooKeeperProtocol

/// COMMIT: a quorum has the transaction. It must be the one that follows the last committed one.
///
/// *Source*: `FollowerZooKeeperServer.commit`; `QuorumProtocol` B.9.
extension ZabPeer {
  /// Marks the next transaction as committed, and delivers it if it is persisted too.
  ///
  /// - Parameter designated: the leader that the transaction designates, if it activates a configuration.
  mutating func onCommit(_ zxid: Zxid, designated: ServerID? = nil, _ actions: inout [ZabAction]) {
    guard isLearner, zxid > committed else { return }
    guard let next = history.entry(after: committed), next.zxid == zxid else {
      // Apache's server exits here. This one finds its leader again, which sends what is missing.
      return leave(.commitOutOfOrder(zxid, after: committed), &actions)
    }
    committed = zxid
    if !settings.informsObserversEarly { informObservers(next, designated: designated, &actions) }
    deliver(&actions)
  }
}
