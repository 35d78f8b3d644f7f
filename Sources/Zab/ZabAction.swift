package import ZooKeeperProtocol

/// What a member of an ensemble is.
package enum ZabRole: Hashable, Sendable {
  case looking
  case following(ServerID)
  case observing(ServerID)
  case leading
}

/// What a member sends, and to whom it connects.
package enum TransportAction: Equatable, Sendable {
  case sendNotification(ElectionNotification, to: ServerID)
  case connectToLeader(ServerID)
  case send(QuorumPacket, ConnectionID)
  case close(ConnectionID)
}

/// What a member changes on its disk.
package enum StorageAction: Equatable, Sendable {
  /// Write to the log; `ZabEvent.persisted` follows once it is synced.
  case append(TxnHistory.Entry)
  /// Truncate the log after the transaction; with `rebuildsTree` the tree has applied later ones and is read again.
  /// `ZabEvent.truncated` or `truncationFailed` follows.
  case truncate(to: Zxid, rebuildsTree: Bool)
  /// `ZabEvent.acceptedEpochSaved` follows.
  case saveAcceptedEpoch(Epoch)
  /// Announce that the epoch is about to change, so that a log with transactions of it can be recovered.
  case prepareCurrentEpoch(Epoch)
  /// `ZabEvent.currentEpochSaved` follows.
  case saveCurrentEpoch(Epoch)
}

/// What a member does about an event, to be carried out in this order.
///
/// The cases for the network and for the disk are enums of their own, so that the server's core, which is concerned
/// with neither, passes them on whole.
package enum ZabAction: Equatable, Sendable {
  case transport(TransportAction)
  case storage(StorageAction)
  /// Send SNAP and the tree as it is, whose last transaction is the zxid given.
  case sendSnapshot(ConnectionID, Zxid)
  /// What comes next on the connection is a tree with this last transaction: read and install it.
  case receiveSnapshot(ConnectionID, Zxid)
  /// The transaction is committed, and so is everything before it: apply it.
  case deliver(TxnHistory.Entry)
  case roleChanged(ZabRole)
  /// The configuration is active: elections and connections use it from now on.
  case activate(QuorumConfiguration)
  /// Serve clients, as the leader of an epoch or as a learner in it.
  case startServing(Epoch)
  /// Disconnect clients: the member no longer knows what is committed.
  case stopServing
  /// A learner has something that the leader's server decides about: REQUEST, REVALIDATE, the sessions of a PING.
  case learnerRequest(QuorumPacket, ServerID, ConnectionID)
  /// The leader's server has answered REVALIDATE.
  case leaderReply(QuorumPacket)
  /// The leader answers a SYNC: all that was committed before has come.
  case synced(through: Zxid)
  /// The leader asks which sessions were heard from: send PING back with them.
  case pinged(ConnectionID, Zxid)
  /// Fatal: the member cannot continue, for the reason given.
  case failed(String)
  case note(ZabNote)
}

/// The actions of the nested enums, as the rules of agreement spell them.
extension ZabAction {
  /// A message of an election.
  static func sendNotification(_ notification: ElectionNotification, to server: ServerID) -> ZabAction {
    .transport(.sendNotification(notification, to: server))
  }

  /// See `TransportAction`.
  static func connectToLeader(_ leader: ServerID) -> ZabAction { .transport(.connectToLeader(leader)) }

  /// A packet for a leader or learner.
  static func send(_ packet: QuorumPacket, _ connection: ConnectionID) -> ZabAction {
    .transport(.send(packet, connection))
  }

  /// See `TransportAction`.
  static func close(_ connection: ConnectionID) -> ZabAction { .transport(.close(connection)) }

  /// See `StorageAction`.
  static func append(_ entry: TxnHistory.Entry) -> ZabAction { .storage(.append(entry)) }

  /// See `StorageAction`.
  static func truncate(to zxid: Zxid, rebuildsTree: Bool) -> ZabAction {
    .storage(.truncate(to: zxid, rebuildsTree: rebuildsTree))
  }

  /// See `StorageAction`.
  static func saveAcceptedEpoch(_ epoch: Epoch) -> ZabAction { .storage(.saveAcceptedEpoch(epoch)) }

  /// See `StorageAction`.
  static func prepareCurrentEpoch(_ epoch: Epoch) -> ZabAction { .storage(.prepareCurrentEpoch(epoch)) }

  /// See `StorageAction`.
  static func saveCurrentEpoch(_ epoch: Epoch) -> ZabAction { .storage(.saveCurrentEpoch(epoch)) }
}
