internal import ZooKeeperProtocol

/// The state of one server's elections.
///
/// *Source*: `org.apache.zookeeper.server.quorum.FastLeaderElection`; `QuorumProtocol` A.
struct FastLeaderElection: Equatable, Sendable {
  /// The number of the election: it is increased by each, and set to that of other servers. It is not durable.
  var round: Int64 = 0
  /// The vote that this server proposes or, once settled, the one for its leader.
  var proposal = Vote.none
  /// The votes of this round, by sender.
  var votes: [ServerID: ReceivedVote] = [:]
  /// The votes of servers that have a leader, by sender.
  var settled: [ServerID: ReceivedVote] = [:]
  /// Whether a server that is no voter adopts the round of the next voter even if it is lower. It does so once for each
  /// time that it sends its proposal: otherwise rounds that go up and down would cause endless messages.
  var takesLowerRound = false
  /// The version of the last configuration that was refused, so that it is reported once.
  var refusedConfiguration: Int64 = 0
  /// The last configuration that another server told of: nearly all notifications contain the same one, which is parsed
  /// once.
  var told: ToldConfiguration?
  var resendDeadline = Int64.max
  var resendInterval: Int64 = 0
  /// When the vote of a quorum becomes final; nil while no quorum agrees.
  var decisionDeadline: Int64?
  /// The servers whose processes have ended, so that no vote of theirs is waited for.
  var gone: Set<ServerID> = []
  /// Whether this server has not taken part in an election before. The others may just be starting: one that does not
  /// listen yet may have a better vote.
  var isFirst = true

  /// A configuration in a notification, as it came, and parsed; nil if it cannot be parsed.
  struct ToldConfiguration: Equatable, Sendable {
    let text: String
    let configuration: QuorumConfiguration?

    init(_ text: String) {
      self.text = text
      configuration = try? QuorumConfiguration(parsing: text)
    }
  }

  var nextDeadline: Int64 { min(resendDeadline, decisionDeadline ?? .max) }

  /// Records the epoch of the established leader, which this server's notifications contain from now on.
  mutating func settle(epoch: Epoch) { proposal.peerEpoch = epoch }
}

/// The election, while this server is looking for a leader and when it answers servers that are.
extension ZabPeer {
  /// Starts a new round with a vote for this server.
  ///
  /// - Parameter delay: how long an observer waits before it asks the voters, in milliseconds.
  mutating func startRound(after delay: Int64 = 0, _ actions: inout [ZabAction]) {
    // The largest number is kept: servers can elect a leader within one round too, if not as quickly.
    if election.round < .max { election.round += 1 }
    election.proposal = ownVote
    election.votes = [:]
    election.settled = [:]
    election.resendInterval = settings.minNotificationMilliseconds
    election.decisionDeadline = nil
    election.gone = []
    election.takesLowerRound = true
    if delay > 0 { election.resendDeadline = now + delay } else { propose(&actions) }
    evaluate(&actions)
  }

  /// Handles an expired deadline of the election: decides, or sends the proposal again.
  mutating func onElectionTick(_ actions: inout [ZabAction]) {
    if let deadline = election.decisionDeadline, now >= deadline { return conclude(&actions) }
    guard now >= election.resendDeadline else { return }
    election.resendInterval = min(election.resendInterval * 2, settings.maxNotificationMilliseconds)
    election.takesLowerRound = true
    propose(&actions)
  }

  /// Handles an election message of another server.
  ///
  /// *Source*: `FastLeaderElection.Messenger.WorkerReceiver`; `QuorumProtocol` A.5.
  mutating func onNotification(
    _ notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) {
    guard sender != id else { return }
    election.gone.remove(sender)
    if role == .looking, adoptConfiguration(of: notification, from: sender, &actions) { startRound(&actions) }
    guard votes(sender) else { return reply(to: sender, &actions) }
    guard role == .looking else {
      if notification.state == .looking {
        leader?.lookingVoters[sender] = now
        reply(to: sender, &actions)
      }
      return
    }
    switch notification.state {
    case .looking: onVote(notification, from: sender, &actions)
    case .following, .leading:
      if votes(notification.leader), weight(of: notification.leader) > 0 {
        onSettledVote(notification, from: sender, &actions)
      }
    case .observing: break
    }
  }

  /// Handles the refusal of a notification: does not wait for a vote of this server.
  ///
  /// The servers that have lost a leader because its process was killed elect another one that much sooner. If the
  /// server comes back in the meantime, it finds that leader: a better vote that comes late costs an election, never
  /// data.
  mutating func onRefusedNotification(_ server: ServerID, _ actions: inout [ZabAction]) {
    guard role == .looking, !election.isFirst, election.votes[server] == nil else { return }
    election.gone.insert(server)
    evaluate(&actions)
  }

  /// Adopts the newer configuration in a message: a server that knows only of former members would find no leader.
  ///
  /// Any process that can reach the port could stop an ensemble for good with a forged configuration. So it is adopted
  /// only if reconfiguration is enabled, if the sender is a member, also of a proposed configuration, and if it
  /// contains this server, as another one would be of no use. Apache's servers check only the first of these.
  ///
  /// - Returns: whether the members have changed.
  ///
  /// *Source*: `QuorumPeer.processReconfig`.
  private mutating func adoptConfiguration(
    of notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) -> Bool {
    guard let text = notification.configuration else { return false }
    if election.told?.text != text { election.told = FastLeaderElection.ToldConfiguration(text) }
    guard let told = election.told?.configuration, told.version > configuration.version, !told.voters.isEmpty else {
      return false
    }
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

  /// Why a configuration in a notification is refused; nil if it is adopted.
  private func reasonToRefuse(_ told: QuorumConfiguration, from sender: ServerID) -> ConfigurationRefusal? {
    if !settings.isReconfigEnabled { return .reconfigurationDisabled }
    if configuration.member(sender) == nil, pending?.configuration.member(sender) == nil { return .senderNotMember }
    if told.member(id) == nil { return .doesNotNameThisServer }
    return nil
  }

  /// Handles the vote of a server that is looking too: adopts a newer round or a better vote, and counts.
  private mutating func onVote(
    _ notification: ElectionNotification, from sender: ServerID, _ actions: inout [ZabAction]
  ) {
    // A server that was started without its data has no vote: it may have forgotten what it acknowledged. If this is
    // one, it waits for a leader that the others have elected.
    guard notification.zxid.rawValue != -1, !lacksData else { return }
    if notification.round < election.round {
      if isVoter { return reply(to: sender, &actions) }
      // Voters do not adopt the round of a server that is no voter. So it adopts theirs, lower ones too: they may count
      // its vote, if it is a voter of a configuration that has not reached it yet.
      guard election.takesLowerRound else { return }
    }
    election.takesLowerRound = false
    // If this server cannot elect the server that is voted for, it still takes the round of the vote, because the
    // sender would not take a lower one.
    let vote = isCandidate(notification.leader) ? Vote(notification) : .none
    let ignoresZxid = settings.ignoresZxidInVotes
    if notification.round != election.round {
      election.round = notification.round
      election.votes = [:]
      election.proposal = vote.beats(ownVote, ignoringZxid: ignoresZxid) ? vote : ownVote
      propose(&actions)
    } else if vote.beats(election.proposal, ignoringZxid: ignoresZxid) {
      election.proposal = vote
      propose(&actions)
    } else if election.settled.removeValue(forKey: sender) != nil {
      // The sender still had its last leader when this server's proposal came, and has not counted it. Apache's servers
      // wait until it is sent again, 200 ms later.
      reply(to: sender, &actions)
    }
    election.votes[sender] = ReceivedVote(notification)
    evaluate(&actions)
  }

  /// Handles the vote of a server that has a leader: follows that leader once a quorum does and the leader itself says
  /// that it leads.
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

  /// Whether the leader itself has said that it leads. The votes of its followers alone could be for a leader that has
  /// died since.
  private func isConfirmed(_ received: ReceivedVote, in votes: [ServerID: ReceivedVote]) -> Bool {
    let leader = received.vote.leader
    if leader == id, lacksData { return false }
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

  /// Whether a quorum of the active configuration follows the leader of a vote. A proposed configuration in this
  /// server's log does not count here: the leader has already been elected, and decides whether it is committed.
  private func isSettled(_ votes: [ServerID: ReceivedVote], for wanted: ReceivedVote) -> Bool {
    configuration.isQuorum { votes[$0].map { wanted.agrees(with: $0) } ?? false }
  }

  /// Decides the election if a quorum agrees with this server's proposal: at once if all voters do whose processes have
  /// not ended, else after a delay in which a better vote can arrive.
  private mutating func evaluate(_ actions: inout [ZabAction]) {
    if lacksData { return }
    let wanted = ReceivedVote(own: election.proposal, round: election.round)
    if isVoter { election.votes[id] = wanted }
    guard election.proposal.leader != .none, hasQuorum(election.votes, for: wanted) else {
      election.decisionDeadline = nil
      return
    }
    if allVoters.allSatisfy({ election.votes[$0].map { wanted.agrees(with: $0) } ?? election.gone.contains($0) }) {
      return conclude(&actions)
    }
    election.decisionDeadline = election.decisionDeadline ?? now + settings.decisionMilliseconds
  }

  private mutating func conclude(_ actions: inout [ZabAction]) {
    election.decisionDeadline = nil
    election.isFirst = false
    election.votes = [:]
    election.settled = [:]
    if election.proposal.leader == id {
      startLeading(&actions)
    } else {
      startLearning(from: election.proposal.leader, &actions)
    }
  }

  /// Whether this server may vote for another one, or for itself: it must be a voter of the committed configuration.
  ///
  /// A voter of a proposed configuration alone is no candidate. Servers that have not seen the proposal would not vote
  /// for it, and those that have would vote for no other one, so that neither side could win.
  private func isCandidate(_ server: ServerID) -> Bool {
    configuration.isVoter(server) && configuration.weight(of: server) > 0
  }

  private func weight(of server: ServerID) -> Int64 {
    max(configuration.weight(of: server), pending?.configuration.weight(of: server) ?? 0)
  }

  /// This server's vote for itself; `none` if it is no candidate. With zxid -1 it is
  /// ignored by all servers.
  private var ownVote: Vote {
    guard isCandidate(id) else { return .none }
    return Vote(leader: id, zxid: lacksData ? Zxid(rawValue: -1) : history.last, peerEpoch: currentEpoch)
  }

  /// Sends this server's proposal to all voters.
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
