internal import ZooKeeperProtocol

/// The state of one server's elections.
///
/// *Source*: `org.apache.zookeeper.server.quorum.FastLeaderElection`; `QuorumProtocol` A.
struct FastLeaderElection: Equatable, Sendable {
  /// The logical clock: counts this server's elections, and jumps to that of others. Never saved.
  var round: Int64 = 0
  /// What this server proposes, or what it has settled on.
  var proposal = Vote.none
  /// The votes of this round.
  var votes: [ServerID: ReceivedVote] = [:]
  /// The votes of servers that have a leader.
  var settled: [ServerID: ReceivedVote] = [:]
  /// Whether a server without a vote takes up the next voter's round though it is lower: once each time that it tells
  /// what it proposes, or rounds that go up and down would keep everybody busy.
  var takesLowerRound = false
  /// The version of the last configuration that was not taken up, so that this is said once.
  var refusedConfiguration: Int64 = 0
  var resendDeadline = Int64.max
  var resendInterval: Int64 = 0
  /// When the vote of a quorum becomes final.
  var decisionDeadline: Int64?

  var nextDeadline: Int64 { min(resendDeadline, decisionDeadline ?? .max) }

  /// The leader is established: from now on this server tells its epoch.
  mutating func settle(epoch: Epoch) { proposal.peerEpoch = epoch }
}

/// Looking for a leader.
extension ZabPeer {
  /// Begins an election.
  mutating func startRound(_ actions: inout [ZabAction]) {
    // The last number there is stays: servers can elect a leader in one round as well, if not as quickly.
    if election.round < .max { election.round += 1 }
    election.proposal = ownVote
    election.votes = [:]
    election.settled = [:]
    election.resendInterval = settings.minNotificationMilliseconds
    election.decisionDeadline = nil
    election.takesLowerRound = true
    propose(&actions)
    evaluate(&actions)
  }

  /// The election's time has come.
  mutating func onElectionTick(_ actions: inout [ZabAction]) {
    if let deadline = election.decisionDeadline, now >= deadline { return conclude(&actions) }
    guard now >= election.resendDeadline else { return }
    election.resendInterval = min(election.resendInterval * 2, settings.maxNotificationMilliseconds)
    election.takesLowerRound = true
    propose(&actions)
  }

  /// A message of another server's election.
  ///
  /// *Source*: `FastLeaderElection.Messenger.WorkerReceiver`; `QuorumProtocol` A.5.
  mutating func onNotification(
    _ notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) {
    guard sender != id else { return }
    if role == .looking, adoptConfiguration(of: notification, from: sender, &actions) { startRound(&actions) }
    guard votes(sender) else { return reply(to: sender, &actions) }
    guard role == .looking else {
      if notification.state == .looking {
        leader?.lookingVoters[sender] = now
        reply(to: sender, &actions)
      }
      return
    }
    guard votes(notification.leader), weight(of: notification.leader) > 0 else { return }
    switch notification.state {
    case .looking: onVote(notification, from: sender, &actions)
    case .following, .leading: onSettledVote(notification, from: sender, &actions)
    case .observing: break
    }
  }

  /// A server that looks for a leader among members who are none any more would never find one: it takes up what the
  /// others have agreed on.
  ///
  /// Whoever can reach the port could bring an ensemble down with a configuration of its own, for good. So it is taken
  /// only where the ensemble may change at all, from a member, and if it names this server: another one would not help
  /// it. Apache's servers look at the first of these alone.
  ///
  /// - Returns: whether it has changed who votes.
  ///
  /// *Source*: `QuorumPeer.processReconfig`.
  private mutating func adoptConfiguration(
    of notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) -> Bool {
    guard let text = notification.configuration, let told = try? QuorumConfiguration(parsing: text),
      told.version > configuration.version, !told.voters.isEmpty
    else { return false }
    let zxid = Zxid(rawValue: told.version)
    if let reason = reasonToRefuse(told, from: sender) {
      if election.refusedConfiguration != told.version {
        election.refusedConfiguration = told.version
        actions.append(.note(.refusesConfiguration(zxid, from: sender, reason)))
      }
      return false
    }
    actions.append(.note(.adoptsConfiguration(zxid, from: sender)))
    if let change = pending, change.configuration.version <= told.version { pending = nil }
    let hasSameVoters = configuration.hasSameMembers(as: told)
    put(told, &actions)
    return !hasSameVoters
  }

  /// Why a configuration that came with a notification is not taken up; nil if it is.
  private func reasonToRefuse(_ told: QuorumConfiguration, from sender: ServerID) -> ConfigurationRefusal? {
    if !settings.isReconfigEnabled { return .reconfigurationDisabled }
    if configuration.member(sender) == nil { return .senderNotMember }
    if told.member(id) == nil { return .doesNotNameThisServer }
    return nil
  }

  /// The vote of a server that is looking too.
  private mutating func onVote(
    _ notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) {
    // Servers without any data, which are told so, have no vote.
    guard notification.zxid.rawValue != -1 else { return }
    if notification.round < election.round {
      if isVoter { return reply(to: sender, &actions) }
      // Who has no vote of its own is told nothing by its round: voters do not follow it. It follows theirs, down as
      // well as up, for they may count it, as a voter of a configuration that has not reached it.
      guard election.takesLowerRound else { return }
    }
    election.takesLowerRound = false
    let vote = Vote(notification)
    let ignoresZxid = settings.ignoresZxidInVotes
    if notification.round != election.round {
      election.round = notification.round
      election.votes = [:]
      election.proposal = vote.beats(ownVote, ignoringZxid: ignoresZxid) ? vote : ownVote
      propose(&actions)
    } else if vote.beats(election.proposal, ignoringZxid: ignoresZxid) {
      election.proposal = vote
      propose(&actions)
    }
    election.votes[sender] = ReceivedVote(notification)
    evaluate(&actions)
  }

  /// The vote of a server that has a leader: joins it once a quorum says so, the leader among them.
  ///
  /// *Source*: `QuorumProtocol` A.6.
  private mutating func onSettledVote(
    _ notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) {
    let received = ReceivedVote(notification)
    if notification.round == election.round {
      election.votes[sender] = received
      if isSettled(election.votes, for: received), isConfirmed(received, in: election.votes) {
        return join(received, &actions)
      }
    }
    election.settled[sender] = received
    guard isSettled(election.settled, for: received), isConfirmed(received, in: election.settled) else { return }
    election.round = notification.round
    join(received, &actions)
  }

  /// Followers alone cannot bring back a leader that has died: it must itself say that it leads.
  private func isConfirmed(_ received: ReceivedVote, in votes: [ServerID: ReceivedVote]) -> Bool {
    let leader = received.vote.leader
    if leader == id { return received.round == election.round }
    return votes[leader]?.state == .leading
  }

  private mutating func join(_ received: ReceivedVote, _ actions: inout [ZabAction]) {
    election.proposal = received.vote
    conclude(&actions)
  }

  private func hasQuorum(_ votes: [ServerID: ReceivedVote], for wanted: ReceivedVote) -> Bool {
    isQuorum { votes[$0].map { wanted.agrees(with: $0) } ?? false }
  }

  /// Whether a quorum follows the leader of a vote. What this server has in its log and nobody may have committed does
  /// not count here: the leader will say what is to become of it.
  private func isSettled(_ votes: [ServerID: ReceivedVote], for wanted: ReceivedVote) -> Bool {
    configuration.isQuorum { votes[$0].map { wanted.agrees(with: $0) } ?? false }
  }

  /// A quorum for this server's proposal decides, at once if all voters agree, else after a moment in which a better
  /// vote may come.
  private mutating func evaluate(_ actions: inout [ZabAction]) {
    let wanted = ReceivedVote(own: election.proposal, round: election.round)
    if isVoter { election.votes[id] = wanted }
    guard election.proposal.leader != .none, hasQuorum(election.votes, for: wanted) else {
      election.decisionDeadline = nil
      return
    }
    if allVoters.allSatisfy({ election.votes[$0].map { wanted.agrees(with: $0) } ?? false }) {
      return conclude(&actions)
    }
    election.decisionDeadline = election.decisionDeadline ?? now + settings.decisionMilliseconds
  }

  private mutating func conclude(_ actions: inout [ZabAction]) {
    election.decisionDeadline = nil
    election.votes = [:]
    election.settled = [:]
    if election.proposal.leader == id {
      startLeading(&actions)
    } else {
      startLearning(from: election.proposal.leader, &actions)
    }
  }

  private func weight(of server: ServerID) -> Int64 {
    max(configuration.weight(of: server), pending?.configuration.weight(of: server) ?? 0)
  }

  /// What this server would vote for if it knew of no other.
  private var ownVote: Vote {
    isVoter ? Vote(leader: id, zxid: history.last, peerEpoch: currentEpoch) : .none
  }

  /// Tells all voters what this server proposes.
  private mutating func propose(_ actions: inout [ZabAction]) {
    election.resendDeadline = now + election.resendInterval
    let notification = ownNotification
    for voter in allVoters where voter != id {
      actions.append(.sendNotification(notification, to: voter))
    }
  }

  private func reply(to sender: ServerID, _ actions: inout [ZabAction]) {
    actions.append(.sendNotification(ownNotification, to: sender))
  }

  private var ownNotification: ElectionNotification {
    let state: ElectionNotification.State =
      switch role {
      case .looking: .looking
      case .leading: .leading
      case .following: .following
      case .observing: .observing
      }
    return ElectionNotification(
      state: state, leader: election.proposal.leader, zxid: election.proposal.zxid, round: election.round,
      peerEpoch: election.proposal.peerEpoch, configuration: configuration.text)
  }
}
