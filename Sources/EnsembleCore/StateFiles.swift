package import ServerCore
package import TxnLog
internal import ZnodeTree

/// Writing whole trees at once.
extension DataDirectory {
  /// Writes a snapshot of the current state, in addition to existing ones.
  ///
  /// Throws: the failure of a call.
  package func writeSnapshot(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let job = state.snapshotJob(hasDigest: hasDigest)
    try completeWriter(job).finish(digest: job.digest)
  }

  /// Makes a leader's tree the only history on disk.
  ///
  /// Throws: the failure of a call.
  package func install(_ state: RecoveredState, hasDigest: Bool) throws(TxnLogError) {
    let job = state.snapshotJob(hasDigest: hasDigest)
    try install(try completeWriter(job, isReceived: true), digest: job.digest)
  }

  /// Writes a snapshot that is complete except for its name.
  private func completeWriter(
    _ job: SnapshotJob, isReceived: Bool = false
  ) throws(TxnLogError) -> SnapshotWriter<Files> {
    var writer = try SnapshotWriter(job, self, isReceived: isReceived)
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
