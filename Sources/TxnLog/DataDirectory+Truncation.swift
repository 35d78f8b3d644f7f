package import ZooKeeperProtocol

extension DataDirectory {
  /// Makes `zxid` the last transaction of everything in the directory, as a leader may order.
  ///
  /// Snapshots that have effects of later transactions go first, so that none of them survives in one, as they do with
  /// Apache's server (ZOOKEEPER-4837); then later segments, newest first; then the segment with the place is cut. After
  /// a crash in between, the directory holds either the old history or the shorter one, or something between that the
  /// next attempt shortens further.
  ///
  /// Throws: `.truncationPointMissing` with nothing changed, when what would be left does not end with `zxid`: only a
  /// snapshot from the leader helps then. Otherwise as `recover`.
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

  /// Makes a snapshot that came from a leader, and is complete but for its name, the only history there is.
  ///
  /// The logs of the old history do not belong to the new one, and Apache's server, which keeps them, later sends them
  /// to others (ZOOKEEPER-2846). The order is such that a crash leaves the old history, a prefix of it that the leader
  /// has too, or the new one: first the old log loses what comes after the snapshot, which the leader does not have;
  /// then the snapshot gets its name; then newer snapshots go, then all logs, then older snapshots.
  ///
  /// Throws: the failure of a call.
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

  /// What to remove and where to cut so that no transaction after one of them is left.
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
    // Segments of one history do not overlap, so whatever begins after the place goes.
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

  /// The snapshots that have nothing later than `zxid` in them, and those that have or may have; oldest first.
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
