package import ZooKeeperProtocol

/// The role of a member of an ensemble.
package enum ZabRole: Hashable, Sendable {
  case looking
  case following(ServerID)
  case observing(ServerID)
  case leading
}

/// An action on the network: what a member sends, and which connections it opens and closes.
package enum TransportAction: Equatable, Sendable {
  case sendNotification(ElectionNotification, to: ServerID)
  case connectToLeader(ServerID)
  /// Connect to a follower's port for observers, as to a leader.
  case connectToObserverMaster(ServerID)
  case send(QuorumPacket, ConnectionID)
  case close(ConnectionID)
}

/// An action on the disk: what a member makes durable.
package enum StorageAction: Equatable, Sendable {
  /// Write to the log; `ZabEvent.persisted` follows once it is synced.
  case append(TxnHistory.Entry)
  /// Truncate the log after the transaction. With `rebuildsTree`, the tree has applied later ones and must be read
  /// again. `ZabEvent.truncated` or `truncationFailed` follows.
  case truncate(to: Zxid, rebuildsTree: Bool)
  /// `ZabEvent.acceptedEpochSaved` follows.
  case saveAcceptedEpoch(Epoch)
  /// Announce that the epoch is about to change, so that a log with transactions of it can be recovered.
  case prepareCurrentEpoch(Epoch)
  /// `ZabEvent.currentEpochSaved` follows.
  case saveCurrentEpoch(Epoch)
}

/// What a member's driver must do about an event, in the order in which the actions are emitted.
///
/// The cases for the network and for the disk are separate enums, so that `EnsembleMember`, which performs neither,
/// can pass them on unchanged.
package enum ZabAction: Equatable, Sendable {
  case transport(TransportAction)
  case storage(StorageAction)
  /// Send SNAP and the tree as it is now; the zxid is that of its last transaction.
  case sendSnapshot(ConnectionID, Zxid)
  /// Find out whether a learner can be sent the transactions of the log on disk after the first and through the second
  /// zxid: whether the log has the first one, and what follows is the history and fewer bytes than the tree is worth.
  /// `ZabEvent.logExamined` follows.
  case examineLog(ConnectionID, after: Zxid, through: Zxid)
  /// Send DIFF, and after it PROPOSAL and COMMIT of these transactions; packets that follow come after them.
  /// `ZabEvent.logUnreadable` follows if that fails.
  case sendLog(ConnectionID, QuorumPacket, after: Zxid, through: Zxid)
  /// The next bytes on the connection are a tree whose last transaction has this zxid: read and install it.
  case receiveSnapshot(ConnectionID, Zxid)
  /// Apply the transactions: they are committed, and so is everything before them.
  case deliver(ArraySlice<TxnHistory.Entry>)
  /// Apply the transactions to the tree, which no client sees yet: they are durable here, and part of the leader's
  /// history.
  case catchUp(ArraySlice<TxnHistory.Entry>)
  case roleChanged(ZabRole)
  /// Use the configuration for elections and connections from now on, and keep it durably: it is committed.
  case activate(QuorumConfiguration)
  /// Serve clients, as the leader of the epoch or as a learner in it.
  case startServing(Epoch)
  /// Disconnect clients: the member no longer knows what is committed.
  case stopServing
  /// A learner has sent something that the leader's server decides: REQUEST, REVALIDATE, or the sessions of a PING.
  case learnerRequest(QuorumPacket, ServerID, ConnectionID)
  /// The leader's server has answered REVALIDATE.
  case leaderReply(QuorumPacket)
  /// The leader has answered a SYNC: everything that was committed before it has arrived here.
  case synced(through: Zxid)
  /// The leader has sent PING: answer with a PING that names the sessions that were heard from.
  case pinged(ConnectionID, Zxid)
  /// Fatal: the member cannot continue, for the reason given.
  case failed(String)
  case note(ZabNote)
}

/// Shorthands for the actions of the nested enums, for use by the state machine.
extension ZabAction {
  /// See `TransportAction`.
  static func sendNotification(_ notification: ElectionNotification, to server: ServerID) -> ZabAction {
    .transport(.sendNotification(notification, to: server))
  }

  /// See `TransportAction`.
  static func connectToLeader(_ leader: ServerID) -> ZabAction { .transport(.connectToLeader(leader)) }

  /// See `TransportAction`.
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
