import Jute
import ServerCore
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// Builds tree and sessions from what recovery reads.
struct TreeLoader: RecoveryTarget {
  private let hasExtendedTypes: Bool
  private let hasDigest: Bool
  private var restore: SnapshotRestore?
  private var snapshotZxid = Zxid.zero
  private var sessions: [SessionID: Int32] = [:]
  /// Tree and sessions, once a snapshot is complete or there is none.
  private(set) var state: RecoveredState
  /// The newest transactions of the log.
  private(set) var history = TxnHistory(base: .zero)
  /// How much of the log is kept; nil keeps nothing, for a server alone.
  private let historyLimits: ZabSettings?

  init(hasExtendedTypes: Bool, hasDigest: Bool, historyLimits: ZabSettings? = nil) {
    self.hasExtendedTypes = hasExtendedTypes
    self.historyLimits = historyLimits
    self.hasDigest = hasDigest
    state = RecoveredState(tree: Self.emptyTree(hasExtendedTypes, hasDigest))
  }

  /// The hash seed differs from process to process, so that nobody can choose names that collide.
  private static func emptyTree(_ hasExtendedTypes: Bool, _ hasDigest: Bool) -> DataTree {
    DataTree(
      hashSeed: .random(in: .min ... .max), extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest)
  }

  /// Forgets everything and begins with a snapshot.
  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) {
    self.sessions = Dictionary(sessions.map { ($0.id, $0.timeoutMilliseconds) }, uniquingKeysWith: { $1 })
    snapshotZxid = zxid
    history = TxnHistory(base: zxid)
    state = RecoveredState(tree: Self.emptyTree(hasExtendedTypes, hasDigest))
    startRestore(aclLists)
  }

  private mutating func startRestore(_ aclLists: [SnapshotACLList]) {
    var restore = SnapshotRestore(
      hashSeed: .random(in: .min ... .max), extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest)
    for list in aclLists { restore.addACL(key: list.key, list.acl) }
    self.restore = restore
  }

  /// Takes a znode of the snapshot.
  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError) {
    do throws(SnapshotError) {
      try restore?.addZnode(path: node.path, data: node.data, aclKey: node.aclKey, stat: node.stat)
    } catch {
      throw TxnLogError(.rejected("\(error.path): \(error.code)"), path: error.path)
    }
  }

  /// The snapshot is complete.
  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) {
    if let restore { state = RecoveredState(tree: restore.finish(lastProcessedZxid: snapshotZxid), sessions: sessions) }
    restore = nil
  }

  /// Applies a transaction of the log.
  mutating func replay(_ bytes: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) {
    var reader = JuteReader(bytes)
    do throws(JuteError) {
      state.apply(try TxnEntry(from: &reader))
      guard let historyLimits else { return }
      history.append(TxnHistory.Entry(zxid: zxid, bytes: [UInt8](bytes)))
      history.trim(count: historyLimits.historyCount, bytes: historyLimits.historyBytes, notAfter: zxid)
    } catch {
      throw TxnLogError(.rejected("transaction \(zxid): \(error)"), path: "")
    }
  }
}
