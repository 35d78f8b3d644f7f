internal import ZooKeeperProtocol

/// All changes of role.
///
/// *Source*: `quorum-protocol` A.10.
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
    if settings.has(.deliversUncommitted) {
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
