internal import Jute
package import ServerCore
package import TxnLog
package import Zab
internal import ZnodeTree
package import ZooKeeperProtocol

/// Builds tree and sessions from what recovery reads.
package struct TreeLoader: RecoveryTarget {
  private let hasExtendedTypes: Bool
  private let hasDigest: Bool
  private let hashSeed: UInt64
  private var restore: SnapshotRestore?
  private var snapshotZxid = Zxid.zero
  private var sessions: [SessionID: Int32] = [:]
  /// Tree and sessions, once a snapshot is complete or there is none.
  package private(set) var state: RecoveredState
  /// The newest transactions of the log.
  package private(set) var history = TxnHistory(base: .zero)
  /// How much of the log is kept; nil keeps nothing, for a server alone.
  private let historyLimits: ZabSettings?

  /// Builds nothing yet.
  ///
  /// - Parameters:
  ///   - hashSeed: differs from process to process, so that nobody can choose names that collide.
  ///   - historyLimits: how much of the log's end is kept; nil keeps nothing.
  package init(hasExtendedTypes: Bool, hasDigest: Bool, hashSeed: UInt64, historyLimits: ZabSettings? = nil) {
    self.hasExtendedTypes = hasExtendedTypes
    self.hashSeed = hashSeed
    self.historyLimits = historyLimits
    self.hasDigest = hasDigest
    state = RecoveredState(
      tree: DataTree(hashSeed: hashSeed, extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest))
  }

  /// Forgets everything and begins with a snapshot.
  package mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList]) {
    self.sessions = Dictionary(sessions.map { ($0.id, $0.timeoutMilliseconds) }, uniquingKeysWith: { $1 })
    snapshotZxid = zxid
    history = TxnHistory(base: zxid)
    state = RecoveredState(
      tree: DataTree(hashSeed: hashSeed, extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest))
    startRestore(aclLists)
  }

  private mutating func startRestore(_ aclLists: [SnapshotACLList]) {
    var restore = SnapshotRestore(
      hashSeed: hashSeed, extendedTypesEnabled: hasExtendedTypes, digestEnabled: hasDigest)
    for list in aclLists { restore.addACL(key: list.key, list.acl) }
    self.restore = restore
  }

  /// Takes a znode of the snapshot.
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

  /// The snapshot is complete.
  package mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError) {
    guard let restore = restore.take() else { return }
    do throws(SnapshotError) {
      state = RecoveredState(tree: try restore.finish(lastProcessedZxid: snapshotZxid), sessions: sessions)
    } catch {
      throw Self.rejected(error)
    }
  }

  /// Applies a transaction of the log.
  package mutating func replay(_ bytes: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError) {
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
