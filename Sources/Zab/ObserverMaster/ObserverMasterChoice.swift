internal import ZooKeeperProtocol

/// Which server an observer connects to: the observer masters in turn, or the leader.
///
/// Apache's observers shuffle the voters; these begin at a place that depends on their id, and so spread as well. The
/// leader is left out, because a leader has no port for observers. If no observer master takes this one, it connects
/// to the leader itself, which Apache's observers never do.
///
/// *Source*: `QuorumPeer.findLearnerMaster`, `nextObserverMaster`; `QuorumProtocol` A.7.
extension ZabPeer {
  /// Connects to the leader, or to the observer master whose turn it is.
  mutating func callLeader(_ actions: inout [ZabAction]) {
    guard let leaderID = learner?.leaderID else { return }
    let master = nextObserverMaster
    learner?.master = master
    guard let master else { return actions.append(.connectToLeader(leaderID)) }
    observerMasterTurn &+= 1
    actions.append(.transport(.connectToObserverMaster(master)))
  }

  /// The observer master whose turn it is; nil if it is the leader's.
  private var nextObserverMaster: ServerID? {
    guard settings.hasObserverMasters, case .observing(let leaderID) = role else { return nil }
    let masters = configuration.voters.filter { $0 != leaderID }
    guard let failed = learner?.failedMasters, failed < masters.count else { return nil }
    let place = (UInt64(bitPattern: id.rawValue) &+ observerMasterTurn) % UInt64(masters.count)
    return masters[Int(place)]
  }

  /// Goes on to the next observer master, if this one has not begun to send what this server lacks.
  ///
  /// - Returns: whether it does.
  mutating func leaveObserverMaster(_ actions: inout [ZabAction]) -> Bool {
    guard let state = learner, let master = state.master else { return false }
    switch state.phase {
    case .connecting, .awaitingEpoch, .savingAcceptedEpoch, .awaitingSync: break
    default: return false
    }
    actions.append(.note(.observerMasterRefuses(master)))
    var next = LearnerState(leaderID: state.leaderID, deadline: state.deadline)
    next.failedMasters = state.failedMasters + 1
    next.nextCall = now + settings.leaderRetryMilliseconds
    learner = next
    return true
  }
}
