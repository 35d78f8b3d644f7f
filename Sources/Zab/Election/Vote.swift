internal import ZooKeeperProtocol

/// A vote for a leader, with the end and the epoch of the leader's history, by which votes are compared.
struct Vote: Hashable, Sendable {
  var leader: ServerID
  /// The last transaction of that server's history.
  var zxid: Zxid
  /// The epoch of that server's history.
  var peerEpoch: Epoch

  /// The vote of a server that is no voter.
  static let none = Vote(leader: .none, zxid: Zxid(rawValue: .min), peerEpoch: Epoch(rawValue: .min))

  init(leader: ServerID, zxid: Zxid, peerEpoch: Epoch) {
    self.leader = leader
    self.zxid = zxid
    self.peerEpoch = peerEpoch
  }

  /// The vote in a message.
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

/// A vote as a server has sent it.
struct ReceivedVote: Hashable, Sendable {
  var vote: Vote
  /// The sender's round.
  var round: Int64
  var state: ElectionNotification.State
  var version: Int32

  /// The vote in a message, with what the message says of its sender.
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

  /// Whether two votes count for the same leader. For servers that have a leader, only leader and epoch are compared:
  /// the rest is what each server knew when it elected the leader, and may differ.
  ///
  /// *Source*: `org.apache.zookeeper.server.quorum.Vote.equals`; `QuorumProtocol` A.4.
  func agrees(with other: ReceivedVote) -> Bool {
    if state == .looking || other.state == .looking { return vote == other.vote && round == other.round }
    guard (version == 0) == (other.version == 0) else { return vote.leader == other.vote.leader }
    return vote.leader == other.vote.leader && vote.peerEpoch == other.vote.peerEpoch
  }
}
