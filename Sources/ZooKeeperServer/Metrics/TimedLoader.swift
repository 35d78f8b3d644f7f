import EnsembleCore
import NIOCore
import TxnLog
import ZooKeeperProtocol

/// Builds the tree of a server that starts, and notes how long the snapshot took.
struct TimedLoader: RecoveryTarget {
  var loader: TreeLoader
  private let start = NIODeadline.now()
  private var snapshotEnd: NIODeadline?

  init(_ loader: TreeLoader) { self.loader = loader }

  /// How long it took until now.
  var times: RecoveryTimes {
    let now = NIODeadline.now()
    return RecoveryTimes(
      totalMicroseconds: Int((now - start).nanoseconds / 1000),
      snapshotMicroseconds: Int(((snapshotEnd ?? start) - start).nanoseconds / 1000))
  }

  /// See `TreeLoader`.
  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) {
    loader.beginSnapshot(zxid, sessions: sessions, aclLists: aclLists)
  }

  /// See `TreeLoader`.
  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError) { try loader.restore(node) }

  /// See `TreeLoader`.
  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) {
    try loader.endSnapshot(digest: digest)
    snapshotEnd = .now()
  }

  /// See `TreeLoader`.
  mutating func replay(_ entry: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) {
    try loader.replay(entry, zxid: zxid)
  }
}
