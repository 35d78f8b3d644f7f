internal import ZooKeeperProtocol

/// How a learner is brought to its leader's history.
enum SyncPlan: Equatable, Sendable {
  /// Its history is the beginning of the leader's: what comes after is sent.
  case diff(after: Zxid)
  /// It has something at its end that the leader has not: that is cut, and what comes after is sent.
  case trunc(to: Zxid)
  /// Too much is missing, or unknown: it gets the whole tree.
  case snap

  /// Decides for a learner whose history ends with `last`.
  ///
  /// - Parameter committed: the end of what the leader considers committed.
  ///
  /// *Source*: `LearnerHandler.syncFollower`; `QuorumProtocol` B.4.
  init(learner last: Zxid, history: TxnHistory, committed: Zxid, skipsHoles: Bool = false) {
    // The end of a leader's history that proposed nothing: no transaction, so none that others could lack.
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
      // What is to be cut belongs to another epoch than what follows: Apache's learners cannot do that.
      self = .snap
    } else {
      self = .trunc(to: history.place(before: last))
    }
  }
}

/// The leader's side.
extension ZabPeer {
  /// Sends a learner what it lacks, then NEWLEADER; from here on it gets everything that is proposed and committed.
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
    // It may just have been told to forget what it had acknowledged.
    if !settings.keepsAcknowledgementsAcrossSync { leader?.acknowledged.forget(handle.id) }
    // What is in the initial history is committed with it; what was proposed since may never be.
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
