/// The times of an ensemble's member, in milliseconds.
///
/// *Source*: `StorageFormat` E.1; `QuorumProtocol` A.6, B.2, B.10.
package struct ZabSettings: Hashable, Sendable {
  /// `tickTime`: pings go out twice a tick.
  package var tickMilliseconds: Int64 = 3000
  /// `initLimit`: ticks that finding an epoch and synchronizing may take.
  package var initLimitTicks: Int64 = 10
  /// `syncLimit`: ticks of silence after which the other side counts as lost.
  package var syncLimitTicks: Int64 = 5
  /// How long a server with a quorum of votes still waits for a better one. Apache's is 200; it needs no more than a
  /// message takes, and a better vote that comes later costs another election, never data.
  package var decisionMilliseconds: Int64 = 60
  /// The first pause between two rounds of the same vote.
  package var minNotificationMilliseconds: Int64 = 200
  /// The longest pause between two rounds of the same vote; it doubles up to here.
  package var maxNotificationMilliseconds: Int64 = 3200
  /// Between two calls of a leader that does not answer yet.
  package var leaderRetryMilliseconds: Int64 = 50
  /// Calls of a leader before another election.
  package var leaderRetryCount = 10
  /// Transactions kept in memory to bring learners up to date with: `commitLogCount`.
  package var historyCount = 2000
  /// Their bytes at most.
  package var historyBytes = 32 << 20
  /// `reconfigEnabled`: the ensemble may change, so that its first configuration needs a version, too.
  package var isReconfigEnabled = false
  #if ZAB_MUTATIONS
    /// The bug that is put in on purpose, for the tests of the simulator.
    package var mutation: ZabMutation?
  #endif

  /// Apache's values, but where they say otherwise.
  package init() {}

  /// How long a member may take to come up to date.
  package var initMilliseconds: Int64 { milliseconds(initLimitTicks) }
  /// How long a member may be silent.
  package var syncMilliseconds: Int64 { milliseconds(syncLimitTicks) }

  /// So many ticks; no more than leaves room for a point in time.
  private func milliseconds(_ ticks: Int64) -> Int64 {
    let (product, overflows) = tickMilliseconds.multipliedReportingOverflow(by: ticks)
    return overflows ? 1 << 60 : min(product, 1 << 60)
  }

  /// Whether a bug is put in; never in a release build.
  @inline(__always)
  func has(_ mutation: ZabMutation) -> Bool {
    #if ZAB_MUTATIONS
      self.mutation == mutation
    #else
      false
    #endif
  }
}

/// Bugs that implementations of ZooKeeper have had, to be put in on purpose: a simulator that does not find them is
/// worth nothing.
///
/// *Source*: `QuorumProtocol` F.3, whose numbers are issues of ZooKeeper.
package enum ZabMutation: String, Hashable, Sendable, CaseIterable {
  /// A proposal is acknowledged before it is synced (3911, 4646).
  case ackBeforePersisted
  /// NEWLEADER is acknowledged before the history is synced (3911, 4685).
  case newLeaderAckBeforePersisted
  /// NEWLEADER is acknowledged before the epoch is saved (1653).
  case newLeaderAckBeforeEpoch
  /// A promise to follow an epoch is given before it is saved (1653, 2307).
  case ackEpochBeforeSaved
  /// A restarted server has forgotten what it promised (2307, 4269).
  case forgetsPromises
  /// The leader takes up its epoch without saving it (4269).
  case leaderSkipsCurrentEpoch
  /// The leader saves its epoch before the history with which it was elected is synced.
  case leaderEpochBeforePersisted
  /// Transactions of a new epoch are logged without a word that the epoch is about to change (4643).
  case skipsPrepareEpoch
  /// Epoch acknowledgements of observers count (2959).
  case observersCountForEpoch
  /// The leader applies what is committed only once its own disk has it, and answers its clients' syncs before that.
  case leaderDeliversOnlyPersisted
  /// A leader answers syncs without asking whether it still leads.
  case answersSyncsUnconfirmed
  /// Transactions may be larger than other servers read (4306).
  case writesLargeTransactions
  /// A minority commits.
  case minorityCommits
  /// The leader lets a learner in that is ahead of it.
  case acceptsLearnerAhead
  /// What was proposed while a learner is being synchronized does not reach it (962).
  case losesProposalsDuringSync
  /// The leader forgets that the acknowledgements of a truncated learner are void.
  case keepsAcksAcrossSync
  /// TRUNC changes memory and leaves the log (1154).
  case truncatesMemoryOnly
  /// A new leader takes a snapshot of what may not be committed, and TRUNC leaves it in place (4837).
  case truncationKeepsSnapshots
  /// A learner from before the window of transactions in memory is sent the window alone (2418, 2846, 4925).
  case diffSkipsHole
  /// After SNAP the old transactions stay, to bring others up to date with, and holes are passed over (2846).
  case diffFromDeadBranch
  /// Uncommitted transactions of an old epoch are delivered when the role ends (2845).
  case deliversUncommitted
  /// A leader goes on without a quorum.
  case keepsLeadingAlone
  /// The higher zxid does not win an election.
  case ignoresZxidInVotes
}
