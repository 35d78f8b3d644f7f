package import ZooKeeperProtocol

/// What takes in the content of a data directory: the tree and the sessions of a server, or a test's record of it.
package protocol RecoveryTarget {
  /// Forgets everything, and takes what comes with a snapshot. Called again when the snapshot turns out to be damaged.
  mutating func beginSnapshot(_ zxid: Zxid, sessions: [SnapshotSession], aclLists: [SnapshotACLList])

  /// Takes a node of the snapshot; its bytes are valid during the call.
  ///
  /// Throws: `.rejected` for a node that cannot be: the next older snapshot is then tried.
  mutating func restore(_ node: SnapshotNodeView) throws(TxnLogError)

  /// The snapshot is complete and its seals hold.
  mutating func endSnapshot(digest: SnapshotDigest?) throws(TxnLogError)

  /// Applies a transaction of the log: header, body and digest, valid during the call.
  mutating func replay(_ entry: UnsafeRawBufferPointer, zxid: Zxid) throws(TxnLogError)
}

/// What recovery found, and what it did to the files.
package struct RecoveryReport: Hashable, Sendable {
  /// A snapshot that could not be used.
  package struct SkippedSnapshot: Hashable, Sendable {
    package let path: String
    package let error: TxnLogError
  }

  /// The last transaction of the state that was recovered.
  package internal(set) var lastZxid = Zxid.zero
  /// The snapshot that was loaded; nil when there was none, which without transactions means a new server.
  package internal(set) var snapshot: ZxidFile?
  /// The loaded snapshot's digest section.
  package internal(set) var snapshotDigest: SnapshotDigest?
  /// Newer snapshots that could not be used, newest first.
  package internal(set) var skippedSnapshots: [SkippedSnapshot] = []
  /// Transactions replayed from the log.
  package internal(set) var replayedCount = 0
  /// Their bytes.
  package internal(set) var replayedBytes = 0
  /// Parts of the log that were never completely written and have been cut off.
  package internal(set) var cut: [TornTail] = []
  /// Torn ends in front of newer segments, which are left as they are: nothing is missing after them.
  package internal(set) var oldTorn: [TornTail] = []
  /// Files that were removed: segments in which nothing can have been, unfinished snapshots.
  package internal(set) var removedPaths: [String] = []
  /// What was taken out of the log and is kept under another name: torn tails that were cut, and segments that hold
  /// nothing now but may have held something.
  package internal(set) var kept: [KeptPart] = []

  /// A part of the log under its new name.
  package struct KeptPart: Hashable, Sendable {
    package let path: String
    /// From where on it was taken; 0 for a whole file.
    package let offset: Int
    /// nil when there was no room on the disk for a copy.
    package let copyPath: String?
  }

  /// Whether the directory holds nothing at all: whoever starts the server decides what that means.
  package var isEmpty: Bool { snapshot == nil && replayedCount == 0 }

  /// The snapshot has effects of transactions up to this one, and the log ends before it; nil when all is well.
  ///
  /// Apache's followers apply what a quorum has before their own disk has it, so a power cut can lead to this. A server
  /// alone that syncs before it applies never does: its log has been cut by somebody.
  package var unreachedZxid: Zxid? {
    guard let digest = snapshotDigest, digest.zxid > lastZxid else { return nil }
    return digest.zxid
  }
}

/// What recovery may do.
package struct RecoverySettings: Hashable, Sendable {
  /// Whether a log without any snapshot is replayed from nothing (`snapshot.trust.empty`).
  package var trustsMissingSnapshot = false
  /// Whether torn tails are cut and remains of interrupted work are removed; otherwise only reported.
  package var repairsTornTails = true

  /// A server's settings.
  package init() {}
}

extension DataDirectory {
  /// Snapshots that are tried before giving up.
  private static var maxSnapshotAttempts: Int { 100 }

  /// Brings `target` to the state that the files describe: the newest snapshot that is whole, and the log after it.
  ///
  /// Refuses whatever would lose durable transactions: damage before the tail of the log, gaps, a log without a
  /// snapshot, a damaged snapshot whose transactions the log does not have. Nothing is written before everything has
  /// been read; only torn tails are cut, so that what was never answered cannot come back.
  ///
  /// *Source*: `FileTxnSnapLog.restore`; `StorageFormat` D.6, D.8, D.9.
  ///
  /// Throws: `TxnLogError` with file and offset.
  package func recover(
    into target: inout some RecoveryTarget, settings: RecoverySettings = RecoverySettings()
  ) throws(TxnLogError) -> RecoveryReport {
    try checkPlacement()
    var report = RecoveryReport()
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
    // The zxids of the last epoch leave no room for another one. No ensemble reaches them in regular operation.
    guard Epoch.zero.rawValue..<Epoch.last.rawValue ~= report.lastZxid.rawValue >> 32 else {
      throw TxnLogError(.zxidOutOfRange(report.lastZxid), path: report.snapshot?.path ?? logDirectory)
    }
    if let newest = snapshots.last, newest.zxid > report.lastZxid {
      throw TxnLogError(.lostHistory(readable: report.lastZxid, snapshot: newest.zxid), path: newest.path)
    }
    try settle(walk, settings, &report)
    return report
  }

  /// A log has nothing to follow: because there is no snapshot, or because the one there is cannot be read.
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
    // An unfinished first snapshot is what a crash of Apache's server during its first start leaves.
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

  /// Makes the files say what was read, durably: what was replayed may so far be in the machine's memory only.
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

  /// Copies what is about to be cut: it was never answered as far as anybody can tell, but only as far as that.
  private func keepTail(of segment: WalkedSegment) throws(TxnLogError) -> RecoveryReport.KeptPart {
    let end = segment.offset + segment.tornBytes
    let copyPath = unusedName(for: segment.path, at: segment.offset)
    do throws(TxnLogError) {
      try copy(segment.path, segment.offset..<end, to: copyPath)
      return .init(path: segment.path, offset: segment.offset, copyPath: copyPath)
    } catch {
      // A full disk must not keep the server from a start that gives room back.
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

  /// Ends a segment at `offset`; everything before that is durable once the file is synced, which a mark then says.
  func cut(_ file: FileHandle, _ segment: WalkedSegment, at offset: Int) throws(FileSystemError) {
    if segment.tornBytes == 0, segment.offset == offset, segment.sizeBytes == offset + BatchMark.encodedSizeBytes {
      return
    }
    guard segment.isMarked else { return try files.truncate(file, to: offset) }
    // The mark first: a segment that is longer than its records and has none is damaged.
    let mark = BatchMark(offset: offset, batchOffset: offset)
    try files.writeAll(file, at: offset, mark.bytes(segment: segment.zxid), path: segment.path)
    try files.syncData(file)
    try files.truncate(file, to: offset + BatchMark.encodedSizeBytes)
  }
}
