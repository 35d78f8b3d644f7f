package import ZooKeeperProtocol

extension DataDirectory {
  /// Makes `zxid` the last transaction of everything in the directory, as a leader may order.
  ///
  /// Snapshots that have effects of later transactions are removed first, so that these do not survive in them, as they
  /// do in Apache's servers (ZOOKEEPER-4837). Then later segments are removed, the newest first, and then the segment
  /// with the last transaction is cut. A crash in between leaves the old history, the shorter one, or one between them,
  /// which the next attempt shortens.
  ///
  /// - Throws: `truncationPointMissing`, with nothing changed, if what would be left does not end with `zxid`: the
  ///   server then needs a snapshot from the leader. Otherwise as `recover`.
  ///
  /// *Source*: `FileTxnLog.truncate`; `StorageFormat` D.10.
  package func truncate(to zxid: Zxid) throws(TxnLogError) {
    let (kept, dropped) = try snapshotsSplit(at: zxid)
    guard let base = kept.last else { throw TxnLogError(.truncationPointMissing(zxid), path: snapshotDirectory) }
    let plan = try truncationPlan(zxid, after: base)
    guard plan.reached == zxid else { throw TxnLogError(.truncationPointMissing(zxid), path: logDirectory) }
    try remove(dropped.reversed().map(\.path), in: snapshotDirectory)
    try perform(plan)
  }

  /// Makes a snapshot that came from a leader, and is complete except for its name, the only history in the directory.
  ///
  /// The logs of the old history do not belong to the new one. Apache's servers keep them, and later send them to
  /// others (ZOOKEEPER-2846). The order of steps is such that a crash leaves the old history, a prefix of it that the
  /// leader has too, or the new history: first the old log loses what follows the snapshot's zxid, which the leader
  /// does not have; then the snapshot gets its name; then newer snapshots are removed, then all logs, then older
  /// snapshots.
  ///
  /// - Throws: the failure of a call.
  package func install(
    _ writer: consuming SnapshotWriter<Files>, digest: SnapshotDigest?
  ) throws(TxnLogError) {
    let (kept, dropped) = try snapshotsSplit(at: writer.zxid)
    try perform(try truncationPlan(writer.zxid, after: nil))
    let path = try writer.finish(digest: digest)
    try remove(dropped.reversed().map(\.path).filter { $0 != path }, in: snapshotDirectory)
    try remove(try segments().reversed().map(\.path), in: logDirectory)
    try remove(kept.map(\.path).filter { $0 != path }, in: snapshotDirectory)
  }

  /// What must be removed and cut so that a given transaction is the last one in the log.
  private struct TruncationPlan {
    /// The last transaction that stays.
    var reached: Zxid
    /// The segment to cut, and where.
    var cut: (segment: ZxidFile, offset: Int, isMarked: Bool)?
    /// Oldest first.
    var removed: [ZxidFile] = []
  }

  private func truncationPlan(_ zxid: Zxid, after base: ZxidFile?) throws(TxnLogError) -> TruncationPlan {
    var plan = TruncationPlan(reached: base?.zxid ?? .zero)
    let segments = try segments()
    // Segments do not overlap, so that all which begin after the transaction can be removed.
    plan.removed = segments.filter { $0.zxid > zxid }
    guard let last = segments.last(where: { $0.zxid <= zxid }) else { return plan }
    var reader = try LogReader(files, path: last.path, segment: last.zxid)
    var end = reader.offset
    while let record = try reader.next(), record.zxid <= zxid {
      plan.reached = max(plan.reached, record.zxid)
      end = record.endOffset
    }
    plan.cut = (last, end, reader.isMarked)
    return plan
  }

  private func perform(_ plan: TruncationPlan) throws(TxnLogError) {
    try remove(plan.removed.reversed().map(\.path), in: logDirectory)
    guard let place = plan.cut else { return }
    try fileCalls { () throws(FileSystemError) in
      let file = try files.open(place.segment.path, .update)
      defer { files.close(file) }
      let size = try files.size(file)
      let segment = WalkedSegment(
        path: place.segment.path, zxid: place.segment.zxid, offset: size, tornBytes: 0, sizeBytes: size,
        hasRecords: true, isMarked: place.isMarked)
      try cut(file, segment, at: place.offset)
      try files.syncAll(file)
    }
  }

  /// The snapshots without effects of transactions after `zxid`, and those that have or may have some, oldest first.
  private func snapshotsSplit(at zxid: Zxid) throws(TxnLogError) -> (kept: [ZxidFile], dropped: [ZxidFile]) {
    var (kept, dropped): ([ZxidFile], [ZxidFile]) = ([], [])
    for snapshot in try snapshots() {
      if snapshot.zxid <= zxid, let last = lastZxid(in: snapshot), last <= zxid {
        kept.append(snapshot)
      } else {
        dropped.append(snapshot)
      }
    }
    return (kept, dropped)
  }

  /// The last transaction of which a snapshot may have effects; nil if it cannot be read.
  private func lastZxid(in snapshot: ZxidFile) -> Zxid? {
    do throws(TxnLogError) {
      var reader = try SnapshotReader(files, path: snapshot.path, zxid: snapshot.zxid)
      try reader.verify()
      return max(snapshot.zxid, reader.digest?.zxid ?? .zero, reader.lastProcessed ?? .zero)
    } catch {
      return nil
    }
  }
}
