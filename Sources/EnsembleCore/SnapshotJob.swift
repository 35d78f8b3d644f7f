package import Jute
package import TxnLog
package import ZnodeTree
package import ZooKeeperProtocol

/// A snapshot that is written in pieces while the tree goes on changing, and what may be done next for it.
///
/// It decides nothing about threads: a driver takes `next` again and again, and does on its disk what that says.
///
/// A leader's tree may be ahead of its own log, and a snapshot must not be, or the next start would find a hole between
/// the two. So the snapshot gets its name only once the log has reached its last transaction.
///
/// *Thread*: that of the tree.
package final class SnapshotJob {
  /// What is to be done next.
  package enum Step {
    /// Append these znodes to the file.
    case write(JuteWriter)
    /// Finish the file and give it its name: the last step.
    case finish(SnapshotDigest?)
    /// Nothing, until `onLogged` or `onLogEnded` returns true.
    case awaitLog
    /// Remove the unfinished file: the last step.
    case abandon
  }

  private enum LogState {
    case isBehind
    case hasReached
    /// It will not get there: it was ended, or could not be written.
    case hasEnded
  }

  /// The last transaction in the snapshot.
  package let zxid: Zxid
  package let sessions: [SnapshotSession]
  package let aclLists: [SnapshotACLList]
  /// Ended as soon as it can be, since the tree keeps what it still needs.
  private var walk: SnapshotWalk?
  let digest: SnapshotDigest?
  private var log: LogState
  private var isWaiting = false

  /// Freezes the tree as it is.
  ///
  /// - Parameters:
  ///   - logged: the log is durable up to there; see `onLogged`.
  ///   - ignoresLog: for a test, whether the snapshot gets its name before the log has reached it.
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

  /// What is to be done now; to be called again when that is done.
  ///
  /// - Parameter budgetBytes: about how much is to be written in one step.
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

  /// The log is durable up to a transaction.
  ///
  /// - Returns: whether `next` is to be called, as only this was waited for.
  package func onLogged(through logged: Zxid) -> Bool {
    guard log == .isBehind, logged >= zxid else { return false }
    log = .hasReached
    return isWaiting
  }

  /// The log ends: a snapshot that is ahead of it is abandoned.
  ///
  /// - Returns: as `onLogged`.
  package func onLogEnded() -> Bool {
    guard log == .isBehind else { return false }
    log = .hasEnded
    return isWaiting
  }

  /// Lets go of the tree: the file could not be written.
  package func cancel() { walk = nil }
}

extension SnapshotWriter {
  /// The writer of a job's file.
  package init(_ job: SnapshotJob, _ directory: DataDirectory<Files>) throws(TxnLogError) {
    try self.init(
      directory.files, directory: directory.snapshotDirectory, zxid: job.zxid, sessions: job.sessions,
      aclLists: job.aclLists)
  }

  /// Adds the znodes of a step.
  package mutating func append(_ slice: JuteWriter) throws(TxnLogError) {
    let failure = slice.bytes.withUnsafeBytes { bytes -> TxnLogError? in
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
