package import ZooKeeperProtocol

/// What is built from the content of a data directory: the tree and the sessions of a server, or a test's record of
/// them.
package protocol RecoveryTarget {
  /// Discards everything, and begins with the sessions and ACL lists of a snapshot. It is called again for the next
  /// older snapshot if this one turns out to be damaged.
  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList])

  /// Adds a node of the snapshot. Its bytes are valid only during the call.
  ///
  /// - Throws: `rejected` for a node that is not valid; the next older snapshot is then tried.
  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError)

  /// Called when the snapshot is complete and its checksums are right.
  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError)

  /// Applies a transaction of the log: header, body and digest, which are valid only during the call.
  mutating func replay(_ entry: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError)
}

/// The findings and changes of a recovery.
package struct RecoveryReport: Hashable, Sendable {
  /// A snapshot that could not be used.
  package struct SkippedSnapshot: Hashable, Sendable {
    package let path: String
    package let error: TxnLogError
  }

  /// The last transaction of the state that was recovered.
  package internal(set) var lastZxid = Zxid.zero
  /// The snapshot that was loaded; nil if there was none, which without transactions means a new server.
  package internal(set) var snapshot: ZxidFile?
  /// The loaded snapshot's digest section.
  package internal(set) var snapshotDigest: SnapshotDigest?
  /// Newer snapshots that could not be used, newest first.
  package internal(set) var skippedSnapshots: [SkippedSnapshot] = []
  /// The number of transactions that were replayed from the log.
  package internal(set) var replayedCount = 0
  /// Their total size, in bytes.
  package internal(set) var replayedBytes = 0
  /// Parts of the log that were never completely written and have been cut off.
  package internal(set) var cut: [TornTail] = []
  /// Torn ends of segments before the last one. They are left as they are, because nothing is missing after them.
  package internal(set) var oldTorn: [TornTail] = []
  /// The restore that a crash had interrupted, and that was completed.
  package internal(set) var completedRestore: RestoredSnapshot?
  /// Files that were removed: segments that never had a record, and unfinished snapshots.
  package internal(set) var removedPaths: [String] = []
  /// What was taken out of the log and is kept under another name: torn tails, and segments that have no record now but
  /// may have had some.
  package internal(set) var kept: [KeptPart] = []

  /// A part of the log under its new name.
  package struct KeptPart: Hashable, Sendable {
    package let path: String
    /// Where it began in the file; 0 for a whole file.
    package let offset: Int
    /// nil if the disk had no room for a copy.
    package let copyPath: String?
  }

  /// Whether the directory has no data. The caller decides whether a server may start without any.
  package var isEmpty: Bool { snapshot == nil && replayedCount == 0 }

  /// The last transaction with effects in the snapshot, if the log ends before it; nil if it does not.
  ///
  /// Apache's followers apply what a quorum has persisted before they have persisted it themselves, so that a power
  /// failure can lead to this. A standalone server syncs before it applies: its log must have been cut by other means.
  package var unreachedZxid: Zxid? {
    guard let digest = snapshotDigest, digest.zxid > lastZxid else { return nil }
    return digest.zxid
  }
}

/// What recovery accepts and can change.
package struct RecoverySettings: Hashable, Sendable {
  /// Whether a log without a snapshot is replayed over an empty tree (`snapshot.trust.empty`).
  package var trustsMissingSnapshot = false
  /// Whether torn tails are cut and remains of interrupted work are removed; otherwise only reported.
  package var repairsTornTails = true

  /// The defaults of a server.
  package init() {}
}

extension DataDirectory {
  /// The number of snapshots that are tried.
  private static var maxSnapshotAttempts: Int { 100 }

  /// Brings `target` to the state on disk: the newest snapshot that can be read completely, and the log after it.
  ///
  /// It refuses whatever would lose durable transactions: damage before the tail of the log, gaps, a log without a
  /// snapshot, a damaged snapshot whose transactions the log does not have. Nothing is written before everything has
  /// been read. Only torn tails are cut, so that transactions which were never acknowledged cannot reappear.
  ///
  /// *Source*: `FileTxnSnapLog.restore`; `StorageFormat` D.6, D.8, D.9.
  ///
  /// - Throws: `TxnLogError` with file and offset.
  package func recover(
    into target: inout some RecoveryTarget, settings: RecoverySettings = RecoverySettings()
  ) throws(TxnLogError) -> RecoveryReport {
    var report = RecoveryReport()
    if settings.repairsTornTails { report.completedRestore = try completeRestore() }
    try checkPlacement()
    let snapshots = try snapshots()
    try loadSnapshot(snapshots, into: &target, &report)
    var walk = LogWalk(files, segments: try segments(), after: report.lastZxid)
    while let record = try walk.next() {
      if report.snapshot == nil, report.replayedCount == 0 {
        let isTrusted = settings.trustsMissingSnapshot && report.skippedSnapshots.isEmpty
        if !isTrusted { throw Self.missingSnapshot(report.skippedSnapshots.first, in: snapshotDirectory) }
      }
      try target.replay(record.entry, zxid: record.zxid)
      report.replayedCount += 1
      report.replayedBytes += record.entry.count
    }
    report.lastZxid = walk.position
    // After the last epoch, no leader could be elected. No ensemble reaches it in regular operation.
    guard Epoch.zero.rawValue..<Epoch.last.rawValue ~= report.lastZxid.rawValue >> 32 else {
      throw TxnLogError(.zxidOutOfRange(report.lastZxid), path: report.snapshot?.path ?? logDirectory)
    }
    if let newest = snapshots.last, newest.zxid > report.lastZxid {
      throw TxnLogError(.lostHistory(readable: report.lastZxid, snapshot: newest.zxid), path: newest.path)
    }
    try settle(walk, settings, &report)
    return report
  }

  /// The error for a log without a snapshot that it follows: there is none, or those that exist cannot be read.
  private static func missingSnapshot(
    _ skipped: RecoveryReport.SkippedSnapshot?, in directory: String
  ) -> TxnLogError {
    guard let skipped else { return TxnLogError(.noSnapshot, path: directory) }
    return TxnLogError(.noValidSnapshot, path: skipped.path, offset: skipped.error.offset)
  }

  private func loadSnapshot(
    _ snapshots: [ZxidFile], into target: inout some RecoveryTarget, _ report: inout RecoveryReport
  ) throws(TxnLogError) {
    for candidate in snapshots.reversed().prefix(Self.maxSnapshotAttempts) {
      do throws(TxnLogError) {
        report.snapshotDigest = try load(candidate, into: &target)
        report.snapshot = candidate
        report.lastZxid = candidate.zxid
        return
      } catch {
        report.skippedSnapshots.append(.init(path: candidate.path, error: error))
      }
    }
    target.beginSnapshot(.zero, sessions: [], aclLists: [])
    // A crash of an Apache server during its first start leaves an unfinished first snapshot, which is not a loss.
    if let newest = snapshots.last, newest.zxid > .zero {
      throw TxnLogError(.noValidSnapshot, path: newest.path)
    }
  }

  private func load(
    _ candidate: ZxidFile, into target: inout some RecoveryTarget
  ) throws(TxnLogError) -> SnapshotDigest? {
    var reader = try SnapshotReader(files, path: candidate.path, zxid: candidate.zxid)
    target.beginSnapshot(candidate.zxid, sessions: reader.sessions, aclLists: reader.aclLists)
    while let node = try reader.next() { try target.restore(node) }
    try target.endSnapshot(digest: reader.digest)
    return reader.digest
  }

  /// Makes the files agree with what was read, durably: what was replayed may so far be in the system's cache only.
  private func settle(
    _ walk: LogWalk<Files>, _ settings: RecoverySettings, _ report: inout RecoveryReport
  ) throws(TxnLogError) {
    let tailStart = walk.ends.lastIndex(where: \.hasRecords) ?? 0
    report.oldTorn = walk.ends[..<tailStart].compactMap(\.tornTail)
    report.cut = walk.ends[tailStart...].compactMap(\.tornTail)
    guard settings.repairsTornTails else { return }
    let unused = walk.ends[tailStart...].filter { !$0.hasRecords }
    for segment in unused.reversed() {
      if segment.isProvablyEmpty {
        try remove([segment.path], in: logDirectory)
      } else {
        report.kept.append(.init(path: segment.path, offset: 0, copyPath: try setAside(segment.path)))
      }
    }
    if let last = walk.ends.last(where: \.hasRecords) {
      if last.tornBytes > 0 { report.kept.append(try keepTail(of: last)) }
      try settle(last)
    }
    report.removedPaths = unused.filter(\.isProvablyEmpty).map(\.path) + (try removeUnfinished())
  }

  /// Copies a tail before it is cut. All signs are that it was never acknowledged, but they are no proof.
  private func keepTail(of segment: WalkedSegment) throws(TxnLogError) -> RecoveryReport.KeptPart {
    let end = segment.offset + segment.tornBytes
    let copyPath = unusedName(for: segment.path, at: segment.offset)
    do throws(TxnLogError) {
      try copy(segment.path, segment.offset..<end, to: copyPath)
      return .init(path: segment.path, offset: segment.offset, copyPath: copyPath)
    } catch {
      // A full disk must not prevent a start, after which the server can free space.
      guard case .fileSystem(let failure) = error.code, failure.reason == .noSpace else { throw error }
      if files.exists(copyPath) { try remove([copyPath], in: logDirectory) }
      return .init(path: segment.path, offset: segment.offset, copyPath: nil)
    }
  }

  /// Cuts what is torn or unused from the last segment, and makes the rest and its name durable.
  private func settle(_ segment: WalkedSegment) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      let file = try files.open(segment.path, .update)
      defer { files.close(file) }
      if segment.tornBytes > 0 || segment.isMarked {
        try cut(file, segment, at: segment.offset)
      }
      try files.syncAll(file)
      try files.syncDirectory(logDirectory)
    }
  }

  /// Ends a segment at `offset`. Everything before it is durable once the file is synced, and a mark says so.
  func cut(_ file: FileHandle, _ segment: WalkedSegment, at offset: Int) throws(FileSystemError) {
    if segment.tornBytes == 0, segment.offset == offset, segment.sizeBytes == offset + BatchMark.encodedSizeBytes {
      return
    }
    guard segment.isMarked else { return try files.truncate(file, to: offset) }
    // The mark is written first, because a segment that is longer than its records and has no mark is damaged.
    let mark = BatchMark(offset: offset, batchOffset: offset)
    try files.writeAll(file, at: offset, mark.bytes(segment: segment.zxid), path: segment.path)
    try files.syncData(file)
    try files.truncate(file, to: offset + BatchMark.encodedSizeBytes)
  }
}
