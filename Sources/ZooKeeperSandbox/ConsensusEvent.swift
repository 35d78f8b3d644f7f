/// A message between two servers of an ensemble, or a change of a server's role.
///
/// A message causes two events: one server sends it and later another receives it. A message without the second event
/// was lost, or is still in flight.
public struct ConsensusEvent: Hashable, Sendable {
  /// The direction of a message at the server.
  public enum Direction: String, Hashable, Sendable {
    case sent, received
    /// No message: the server has changed its role.
    case local
  }

  /// The type of a message, with the names of ZooKeeper's protocol, or the new role of the server.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// A vote of an election.
    case vote = "VOTE"
    /// A learner introduces itself, with the last epoch that it has accepted.
    case followerInfo = "FOLLOWERINFO"
    case observerInfo = "OBSERVERINFO"
    /// The leader announces the epoch that it proposes.
    case leaderInfo = "LEADERINFO"
    /// A learner accepts that epoch.
    case ackEpoch = "ACKEPOCH"
    /// The leader sends the missing transactions, has the learner truncate its log, or sends the whole tree.
    case diff = "DIFF"
    case trunc = "TRUNC"
    case snap = "SNAP"
    /// The leader has sent the learner its initial history.
    case newLeader = "NEWLEADER"
    /// The leader lets the learner serve clients.
    case upToDate = "UPTODATE"
    /// A learner forwards a client's request.
    case request = "REQUEST"
    /// The leader proposes a transaction, a follower acknowledges that it is on disk, and the leader commits it.
    case proposal = "PROPOSAL"
    case ack = "ACK"
    case commit = "COMMIT"
    /// An observer learns of a committed transaction.
    case inform = "INFORM"
    /// The same for a reconfiguration.
    case commitAndActivate = "COMMITANDACTIVATE"
    case informAndActivate = "INFORMANDACTIVATE"
    /// A heartbeat, and the answer to it.
    case ping = "PING"
    /// A session moves to another server.
    case revalidate = "REVALIDATE"
    /// A client's `sync`.
    case sync = "SYNC"
    /// An unknown message.
    case unknown = "UNKNOWN"
    /// The roles.
    case looking = "LOOKING"
    case following = "FOLLOWING"
    case observing = "OBSERVING"
    case leading = "LEADING"
  }

  /// The time since the ensemble was started.
  public var time: Duration
  /// The server at which it happened.
  public var server: Int
  /// The other server; nil for a change of role, and if the other server has not identified itself yet.
  public var peer: Int?
  public var direction: Direction
  public var kind: Kind
  /// The transaction that the message concerns, if any.
  public var zxid: Int64?
  /// The epoch of that transaction, or the one that the message contains.
  public var epoch: Int?
  /// For a vote, the server that is voted for.
  public var leader: Int?
  /// For a vote, the round of the sender's election.
  public var round: Int64?
  /// The operation of a transaction or a request, such as `setData /a`, or the state of the sender of a vote.
  public var detail: String?

  /// An event without further details.
  package init(time: Duration, server: Int, peer: Int? = nil, direction: Direction, kind: Kind) {
    self.time = time
    self.server = server
    self.peer = peer
    self.direction = direction
    self.kind = kind
  }
}
