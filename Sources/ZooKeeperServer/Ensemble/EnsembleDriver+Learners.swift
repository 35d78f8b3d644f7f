import Logging
import NIOCore
import Zab
import ZooKeeperProtocol

/// What a leader reads of its log for learners that were away.
extension EnsembleDriver {
  /// What reads the log for learners, made when the first one needs it.
  func readLog() -> LearnerLog {
    if let learnerLog { return learnerLog }
    let log = LearnerLog(runner.directory, sizeFactor: configuration.quorumTimes.snapshotSizeFactor, loop: loop)
    learnerLog = log
    return log
  }

  /// Finds out whether the log has what a learner lacks. That may take half of the time that the learner has; then it
  /// is sent the tree.
  func examineLog(_ connection: ConnectionID, after start: Zxid, through end: Zxid) {
    let patience = TimeAmount.milliseconds(clamping: Int(clamping: settings.zabSettings.initMilliseconds / 2))
    let isWanted = { [self] in !isStopped && member.zab.learnerConnections.contains(connection) }
    let place = log.place(notAfter: start)
    readLog().examine(after: start, through: end, at: place, for: patience, while: isWanted) { [self] finding in
      logger.info(
        finding == .complete ? "a learner is sent a part of the log" : "a learner is sent the tree rather than the log",
        metadata: ["after": "\(start)", "through": "\(end)", "log": "\(finding.rawValue)"])
      step(.logExamined(connection, isComplete: finding == .complete))
      turns.end()
    }
  }
}
