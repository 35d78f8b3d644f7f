internal import ZooKeeperProtocol

/// All changes of role.
///
/// *Source*: `QuorumProtocol` A.10.
extension ZabPeer {
  /// Gives up whatever it was and looks for a leader.
  mutating func startLooking(_ actions: inout [ZabAction]) {
    endRole(&actions)
    role = .looking
    actions.append(.roleChanged(.looking))
    startRound(&actions)
  }

  /// It has been elected.
  mutating func startLeading(_ actions: inout [ZabAction]) {
    role = .leading
    actions.append(.roleChanged(.leading))
    leader = LeaderState(
      epoch: max(acceptedEpoch, epochFloor).next, initialEpoch: currentEpoch, initialZxid: history.last,
      deadline: now + settings.initMilliseconds, nextPing: now + settings.tickMilliseconds / 2)
    countForEpoch(id, accepted: acceptedEpoch, &actions)
  }

  /// Another one has been elected.
  mutating func startLearning(from leaderID: ServerID, _ actions: inout [ZabAction]) {
    role = configuration.member(id)?.isObserver == true && !votes(id) ? .observing(leaderID) : .following(leaderID)
    actions.append(.roleChanged(role))
    learner = LearnerState(leaderID: leaderID, deadline: now + settings.initMilliseconds)
    actions.append(.connectToLeader(leaderID))
  }

  /// The ensemble has agreed on a configuration and on who leads under it: there is nothing to elect.
  ///
  /// Should that server not take up its part, all look for another.
  ///
  /// *Source*: `QuorumPeer.updateServerState` with `reconfigFlag`; `QuorumProtocol` B.14.
  mutating func changeLeader(to designated: ServerID, _ actions: inout [ZabAction]) {
    guard configuration.isVoter(designated) else { return startLooking(&actions) }
    endRole(&actions)
    election.proposal = Vote(leader: designated, zxid: history.last, peerEpoch: currentEpoch)
    if designated == id { startLeading(&actions) } else { startLearning(from: designated, &actions) }
  }

  /// Ends a role: connections are closed, clients sent away. The history stays as it is: what is not known to be
  /// committed is not delivered.
  private mutating func endRole(_ actions: inout [ZabAction]) {
    for handle in leader?.learners ?? [] { actions.append(.close(handle.connection)) }
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

  /// The ensemble works: clients may come.
  mutating func startServing(_ epoch: Epoch, _ actions: inout [ZabAction]) {
    isServing = true
    election.settle(epoch: epoch)
    actions.append(.startServing(epoch))
  }
}
