package import Jute
package import TxnLog
package import ZnodeTree
package import ZooKeeperProtocol

/// A snapshot that is written in pieces while the tree changes: it says which step is next.
///
/// It knows nothing of threads: a driver calls `next` repeatedly, and performs each step on its disk.
///
/// A leader's tree can be ahead of the leader's own log, but a snapshot must not be, or the next start would find a
/// hole between the snapshot and the log. So the snapshot gets its name only once the log has reached its last
/// transaction.
///
/// *Thread*: that of the tree.
package final class SnapshotJob {
  /// What the driver must do next.
  package enum Step {
    /// Append these znodes to the file.
    case write(JuteWriter)
    /// Finish the file and give it its name: the last step.
    case finish(SnapshotDigest?)
    /// Nothing, until `onLogged`, `onLogEnded` or `abandon` returns true.
    case awaitLog
    /// Remove the unfinished file: the last step.
    case abandon
  }

  private enum LogState {
    case isBehind
    case hasReached
    /// The log will not reach the snapshot: it was ended, or could not be written. Or the snapshot may not belong to
    /// the history that follows.
    case hasEnded
  }

  /// The last transaction in the snapshot.
  package let zxid: Zxid
  package let sessions: [SnapshotSession]
  package let aclLists: [SnapshotACLList]
  /// Released as early as possible, because the tree keeps what an unfinished walk needs.
  private var walk: SnapshotWalk?
  let digest: SnapshotDigest?
  private var log: LogState
  private var isWaiting = false

  /// Begins a snapshot of the tree in its current state.
  ///
  /// - Parameters:
  ///   - logged: the transaction up to which the log is durable; see `onLogged`.
  ///   - ignoresLog: a known bug for a test of the simulator, see `ZabMutation.snapshotsIgnoreLog`.
  package init(
    _ tree: DataTree, sessions: [SessionID: Int32], logged: Zxid, hasDigest: Bool, ignoresLog: Bool = false
  ) {
    let walk = tree.startSnapshot()
    zxid = walk.zxid
    log = logged >= walk.zxid || ignoresLog ? .hasReached : .isBehind
    digest = hasDigest ? SnapshotDigest(zxid: walk.zxid, treeDigest: walk.treeDigest) : nil
    aclLists = walk.acls.map { SnapshotACLList(key: $0.key, acl: $0.acl) }
    self.sessions = sessions.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { SnapshotSession(id: $0.key, timeoutMilliseconds: $0.value) }
    self.walk = consume walk
  }

  /// The next step. Must be called again when that is done.
  ///
  /// - Parameter budgetBytes: the approximate number of bytes to write in one step.
  package func next(budgetBytes: Int) -> Step {
    if walk != nil {
      var slice = JuteWriter(reservingBytes: budgetBytes + 4096)
      if walk?.encode(into: &slice, budgetBytes: budgetBytes) != false { walk = nil }
      return .write(slice)
    }
    switch log {
    case .isBehind:
      isWaiting = true
      return .awaitLog
    case .hasReached: return .finish(digest)
    case .hasEnded: return .abandon
    }
  }

  /// Records that the log is durable up to a transaction.
  ///
  /// - Returns: whether `next` must be called, because the snapshot waited for this.
  package func onLogged(through logged: Zxid) -> Bool {
    guard log == .isBehind, logged >= zxid else { return false }
    log = .hasReached
    return isWaiting
  }

  /// Records that the log has ended. A snapshot that is ahead of it is abandoned.
  ///
  /// - Returns: as `onLogged`.
  package func onLogEnded() -> Bool {
    guard log == .isBehind else { return false }
    log = .hasEnded
    return isWaiting
  }

  /// Abandons the snapshot if its last step has not been given out yet: the history is about to be truncated or
  /// replaced, perhaps to before the snapshot. An observer's can be, although all of it is committed, if its next
  /// observer master has written less.
  ///
  /// - Returns: as `onLogged`.
  package func abandon() -> Bool {
    guard log != .hasEnded else { return false }
    walk = nil
    log = .hasEnded
    return isWaiting
  }

  /// Releases the tree, because the file could not be written.
  package func cancel() { walk = nil }
}

extension SnapshotWriter {
  /// Creates the file of a job.
  ///
  /// - Parameter isReceived: whether it is of a leader's tree.
  package init(
    _ job: SnapshotJob, _ directory: DataDirectory<Files>, isReceived: Bool = false
  ) throws(TxnLogError) {
    try self.init(
      directory.files, directory: directory.snapshotDirectory, zxid: job.zxid, sessions: job.sessions,
      aclLists: job.aclLists, isReceived: isReceived)
  }

  /// Appends the znodes of a step.
  package mutating func append(_ slice: JuteWriter) throws(TxnLogError) {
    let failure = slice.withUnsafeBytes { bytes -> TxnLogError? in
      do throws(TxnLogError) {
        try append(encodedNodes: bytes)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }
}
