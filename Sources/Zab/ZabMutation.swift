/// Bugs that implementations of ZooKeeper have had or could have, which can be put in on purpose to test that the
/// simulator finds them.
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
  /// A server forgets its promise to follow an epoch when it is restarted (2307, 4269).
  case forgetsPromises
  /// The leader uses its epoch without saving it (4269).
  case leaderSkipsCurrentEpoch
  /// The leader saves its epoch before the history with which it was elected is synced.
  case leaderEpochBeforePersisted
  /// Transactions of a new epoch are logged before the epoch is announced (4643).
  case skipsPrepareEpoch
  /// Observers' promises to follow an epoch are counted (2959).
  case observersCountForEpoch
  /// The leader delivers committed transactions only once they are on its own disk, and answers syncs before that.
  case leaderDeliversOnlyPersisted
  /// A leader answers syncs without a confirmation that it still leads.
  case answersSyncsUnconfirmed
  /// The server makes transactions that are larger than other servers can read (4306).
  case writesLargeTransactions
  /// Transactions are committed by any acknowledgement, without a quorum.
  case minorityCommits
  /// The leader admits a learner whose history is newer than its own.
  case acceptsLearnerAhead
  /// Proposals made while a learner is being synchronized are not sent to it (962).
  case losesProposalsDuringSync
  /// The leader keeps counting the acknowledgements of a learner that has been truncated since.
  case keepsAcksAcrossSync
  /// TRUNC truncates the history in memory, but not the log (1154).
  case truncatesMemoryOnly
  /// TRUNC truncates the log, but leaves the tree as it is, although that contains truncated transactions.
  case truncationKeepsTree
  /// TRUNC keeps snapshots that contain truncated transactions (4837).
  case truncationKeepsSnapshots
  /// A learner whose history ends before the leader's window in memory is sent only the window (2418, 2846, 4925).
  case diffSkipsHole
  /// After SNAP, a learner keeps its old transactions in memory and accepts holes, and sends them as a leader (2846).
  case diffFromDeadBranch
  /// A learner is sent the leader's log although its last transaction is not in it (2418).
  case sendsLogToStrangers
  /// A leader that establishes its epoch sends its tree as it is, and only then the history with which it was elected.
  case treeLacksHistory
  /// A configuration that is committed while a learner is being synchronized is forgotten if another one is proposed
  /// before the end of that.
  case forgetsEarlierConfiguration
  /// An observer master sends a transaction to its observers when it is proposed, not when it is committed.
  case observerMasterInformsEarly
  /// An observer master sends an observer its whole history as committed, with what is only proposed.
  case observerMasterSendsUncommitted
  /// An observer master answers the syncs of its observers itself, without the leader.
  case observerMasterAnswersSyncs
  /// An observer master passes a reconfiguration on as any other transaction, without the order to activate it.
  case observerMasterForgetsActivation
  /// Uncommitted transactions are delivered when a role ends (2845).
  case deliversUncommitted
  /// A leader goes on leading without a quorum.
  case keepsLeadingAlone
  /// Votes are compared by server id only, so that a server with an older history can win an election.
  case ignoresZxidInVotes
  /// A member does not learn what the end of its log made durable before the log is truncated.
  case forgetsPersistedWhenLogEnds
  /// A late report of a previous generation of the log is taken for one of the current generation.
  case trustsReportsOfEarlierLogs
  /// A snapshot gets its name before the log has reached its last transaction.
  case snapshotsIgnoreLog
}
