internal import ZooKeeperProtocol

/// The leader's server has made a transaction: the leader logs it and proposes it to all followers.
///
/// *Source*: Zab paper, phase 3; `Leader.propose`; `QuorumProtocol` B.9, B.13.
extension ZabPeer {
  /// The largest counter of a transaction, so that the next zxid cannot overflow into the epoch.
  private static var lastCounter: UInt32 { .max - 1 }

  /// Appends the transaction to the log, and sends it to the followers at the same time.
  mutating func onProposed(_ entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    guard leader?.phase == .broadcasting else { return }
    guard entry.zxid.counter <= Self.lastCounter else {
      actions.append(.note(.zxidsExhausted))
      return startLooking(&actions)
    }
    // A transaction from before a change of role is too late: it is dropped, and its client loses the connection.
    guard entry.zxid == leader?.lastProposed.next else { return }
    leader?.lastProposed = entry.zxid
    append(entry, &actions)
    for handle in leader?.learners ?? [] where handle.isForwarding && !handle.isObserver {
      actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), handle.connection))
    }
  }
}
