import ServerCore
import ZooKeeperProtocol

/// A server without an ensemble: what is durable on its own disk is committed.
///
/// *Thread*: the event loop.
final class StandaloneMember {
  private let served: ServedCore
  private let log: LogPipeline
  private let lastZxid: Zxid

  /// - Parameter lastZxid: the last transaction on the disk.
  init(_ served: ServedCore, _ log: LogPipeline, lastZxid: Zxid) {
    self.served = served
    self.log = log
    self.lastZxid = lastZxid
  }

  /// Begins the log. There is no other generation of it, as nobody ever cuts it.
  func startLog() { log.start(after: lastZxid, generation: 0) }

  /// Adds to the log what clients have asked for.
  func propose() {
    served.core.drainProposals { log.append($0.bytes, zxid: $0.zxid) }
  }

  /// Applies and answers what has become durable.
  func onPersisted(through zxid: Zxid) { served.core.commit(through: zxid, .now) }
}
