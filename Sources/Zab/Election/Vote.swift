internal import ZooKeeperProtocol

/// Whom a server wants to lead, and why.
struct Vote: Hashable, Sendable {
  var leader: ServerID
  /// The last transaction of that server's history.
  var zxid: Zxid
  /// The epoch of that server's history.
  var peerEpoch: Epoch

  /// The vote of a server that may not vote.
  static let none = Vote(leader: .none, zxid: Zxid(rawValue: .min), peerEpoch: Epoch(rawValue: .min))

  /// Makes one of the given fields.
  init(leader: ServerID, zxid: Zxid, peerEpoch: Epoch) {
    self.leader = leader
    self.zxid = zxid
    self.peerEpoch = peerEpoch
  }

  /// The vote that a message is for.
  init(_ notification: ElectionNotification) {
    self.init(leader: notification.leader, zxid: notification.zxid, peerEpoch: notification.peerEpoch)
  }

  /// Whether this vote is better than another: the newer history wins, then the higher id.
  ///
  /// *Source*: `FastLeaderElection.totalOrderPredicate`; `QuorumProtocol` A.4.
  func beats(_ other: Vote, ignoringZxid: Bool = false) -> Bool {
    if ignoringZxid { return leader > other.leader }
    return (peerEpoch, zxid, leader) > (other.peerEpoch, other.zxid, other.leader)
  }
}

/// A vote as it came from a server.
struct ReceivedVote: Hashable, Sendable {
  var vote: Vote
  /// The sender's logical clock.
  var round: Int64
  var state: ElectionNotification.State
  var version: Int32

  /// The vote of a message.
  init(_ notification: ElectionNotification) {
    vote = Vote(notification)
    round = notification.round
    state = notification.state
    version = notification.version
  }

  /// This server's own vote.
  init(own vote: Vote, round: Int64) {
    self.vote = vote
    self.round = round
    state = .looking
    version = ElectionNotification.currentVersion
  }

  /// Whether two votes count for the same leader. Of servers that have one, only leader and epoch are compared: what
  /// they knew when they elected it may differ.
  ///
  /// *Source*: `org.apache.zookeeper.server.quorum.Vote.equals`; `QuorumProtocol` A.4.
  func agrees(with other: ReceivedVote) -> Bool {
    if state == .looking || other.state == .looking { return vote == other.vote && round == other.round }
    guard (version == 0) == (other.version == 0) else { return vote.leader == other.vote.leader }
    return vote.leader == other.vote.leader && vote.peerEpoch == other.vote.peerEpoch
  }
}
