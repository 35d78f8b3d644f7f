internal import ZooKeeperProtocol

/// All changes of role.
///
/// *Source*: `QuorumProtocol` A.10.
extension ZabPeer {
  /// Gives up the current role and starts an election.
  mutating func startLooking(_ actions: inout [ZabAction]) {
    let delay = observerElectionDelay
    endRole(&actions)
    role = .looking
    actions.append(.roleChanged(.looking))
    startRound(after: delay, &actions)
  }

  /// Takes the role of the leader after an election that this server has won.
  ///
  /// The epoch is only a candidate until a quorum of voters has reported which epochs it has accepted.
  mutating func startLeading(_ actions: inout [ZabAction]) {
    role = .leading
    actions.append(.roleChanged(.leading))
    leader = LeaderState(
      epoch: max(acceptedEpoch, epochFloor).next, initialEpoch: currentEpoch, initialZxid: history.last,
      deadline: now + settings.initMilliseconds, nextPing: now + settings.tickMilliseconds / 2)
    countForEpoch(id, accepted: acceptedEpoch, &actions)
  }

  /// Takes the role of a follower or observer after another server has been elected.
  mutating func startLearning(from leaderID: ServerID, _ actions: inout [ZabAction]) {
    role = configuration.member(id)?.isObserver == true && !votes(id) ? .observing(leaderID) : .following(leaderID)
    actions.append(.roleChanged(role))
    let delay = reconnectDelay
    learner = LearnerState(leaderID: leaderID, deadline: now + settings.initMilliseconds + delay)
    guard delay > 0 else { return callLeader(&actions) }
    learner?.nextCall = now + delay
  }

  /// Changes to the leader that a committed reconfiguration has designated, without an election.
  ///
  /// If that server does not take the role, the others time out and elect a leader as usual.
  ///
  /// *Source*: `QuorumPeer.updateServerState` with `reconfigFlag`; `QuorumProtocol` B.14.
  mutating func changeLeader(to designated: ServerID, _ actions: inout [ZabAction]) {
    guard configuration.isVoter(designated) else { return startLooking(&actions) }
    endRole(&actions)
    election.proposal = Vote(leader: designated, zxid: history.last, peerEpoch: currentEpoch)
    if designated == id { startLeading(&actions) } else { startLearning(from: designated, &actions) }
  }

  /// Ends a role: closes its connections and stops serving clients.
  ///
  /// The history stays as it is, and what is not known to be committed is not delivered: the next leader may truncate
  /// it.
  private mutating func endRole(_ actions: inout [ZabAction]) {
    for handle in leader?.learners ?? [] { actions.append(.close(handle.connection)) }
    for handle in learner?.observers ?? [] { actions.append(.close(handle.connection)) }
    if let connection = learner?.connection { actions.append(.close(connection)) }
    if isServing { actions.append(.stopServing) }
    isServing = false
    leader = nil
    learner = nil
    forgetFirstName()
    if settings.deliversUncommittedWhenRoleEnds {
      committed = history.last
      deliver(&actions)
    }
  }

  /// Starts to serve clients, once the leader's epoch is established.
  mutating func startServing(_ epoch: Epoch, _ actions: inout [ZabAction]) {
    isServing = true
    election.settle(epoch: epoch)
    actions.append(.startServing(epoch))
  }
}
