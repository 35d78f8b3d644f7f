internal import ZooKeeperProtocol

/// How a learner is brought up to date with its leader's history.
enum SyncPlan: Equatable, Sendable {
  /// The learner's history is a prefix of the leader's: the leader sends what follows.
  case diff(after: Zxid)
  /// The learner has transactions at its end that the leader lacks: it truncates them, and the leader sends what
  /// follows.
  case trunc(to: Zxid)
  /// The leader's log on disk has what the learner lacks, up to what the leader has in memory.
  case log(after: Zxid)
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
    if last == ZabPeer.foreignHistory {
      // Said by a learner that needs the tree. In a log that was begun standalone it is a transaction, too.
      self = .snap
    } else if last == committed {
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

/// The leader's side of a synchronization, and an observer master's.
extension ZabPeer {
  /// Whether this server's history is not known to be committed, because it is still establishing its epoch as leader.
  private var isEstablishing: Bool { isLeader && leader?.phase != .broadcasting }

  /// The end of the history that a learner is sent as committed.
  private var syncEnd: Zxid {
    if isLearner, settings.sendsObserversUncommitted { return history.last }
    return isEstablishing ? history.last : committed
  }

  /// Sends a learner what it lacks, unless the log must be looked at before.
  mutating func synchronize(_ connection: ConnectionID, _ actions: inout [ZabAction]) {
    guard let handle = handle(connection) else { return }
    let end = syncEnd
    if settings.alwaysSendsTree { return synchronize(connection, .snap, through: end, &actions) }
    let plan = SyncPlan(
      learner: handle.lastZxid, history: history, committed: end, skipsHoles: settings.maySkipHoles)
    guard plan == .snap, mayUseLog(for: handle) else { return synchronize(connection, plan, through: end, &actions) }
    update(connection) { $0.phase = .awaitingLog }
    actions.append(.examineLog(connection, after: handle.lastZxid, through: history.base))
  }

  /// Whether the log may have what a learner lacks. What is not durable here, because a leader does not wait for its
  /// own disk, cannot be read there.
  ///
  /// Servers without a history report zxid 1 or −1, and must be sent the tree. So must those whose history ends in
  /// epoch 0: standalone servers make transactions in it, each its own ones under the same zxids. And so must those
  /// that lack what could not be read before, because they would lose their connection again.
  private func mayUseLog(for handle: LearnerHandle) -> Bool {
    settings.readsLogForLearners && handle.lastZxid.rawValue >> 32 > 0 && handle.lastZxid.counter > 0
      && handle.lastZxid < history.base && history.base <= persisted && handle.lastZxid >= unreadableLogEnd
  }

  /// Synchronizes a learner, once it is known whether the log has what it lacks.
  mutating func onLogExamined(_ connection: ConnectionID, isComplete: Bool, _ actions: inout [ZabAction]) {
    guard let handle = handle(connection), handle.phase == .awaitingLog else { return }
    // What is no longer in memory was delivered, so that it is in the log too, if not yet on the disk.
    let plan: SyncPlan = isComplete && mayUseLog(for: handle) ? .log(after: handle.lastZxid) : .snap
    synchronize(connection, plan, through: syncEnd, &actions)
  }

  /// Sends a learner what it lacks, and then NEWLEADER. From here on it is sent everything that is proposed and
  /// committed.
  private mutating func synchronize(
    _ connection: ConnectionID, _ plan: SyncPlan, through end: Zxid, _ actions: inout [ZabAction]
  ) {
    guard let epoch = leader?.epoch ?? learner?.epoch, let handle = handle(connection) else { return }
    let start: Zxid
    switch plan {
    case .log(let place):
      actions.append(.sendLog(connection, QuorumPacket(.diff, zxid: end), after: place, through: history.base))
      start = history.base
    case .diff(let place):
      actions.append(.send(QuorumPacket(.diff, zxid: end), connection))
      start = place
    case .trunc(let place):
      actions.append(.send(QuorumPacket(.trunc, zxid: place), connection))
      start = place
    case .snap:
      if isEstablishing { applyInitialHistory(&actions) }
      actions.append(.sendSnapshot(connection, delivered))
      start = delivered
    }
    for entry in history.entries(after: start, through: end) where !entry.bytes.isEmpty {
      actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), connection))
      actions.append(.send(QuorumPacket(.commit, zxid: entry.zxid), connection))
    }
    // TRUNC or SNAP may remove what the learner has acknowledged earlier.
    if !settings.keepsAcknowledgementsAcrossSync { leader?.acknowledged.forget(handle.id) }
    // A configuration in the initial history is committed with that history; one that was proposed since may never be.
    let known = isEstablishing ? pending?.configuration ?? configuration : configuration
    let text = Array(known.text.utf8)
    actions.append(.send(QuorumPacket(.newLeader, zxid: epoch.newLeaderZxid, data: text), connection))
    // What is outstanding follows NEWLEADER, although Apache's leaders send it before: its learners of 3.8.0 end the
    // connection if they get the COMMIT of such a proposal before UPTODATE (ZOOKEEPER-4394), and begin anew.
    if !handle.isObserver, !settings.dropsProposalsDuringSync {
      for entry in history.entries(after: end, through: history.last) {
        actions.append(.send(QuorumPacket(.proposal, zxid: entry.zxid, data: entry.bytes), connection))
      }
    }
    let deadline = now + settings.initMilliseconds
    update(connection) {
      $0.phase = .synchronizing
      $0.deadline = deadline
    }
  }
}
