package import ServerCore
package import TxnLog
internal import ZnodeTree

/// Whole trees on disk.
extension DataDirectory {
  /// Writes a snapshot of the state as it is, beside those that are there.
  ///
  /// Throws: the failure of a call.
  package func writeSnapshot(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let job = state.snapshotJob(hasDigest: hasDigest)
    try completeWriter(job).finish(digest: job.digest)
  }

  /// Makes a leader's tree the only history there is.
  ///
  /// Throws: the failure of a call.
  package func install(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let job = state.snapshotJob(hasDigest: hasDigest)
    try install(try completeWriter(job), digest: job.digest)
  }

  /// A snapshot that is complete but for its name.
  private func completeWriter(_ job: SnapshotJob) throws(TxnLogError) -> SnapshotWriter<Files> {
    var writer = try SnapshotWriter(job, self)
    while case .write(let slice) = job.next(budgetBytes: 256 << 10) { try writer.append(slice) }
    return writer
  }
}

extension RecoveredState {
  /// A snapshot of the state, all of whose transactions are durable.
  fileprivate func snapshotJob(hasDigest: Bool) -> SnapshotJob {
    SnapshotJob(tree, sessions: sessions, logged: tree.lastProcessedZxid, hasDigest: hasDigest)
  }
}
