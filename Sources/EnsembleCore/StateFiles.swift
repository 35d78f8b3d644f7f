internal import Jute
package import ServerCore
package import TxnLog
internal import ZnodeTree
internal import ZooKeeperProtocol

/// Whole trees on disk.
extension DataDirectory {
  /// Writes a snapshot of the state as it is, beside those that are there.
  ///
  /// Throws: the failure of a call.
  package func writeSnapshot(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let zxid = state.tree.lastProcessedZxid
    let writer = try snapshotWriter(state)
    try writer.finish(digest: hasDigest ? SnapshotDigest(zxid: zxid, treeDigest: state.tree.treeDigest) : nil)
  }

  /// Makes a leader's tree the only history there is.
  ///
  /// Throws: the failure of a call.
  package func install(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let zxid = state.tree.lastProcessedZxid
    let digest = hasDigest ? SnapshotDigest(zxid: zxid, treeDigest: state.tree.treeDigest) : nil
    try install(try snapshotWriter(state), digest: digest)
  }

  /// A snapshot that is complete but for its name.
  private func snapshotWriter(
    _ state: RecoveredState
  ) throws(TxnLogError) -> SnapshotWriter<Files> {
    var walk = state.tree.startSnapshot()
    let sessions = state.sessions.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { SnapshotSession(id: $0.key, timeoutMilliseconds: $0.value) }
    var writer = try SnapshotWriter(
      files, directory: snapshotDirectory, zxid: walk.zxid, sessions: sessions,
      aclLists: walk.acls.map { SnapshotACLList(key: $0.key, acl: $0.acl) })
    var isLast = false
    while !isLast {
      var slice = JuteWriter()
      isLast = walk.encode(into: &slice, budgetBytes: 256 << 10)
      let failure = slice.bytes.withUnsafeBytes { bytes -> TxnLogError? in
        do throws(TxnLogError) {
          try writer.append(encodedNodes: bytes)
          return nil
        } catch {
          return error
        }
      }
      if let failure { throw failure }
    }
    return writer
  }
}
