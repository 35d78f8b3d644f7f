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

/// What a member of an ensemble is.
package enum ZabRole: Hashable, Sendable {
  case looking
  case following(ServerID)
  case observing(ServerID)
  case leading
}

/// What a member does about what happened, in this order.
package enum ZabAction: Equatable, Sendable {
  case sendNotification(ElectionNotification, to: ServerID)
  case connectToLeader(ServerID)
  case send(QuorumPacket, ConnectionID)
  /// Sends SNAP and the tree as it is, whose last transaction is the zxid given.
  case sendSnapshot(ConnectionID, Zxid)
  /// What comes next on the connection is a tree with this last transaction: read and install it.
  case receiveSnapshot(ConnectionID, Zxid)
  case close(ConnectionID)
  /// Write to the log; `persisted` follows once it is synced.
  case append(TxnHistory.Entry)
  /// Make the log end there; with `rebuildsTree` the tree has gone further and must be read again.
  case truncate(to: Zxid, rebuildsTree: Bool)
  case saveAcceptedEpoch(Epoch)
  /// Write down that the epoch is about to change, so that a log with transactions of it can be recovered.
  case prepareCurrentEpoch(Epoch)
  case saveCurrentEpoch(Epoch)
  /// The transaction is committed, and so is everything before it: apply it.
  case deliver(TxnHistory.Entry)
  case roleChanged(ZabRole)
  /// The configuration is in force: elections and connections go by it from now on.
  case activate(QuorumConfiguration)
  /// Clients may come: as the leader of an epoch, or behind one.
  case startServing(Epoch)
  /// Clients must go: the member no longer knows what is committed.
  case stopServing
  /// A learner has something that the leader's server decides about: REQUEST, REVALIDATE, the sessions of a PING.
  case learnerAsks(QuorumPacket, ServerID, ConnectionID)
  /// The leader's server has answered REVALIDATE.
  case leaderAnswers(QuorumPacket)
  /// The leader answers a SYNC: all that was committed before has come.
  case synced(through: Zxid)
  /// The leader asks which sessions were heard from: send PING back with them.
  case pinged(ConnectionID, Zxid)
  /// The member cannot go on: what is said here ends it.
  case failed(String)
  /// For the log.
  case note(String)
}
