internal import DequeModule
package import ZooKeeperProtocol

/// Who turns this server's requests into transactions.
package enum ServerRole: Hashable, Sendable {
  /// The server itself, alone.
  case standalone
  /// The server itself, for the whole ensemble, with the zxids of an epoch.
  case leader(Epoch)
  /// The leader, to which writes are passed on. Reads are answered from the server's own tree.
  case learner
  /// Nobody: the server is cut off from the others, and answers only reads.
  case readOnly

  /// Whether the server decides for an ensemble.
  package var isLeader: Bool { if case .leader = self { true } else { false } }
}

/// What a learner's server has for its leader, in the order in which it came up.
struct LeaderQuestions {
  var requests: [LeaderQuestion] = []
  /// Connections whose syncs the leader has not answered, oldest first.
  var syncs = Deque<ClientConnection>()
  /// On a leader: its own clients' syncs since the last look, which wait until it is known to lead still.
  var heldSyncCount = 0
  /// Syncs that the leader has answered, and how far this server must be before their clients are told.
  var answeredSyncs = Deque<Zxid>()
  /// Connections that want a session back, by session.
  var revalidations: [SessionID: [ClientConnection]] = [:]
  var touched: [SessionRecord] = []

  /// Something was heard from a session.
  mutating func noteTouched(_ session: SessionRecord) {
    guard !session.isTouched else { return }
    session.isTouched = true
    touched.append(session)
  }
}

/// One thing that a learner's server asks its leader.
package enum LeaderQuestion: Hashable, Sendable {
  /// REQUEST, with what the client has proved to be.
  case request(ForwardedRequest, [Identity]?)
  /// REVALIDATE.
  case session(SessionTouch)
}
