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
  /// A member is not told what the end of its log has made durable, before the log is truncated.
  case forgetsPersistedWhenLogEnds
  /// What an earlier log reports late is taken for a report of the one that was begun since.
  case trustsReportsOfEarlierLogs
  /// A snapshot is complete before the log has reached its last transaction.
  case snapshotsIgnoreLog
}
