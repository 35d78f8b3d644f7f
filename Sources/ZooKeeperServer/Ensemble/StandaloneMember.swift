import ServerCore
import ZooKeeperProtocol

/// A standalone server: what is durable on its disk is committed.
///
/// *Thread*: the event loop.
final class StandaloneMember {
  private let served: ServedCore
  private let log: LogPipeline
  private let lastZxid: Zxid
  private let metrics: ServerMetrics

  /// - Parameter lastZxid: the last transaction on disk.
  init(_ served: ServedCore, _ log: LogPipeline, _ metrics: ServerMetrics, lastZxid: Zxid) {
    self.metrics = metrics
    self.served = served
    self.log = log
    self.lastZxid = lastZxid
  }

  /// Starts the log. It has one generation only, because there is no leader that could truncate it.
  func startLog() { log.start(after: lastZxid, generation: 0) }

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
