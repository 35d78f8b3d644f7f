internal import Jute
package import ServerCore
package import TxnLog
package import Zab
internal import ZnodeTree
package import ZooKeeperProtocol

/// The settings with which a server builds its trees.
package struct TreeSettings: Hashable, Sendable {
  package var hasExtendedTypes: Bool
  package var hasDigest: Bool
  /// Differs from process to process, so that no client can choose names whose hashes collide.
  package var hashSeed: UInt64

  package init(hasExtendedTypes: Bool, hasDigest: Bool, hashSeed: UInt64) {
    self.hasExtendedTypes = hasExtendedTypes
    self.hasDigest = hasDigest
    self.hashSeed = hashSeed
  }

  var emptyTree: DataTree {
    DataTree(hashSeed: hashSeed, extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest)
  }

  var restore: SnapshotRestore {
    SnapshotRestore(hashSeed: hashSeed, extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest)
  }
}

/// Builds tree and sessions from what recovery reads from disk.
package struct TreeLoader: RecoveryTarget {
  private let settings: TreeSettings
  private var restore: SnapshotRestore?
  private var snapshotZxid = Zxid.zero
  private var sessions: [SessionID: Int32] = [:]
  /// Tree and sessions. Valid once a snapshot is complete, or if there is none.
  package private(set) var state: RecoveredState
  /// The newest transactions of the log.
  package private(set) var history = TxnHistory(base: .zero)
  /// How much of the log is kept in memory; nil for nothing, as in a standalone server.
  private let historyLimits: ZabSettings?

  /// Creates a loader with an empty tree.
  ///
  /// - Parameter historyLimits: how much of the end of the log is kept in memory; nil for nothing.
  package init(_ settings: TreeSettings, historyLimits: ZabSettings? = nil) {
    self.settings = settings
    self.historyLimits = historyLimits
    state = RecoveredState(tree: settings.emptyTree)
  }

  /// Discards everything, and begins with a snapshot.
  package mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) {
    self.sessions = Dictionary(sessions.map { ($0.id, $0.timeoutMilliseconds) }, uniquingKeysWith: { $1 })
    snapshotZxid = zxid
    history = TxnHistory(base: zxid)
    state = RecoveredState(tree: settings.emptyTree)
    startRestore(aclLists)
  }

  private mutating func startRestore(_ aclLists: [SnapshotACLList]) {
    var restore = settings.restore
    for list in aclLists { restore.addACL(key: list.key, list.acl) }
    self.restore = restore
  }

  /// Adds a znode of the snapshot.
  package mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError) {
    do throws(SnapshotError) {
      try restore?.addZnode(path: node.path, data: node.data, aclKey: node.aclKey, stat: node.stat)
    } catch {
      throw Self.rejected(error)
    }
  }

  private static func rejected(_ error: SnapshotError) -> TxnLogError {
    TxnLogError(.rejected("\(error.path): \(error.code)"), path: error.path)
  }

  /// Completes the tree of the snapshot.
  package mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) {
    guard let restore = restore.take() else { return }
    do throws(SnapshotError) {
      state = RecoveredState(tree: try restore.finish(lastProcessedZxid: snapshotZxid), sessions: sessions)
    } catch {
      throw Self.rejected(error)
    }
  }

  /// Completes the tree of a snapshot whose last transaction has become known only now.
  package mutating func endSnapshot(digest: SnapshotDigest?, as zxid: Zxid) throws(TxnLogError) {
    snapshotZxid = zxid
    history = TxnHistory(base: zxid)
    try endSnapshot(digest: digest)
  }

  /// Applies a transaction of the log.
  package mutating func replay(_ bytes: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) {
    do throws(JuteError) {
      try state.apply(bytes)
      guard let historyLimits else { return }
      history.append(TxnHistory.Entry(zxid: zxid, bytes: [UInt8](bytes)))
      history.trim(count: historyLimits.historyCount, bytes: historyLimits.historyBytes, notAfter: zxid)
    } catch {
      throw TxnLogError(.rejected("transaction \(zxid) cannot be applied: \(error)"), path: "")
    }
  }
}
