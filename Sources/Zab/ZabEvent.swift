package import ZooKeeperProtocol

/// Names a connection between a leader and a learner, on the server that numbers it.
package struct ConnectionID: RawRepresentable, Hashable, Comparable, Sendable {
  package var rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.rawValue < right.rawValue }
}

/// What happens to a member of an ensemble.
package enum ZabEvent: Equatable, Sendable {
  /// The member begins to look for a leader.
  case started
  /// Time has passed: see `ZabPeer.nextDeadline`.
  case tick
  /// A message of another server's election.
  case notification(ElectionNotification, from: ServerID)
  /// Somebody has called who wants to be led.
  case learnerConnected(ConnectionID)
  /// The call of `connectToLeader` was taken.
  case leaderConnected(ConnectionID)
  /// The call of `connectToLeader` was not taken.
  case leaderUnreachable
  /// A connection has ended, whoever ended it.
  case disconnected(ConnectionID)
  case received(QuorumPacket, ConnectionID)
  /// The server made a transaction out of a request. Only while it leads and serves.
  case proposed(TxnHistory.Entry)
  /// Everything appended up to there is durable.
  case persisted(through: Zxid)
  case acceptedEpochSaved(Epoch)
  case currentEpochSaved(Epoch)
  /// Somebody waits to know that this server leads at this moment: see `ZabPeer.confirmedQuestions`.
  case leadershipQuestioned
  /// The log ends there now, and the tree, if it had gone further, was built anew.
  case truncated(Zxid)
  /// The log cannot end there: only a snapshot helps.
  case truncationFailed(Zxid)
  /// The leader's snapshot is the whole history now, durably. Its tree may name a configuration.
  case snapshotInstalled(Zxid, QuorumConfiguration?)
}
