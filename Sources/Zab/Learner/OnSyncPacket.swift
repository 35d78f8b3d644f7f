internal import ZooKeeperProtocol

/// The packets between the beginning of a synchronization and UPTODATE: transactions with and without COMMIT.
///
/// A COMMIT here says only that the transaction is part of the leader's history, not that a quorum has it, so nothing
/// is delivered to clients before UPTODATE.
///
/// *Source*: `Learner.syncWithLeader`; `QuorumProtocol` B.5.
extension ZabPeer {
  /// Handles a packet of a synchronization.
  mutating func onSyncPacket(_ packet: QuorumPacket, _ connection: ConnectionID, _ actions: inout [ZabAction]) {
    switch packet.kind {
    case .proposal?:
      // The leader may send a proposal again that was made while it chose what to send.
      guard packet.zxid > history.last else { return }
      accept(packet, &actions)
    case .commit?, .commitAndActivate?:
      guard packet.zxid <= history.last else { return leave(.commitWithoutProposal(packet.zxid), &actions) }
      noteSynced(packet.zxid)
    case .inform?, .informAndActivate?:
      let txn = packet.kind == .informAndActivate ? packet.activatedTxn : packet
      if packet.zxid > history.last { accept(txn, &actions) }
      noteSynced(packet.zxid)
    case .newLeader?: onNewLeader(packet, connection, &actions)
    case .upToDate?: onUpToDate(connection, &actions)
    default: break
    }
  }

  private mutating func noteSynced(_ zxid: Zxid) {
    // A property at a time, because binding the state would copy it for each of hundreds of thousands of packets.
    guard let synced = learner?.syncedThrough, zxid > synced else { return }
    learner?.syncedThrough = zxid
  }

  /// Appends a transaction to the history if it is the next one, and leaves the leader if it is not.
  ///
  /// A new epoch begins with counter 1. Anything else is a hole in the history, although Apache's learners accept it.
  mutating func accept(_ packet: QuorumPacket, _ actions: inout [ZabAction]) {
    let (zxid, last) = (packet.zxid, history.last)
    let isNext =
      zxid == last.next || (zxid.epoch > last.epoch && zxid.counter == 1) || settings.keepsHistoryAcrossSnapshot
    guard let bytes = packet.data, isNext else {
      return leave(.transactionOutOfOrder(zxid, after: last), &actions)
    }
    append(TxnHistory.Entry(zxid: zxid, bytes: bytes), &actions)
    if settings.mayAcknowledgeBeforePersisted, let connection = learner?.connection {
      actions.append(.send(QuorumPacket(.ack, zxid: zxid), connection))
    }
  }
}
