import ServerCore
import ZooKeeperProtocol

/// A standalone server: what is durable on its disk is committed.
///
/// *Thread*: the event loop.
final class StandaloneMember {
  private let served: ServedCore
  private let log: LogPipeline
  /// The last transaction on disk when the log begins.
  private var lastZxid: Zxid
  /// Counts the logs: one at the start, and another one after each restore.
  private var generation = 0
  private let metrics: ServerMetrics

  /// - Parameter lastZxid: the last transaction on disk.
  init(_ served: ServedCore, _ log: LogPipeline, _ metrics: ServerMetrics, lastZxid: Zxid) {
    self.metrics = metrics
    self.served = served
    self.log = log
    self.lastZxid = lastZxid
  }

  /// Starts the log.
  func startLog() { log.start(after: lastZxid, generation: generation) }

  /// Starts another log, after the last transaction of the state that is served from now on.
  func restartLog(after zxid: Zxid) {
    lastZxid = zxid
    generation += 1
    startLog()
  }

  /// Whether reports of a log are about the current one.
  func isCurrent(_ generation: Int) -> Bool { generation == self.generation }

  /// Appends the transactions that were made from clients' requests to the log.
  func propose() {
    served.core.drainProposals { log.append($0.bytes, zxid: $0.zxid) }
  }

  /// Applies the transactions that have become durable, and answers their requests.
  func onPersisted(through zxid: Zxid) {
    let (time, before) = (served.clock.now, metrics.core.appliedCount)
    served.core.commit(through: zxid, time)
    metrics.noteApplied(since: before, time)
  }
}
