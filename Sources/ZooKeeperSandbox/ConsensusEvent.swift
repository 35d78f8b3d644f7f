/// A message between two servers of an ensemble, or a change of a server's role.
///
/// A message is two events: it is sent by one server and, later, received by another. A message that is sent and never
/// received was lost, or waits.
public struct ConsensusEvent: Hashable, Sendable {
  /// What became of a message at the server.
  public enum Direction: String, Hashable, Sendable {
    case sent, received
    /// There is no message: the server has changed its role.
    case local
  }

  /// What a message is, by the names of ZooKeeper's protocol, or which role the server has taken.
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
    /// The leader sends what the learner lacks, or has it cut off what the leader lacks, or sends the whole tree.
    case diff = "DIFF"
    case trunc = "TRUNC"
    case snap = "SNAP"
    /// The learner has everything that the leader's epoch begins with.
    case newLeader = "NEWLEADER"
    /// The learner may serve clients.
    case upToDate = "UPTODATE"
    /// A learner forwards a client's request.
    case request = "REQUEST"
    /// The leader proposes a transaction, a follower has it on disk, and the leader has it committed.
    case proposal = "PROPOSAL"
    case ack = "ACK"
    case commit = "COMMIT"
    /// An observer learns of a committed transaction.
    case inform = "INFORM"
    /// The same of a change of the ensemble.
    case commitAndActivate = "COMMITANDACTIVATE"
    case informAndActivate = "INFORMANDACTIVATE"
    /// A heartbeat, and the answer to it.
    case ping = "PING"
    /// A session moves to another server.
    case revalidate = "REVALIDATE"
    /// A client's `sync`.
    case sync = "SYNC"
    /// A message that is not known.
    case unknown = "UNKNOWN"
    /// The roles.
    case looking = "LOOKING"
    case following = "FOLLOWING"
    case observing = "OBSERVING"
    case leading = "LEADING"
  }

  /// Since the ensemble was started.
  public var time: Duration
  /// The server at which it happens.
  public var server: Int
  /// The other server; nil for a change of role, and for one that has not said yet who it is.
  public var peer: Int?
  public var direction: Direction
  public var kind: Kind
  /// The transaction that the message is about; nil if it is about none.
  public var zxid: Int64?
  /// The epoch of that transaction, or the one that the message is about.
  public var epoch: Int?
  /// Of a vote, the server that is voted for.
  public var leader: Int?
  /// Of a vote, the number of the sender's election.
  public var round: Int64?
  /// What a transaction or request does, such as `setData /a`; what the sender of a vote is doing.
  public var detail: String?

  /// An event of these kinds, of which nothing else is known.
  package init(time: Duration, server: Int, peer: Int? = nil, direction: Direction, kind: Kind) {
    self.time = time
    self.server = server
    self.peer = peer
    self.direction = direction
    self.kind = kind
  }
}
