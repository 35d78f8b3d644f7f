import ZooKeeperProtocol

extension DataDirectory {
  /// The smallest number of snapshots that a purge keeps.
  package static var minRetainCount: Int { 3 }

  /// Removes what recovery will not need: all snapshots but the newest `retainCount`, and the logs before those.
  ///
  /// Only snapshots that can be read completely are counted; Apache's servers look at their last bytes only. They are
  /// synced before anything is removed, because Apache's servers do not sync the snapshots that they write. The segment
  /// with the transaction after the oldest kept snapshot stays. With fewer than `retainCount` such snapshots nothing is
  /// removed.
  ///
  /// - Parameter retainCount: the number of snapshots to keep; less than `minRetainCount` is taken as that.
  /// - Returns: the paths that were removed.
  /// - Throws: the failure of a call.
  ///
  /// *Source*: `org.apache.zookeeper.server.PurgeTxnLog`; `StorageFormat` D.7.
  @discardableResult
  package func purge(retainCount: Int) throws(TxnLogError) -> [String] {
    let snapshots = try snapshots()
    var kept: [Zxid] = []
    for snapshot in snapshots.reversed() where kept.count < max(retainCount, Self.minRetainCount) {
      if isWhole(snapshot) {
        try makeDurable(snapshot)
        kept.append(snapshot.zxid)
      }
    }
    guard kept.count == max(retainCount, Self.minRetainCount), let oldest = kept.last else { return [] }
    let oldSnapshots = snapshots.filter { $0.zxid < oldest }.map(\.path)
    let segments = try segments()
    let needed = segments.last { $0.zxid <= oldest }
    let oldSegments = segments.filter { $0.zxid < oldest && $0 != needed }.map(\.path)
    // The oldest are removed first, so that a crash leaves a history without holes.
    try remove(oldSnapshots, in: snapshotDirectory)
    try remove(oldSegments, in: logDirectory)
    return oldSnapshots + oldSegments
  }

  /// Whether a snapshot can be read completely, and its checksums are right.
  package func isWhole(_ snapshot: ZxidFile) -> Bool {
    do throws(TxnLogError) {
      var reader = try SnapshotReader(files, path: snapshot.path, zxid: snapshot.zxid)
      try reader.verify()
      return true
    } catch {
      return false
    }
  }

  private func makeDurable(_ snapshot: ZxidFile) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      let file = try files.open(snapshot.path, .update)
      defer { files.close(file) }
      try files.syncAll(file)
      try files.syncDirectory(snapshotDirectory)
    }
  }
}
