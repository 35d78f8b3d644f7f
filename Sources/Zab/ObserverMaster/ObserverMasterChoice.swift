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
    if nextObserverMaster == nil {
      // All have failed: like Apache's observers, this one does not go to the leader with all the others at once.
      let delay = delay(upTo: settings.observerReconnectMilliseconds)
      learner?.nextCall = now + settings.leaderRetryMilliseconds + delay
      learner?.deadline = state.deadline + delay
    }
    return true
  }

  /// How long this observer waits before it looks for a leader again. A server that has a vote does not wait.
  ///
  /// *Source*: `Observer.waitForObserverElectionDelay`.
  var observerElectionDelay: Int64 {
    guard case .observing = role, !votes(id) else { return 0 }
    return delay(upTo: settings.observerElectionMilliseconds)
  }

  /// How long this observer waits before it connects to the leader; before it connects to an observer master it does
  /// not wait.
  ///
  /// *Source*: `Observer.waitForReconnectDelay`, `QuorumPeer.findLearnerMaster`.
  var reconnectDelay: Int64 {
    guard case .observing = role, nextObserverMaster == nil else { return 0 }
    return delay(upTo: settings.observerReconnectMilliseconds)
  }

  /// A delay below a limit, so that the observers of a server that has died do not all come at the same time. Apache's
  /// observers draw it at random; here it depends on id and clock, because this state machine has no randomness.
  private func delay(upTo limit: Int64) -> Int64 {
    guard limit > 0 else { return 0 }
    var mixed = UInt64(bitPattern: id.rawValue) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(bitPattern: now)
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int64((mixed ^ (mixed >> 31)) % UInt64(limit))
  }
}
