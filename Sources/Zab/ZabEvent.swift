package import ZooKeeperProtocol

/// Identifies a connection between a leader and a learner, on one of the two servers. Numbers are never reused.
package struct ConnectionID: RawRepresentable, Hashable, Comparable, Sendable {
  package var rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.rawValue < right.rawValue }
}

/// An input of the state machine. ``ZabPeer`` is given one at a time.
package enum ZabEvent: Equatable, Sendable {
  /// The data directory is recovered and the ports are open: the member starts an election.
  case started
  /// `ZabPeer.nextDeadline` has passed.
  case tick
  /// An election message of another server.
  case notification(ElectionNotification, from: ServerID)
  /// Nothing listens at the election port of this server, to which a notification was sent: its process has ended.
  case notificationRefused(by: ServerID)
  /// A learner has opened a connection to this server's quorum port.
  case learnerConnected(ConnectionID)
  /// An observer has opened a connection to this server's port for observers.
  case observerConnected(ConnectionID)
  /// The connection that `connectToLeader` or `connectToObserverMaster` asked for is open.
  case leaderConnected(ConnectionID)
  /// The connection that `connectToLeader` or `connectToObserverMaster` asked for could not be opened.
  case leaderUnreachable
  /// A connection has ended otherwise than by the action `close`.
  case disconnected(ConnectionID)
  case received(QuorumPacket, ConnectionID)
  /// Packets that have arrived on one connection, one after the other. The same as `received` for each of them, if none
  /// results in an action that must be performed before the next one is handled: PROPOSALs and COMMITs for a learner,
  /// ACKs for a leader that serves. Of ACKs that follow each other, the last one is enough.
  case receivedTogether([QuorumPacket], ConnectionID)
  /// The server has made a transaction from a request. Given only while it leads and serves.
  case proposed(TxnHistory.Entry)
  /// Everything that was appended up to this transaction is durable.
  case persisted(through: Zxid)
  case acceptedEpochSaved(Epoch)
  case currentEpochSaved(Epoch)
  /// A sync waits for the confirmation that this server still leads: see `ZabPeer.confirmedQuestions`.
  case leadershipQuestioned
  /// The log now ends with this transaction, and the tree, if it had applied later ones, was read again.
  case truncated(Zxid)
  /// The log cannot be truncated after this transaction: the member needs a snapshot.
  case truncationFailed(Zxid)
  /// Whether what `examineLog` asked about can be sent to the learner.
  case logExamined(ConnectionID, isComplete: Bool)
  /// What `sendLog` asked for could not be read up to this transaction, and the learner was disconnected.
  case logUnreadable(through: Zxid)
  /// The leader's snapshot is now the only history, durably. Its tree may contain a configuration.
  case snapshotInstalled(Zxid, QuorumConfiguration?)
}
