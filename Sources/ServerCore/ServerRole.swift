internal import DequeModule
package import ZooKeeperProtocol

/// Who turns this server's requests into transactions.
package enum ServerRole: Hashable, Sendable {
  /// The server itself: it has no ensemble.
  case standalone
  /// The server itself, for the whole ensemble, with the zxids of an epoch.
  case leader(Epoch)
  /// The leader, to which writes are forwarded. Reads are answered from this server's tree.
  case learner
  /// No server: this one is cut off from the others, and answers only reads.
  case readOnly

  /// Whether the server leads an ensemble.
  package var isLeader: Bool { if case .leader = self { true } else { false } }
}

/// A learner's requests for its leader, and what waits for the answers.
struct LeaderQuestions {
  var requests: [LeaderQuestion] = []
  /// Connections whose syncs the leader has not answered, oldest first.
  var syncs = Deque<ClientConnection>()
  /// On a leader: the number of syncs from clients of the same server since the last `takeHeldSyncs`.
  var heldSyncCount = 0
  /// For each sync that the leader has answered, the zxid that this server must have applied before it answers the
  /// client.
  var answeredSyncs = Deque<Zxid>()
  /// Connections that want to resume a session, by session.
  var revalidations: [SessionID: [ClientConnection]] = [:]
  var touched: [SessionRecord] = []

  /// Records that a session was heard from, for the answer to the leader's next PING.
  mutating func noteTouched(_ session: SessionRecord) {
    guard !session.wasHeardFrom else { return }
    session.wasHeardFrom = true
    touched.append(session)
  }
}

/// A learner's request for its leader.
package enum LeaderQuestion: Hashable, Sendable {
  /// REQUEST, with the identities of the client.
  case request(ForwardedRequest, [Identity]?)
  /// REVALIDATE.
  case session(SessionTouch)
}
