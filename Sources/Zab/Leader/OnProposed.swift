internal import ZooKeeperProtocol

/// The leader's server has made a transaction: it is logged here and proposed to all.
///
/// *Source*: Zab paper, phase 3; `Leader.propose`; `QuorumProtocol` B.9, B.13.
extension ZabPeer {
  /// The last counter that a transaction may have: the next would be in the epoch's half of the number.
  private static var lastCounter: UInt32 { .max - 1 }

  /// Logs and proposes it.
  mutating func onProposed(_ entry: TxnHistory.Entry, _ actions: inout [ZabAction]) {
    guard leader?.phase == .broadcasting else { return }
    guard entry.zxid.counter <= Self.lastCounter else {
      actions.append(.note(.zxidsExhausted))
      return startLooking(&actions)
    }
    // What was made before the role changed comes too late, and its client learns it from the lost connection.
    guard entry.zxid == leader?.lastProposed.next else { return }
    leader?.lastProposed = entry.zxid
    append(entry, &actions)
    for handle in leader?.learners ?? [] where handle.isForwarding && !handle.isObserver {
      actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), handle.connection))
    }
  }
}
