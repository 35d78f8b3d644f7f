/// The places where a bug can be put in, as conditions that the state machine checks. In a release build they are
/// constantly false, and the compiler removes the checks.
extension ZabSettings {
  // MARK: Elections

  var ignoresZxidInVotes: Bool { has(.ignoresZxidInVotes) }
  var mayLeadWithoutQuorum: Bool { has(.keepsLeadingAlone) }

  // MARK: Epochs

  var forgetsPromisesAtRestart: Bool { has(.forgetsPromises) }
  var mayPromiseBeforeSaved: Bool { has(.ackEpochBeforeSaved) }
  var observersCountForEpoch: Bool { has(.observersCountForEpoch) }
  var mayAcceptLearnerAhead: Bool { has(.acceptsLearnerAhead) }
  var maySaveEpochBeforePersisted: Bool { has(.leaderEpochBeforePersisted) }
  var skipsSavingEpoch: Bool { has(.leaderSkipsCurrentEpoch) }
  var skipsAnnouncingEpoch: Bool { has(.skipsPrepareEpoch) }

  // MARK: Synchronization

  var maySkipHoles: Bool { has(.diffSkipsHole) }
  var dropsProposalsDuringSync: Bool { has(.losesProposalsDuringSync) }
  var keepsAcknowledgementsAcrossSync: Bool { has(.keepsAcksAcrossSync) }
  var keepsHistoryAcrossSnapshot: Bool { has(.diffFromDeadBranch) }
  var truncatesMemoryOnly: Bool { has(.truncatesMemoryOnly) }
  var keepsTreeAcrossTruncation: Bool { has(.truncationKeepsTree) }
  var sendsTreeWithoutHistory: Bool { has(.treeLacksHistory) }
  var forgetsEarlierConfiguration: Bool { has(.forgetsEarlierConfiguration) }
  package var sendsLogToStrangers: Bool { has(.sendsLogToStrangers) }

  // MARK: Observer masters

  var informsObserversEarly: Bool { has(.observerMasterInformsEarly) }
  var sendsObserversUncommitted: Bool { has(.observerMasterSendsUncommitted) }
  package var answersSyncsOfObservers: Bool { has(.observerMasterAnswersSyncs) }
  var forgetsToActivateForObservers: Bool { has(.observerMasterForgetsActivation) }

  // MARK: Durability and delivery

  var mayAcknowledgeBeforePersisted: Bool { has(.ackBeforePersisted) }
  var mayAcknowledgeNewLeaderBeforePersisted: Bool { has(.newLeaderAckBeforePersisted) }
  var mayAcknowledgeNewLeaderBeforeEpoch: Bool { has(.newLeaderAckBeforeEpoch) }
  var commitsWithAnyAcknowledgement: Bool { has(.minorityCommits) }
  var leaderWaitsForItsOwnDisk: Bool { has(.leaderDeliversOnlyPersisted) }
  var deliversUncommittedWhenRoleEnds: Bool { has(.deliversUncommitted) }
  var answersSyncsWithoutConfirmation: Bool { has(.answersSyncsUnconfirmed) }

  // MARK: Outside of agreement

  package var forgetsPersistedWhenLogEnds: Bool { has(.forgetsPersistedWhenLogEnds) }
  package var snapshotsIgnoreLog: Bool { has(.snapshotsIgnoreLog) }
  package var trustsReportsOfEarlierLogs: Bool { has(.trustsReportsOfEarlierLogs) }
}
