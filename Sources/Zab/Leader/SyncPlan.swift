internal import ZooKeeperProtocol

/// How a learner is brought up to date with its leader's history.
enum SyncPlan: Equatable, Sendable {
  /// The learner's history is a prefix of the leader's: the leader sends what follows.
  case diff(after: Zxid)
  /// The learner has transactions at its end that the leader lacks: it truncates them, and the leader sends what
  /// follows.
  case trunc(to: Zxid)
  /// The leader does not have in memory what the learner lacks: it sends the whole tree.
  case snap

  /// Chooses the way for a learner whose history ends with `last`.
  ///
  /// - Parameters:
  ///   - committed: the end of what the leader considers committed.
  ///   - skipsHoles: a known bug, see `ZabMutation.diffSkipsHole`.
  ///
  /// *Source*: `LearnerHandler.syncFollower`; `QuorumProtocol` B.4.
  init(learner last: Zxid, history: TxnHistory, committed: Zxid, skipsHoles: Bool = false) {
    // The leader of that epoch has proposed nothing: counter 0 is no transaction, so the leader cannot lack it.
    let isBeginningOfEpoch = last.counter == 0
    if last == committed {
      self = .diff(after: committed)
    } else if last > committed {
      self = isBeginningOfEpoch ? .diff(after: committed) : .trunc(to: committed)
    } else if last < history.base {
      self = skipsHoles ? .diff(after: history.base) : .snap
    } else if history.contains(last) || isBeginningOfEpoch {
      self = .diff(after: last)
    } else if history.entry(after: last)?.zxid.epoch != last.epoch {
      // TRUNC would end in another epoch than the one that follows, which Apache's learners cannot handle.
      self = .snap
    } else {
      self = .trunc(to: history.place(before: last))
    }
  }
}

/// The leader's side of a synchronization.
extension ZabPeer {
  /// Sends a learner what it lacks, and then NEWLEADER. From here on it is sent everything that is proposed and
  /// committed.
  mutating func synchronize(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let state = leader, let handle = handle(connection) else { return }
    let end = state.phase == .broadcasting ? committed : history.last
    let plan = SyncPlan(
      learner: handle.lastZxid, history: history, committed: end, skipsHoles: settings.maySkipHoles)
    let start: Zxid
    switch plan {
    case .diff(let place):
      actions.append(.send(QuorumPacket(.diff, zxid: end), connection))
      start = place
    case .trunc(let place):
      actions.append(.send(QuorumPacket(.trunc, zxid: place), connection))
      start = place
    case .snap:
      actions.append(.sendSnapshot(connection, delivered))
      start = delivered
    }
    for entry in history.entries(after: start, through: end) where !entry.bytes.isEmpty {
      actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), connection))
      actions.append(.send(QuorumPacket(.commit, zxid: entry.zxid), connection))
    }
    if !handle.isObserver, !settings.dropsProposalsDuringSync {
      for entry in history.entries(after: end, through: history.last) {
        actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), connection))
      }
    }
    // TRUNC or SNAP may remove what the learner has acknowledged earlier.
    if !settings.keepsAcknowledgementsAcrossSync { leader?.acknowledged.forget(handle.id) }
    // A configuration in the initial history is committed with that history; one that was proposed since may never be.
    let known = state.phase == .broadcasting ? configuration : pending?.configuration ?? configuration
    let text = Array(known.text.utf8)
    actions.append(.send(QuorumPacket(.newLeader, zxid: state.epoch.newLeaderZxid, data: text), connection))
    let deadline = now + settings.initMilliseconds
    update(connection) {
      $0.phase = .synchronizing
      $0.deadline = deadline
    }
  }
}
