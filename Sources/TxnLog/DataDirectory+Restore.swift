package import ZooKeeperProtocol

/// The result of a restore.
package struct RestoredSnapshot: Hashable, Sendable {
  /// The last transaction of the state that the directory has now.
  package let zxid: Zxid
  /// The snapshot under its final name.
  package let path: String
  /// The directories in which the files of the earlier state are, in the layout of a data directory; none if there were
  /// no files.
  package let asidePaths: [String]
}

/// Replacing everything in the directory with one snapshot.
///
/// A restore is decided in one step, and carried out afterwards. The snapshot is written under a name that no reader
/// takes as a snapshot, and a small file is then put beside it by renaming. Before that rename is durable, a crash
/// leaves the old state; after it, the next start completes the restore before it reads anything. Nothing of the old
/// state is removed: its files are moved to `before-restore-N` beside `version-2`, which has the layout of a data
/// directory, so that it can be looked into, restored, or given to a server.
///
/// *Source*: `StorageFormat` D.13.
extension DataDirectory {
  /// Where the snapshot is written, and synced, before `decideRestore`. A start removes it if nothing was decided.
  package var stagedRestorePath: String { "\(snapshotDirectory)/\(TemporaryName.stagedRestore)" }

  private static var decisionName: String { "zkcli.restore" }
  private var decisionPath: String { "\(snapshotDirectory)/\(Self.decisionName)" }
  private var logParent: String { Files.directory(of: logDirectory) }

  /// Whether a restore has been decided and not completed.
  package var isRestoreDecided: Bool { files.exists(decisionPath) }

  /// Copies a snapshot from elsewhere to `stagedRestorePath`, durably.
  ///
  /// - Throws: the failure of a call.
  package func stageRestore(from path: String) throws(TxnLogError) {
    let size = try fileCalls { () throws(FileSystemError) in
      let file = try files.open(path, .read)
      defer { files.close(file) }
      return try files.size(file)
    }
    try copy(path, 0..<size, to: stagedRestorePath)
  }

  /// Removes what `stagedRestorePath` has, unless its restore has been decided.
  ///
  /// - Throws: the failure of a call.
  package func discardStagedRestore() throws(TxnLogError) {
    guard files.exists(stagedRestorePath), !isRestoreDecided else { return }
    try remove([stagedRestorePath], in: snapshotDirectory)
  }

  /// Decides that the staged snapshot, which has been synced and checked, becomes the only state of the directory.
  ///
  /// - Throws: the failure of a call. The old state is still the current one then, unless `isRestoreDecided`.
  package func decideRestore(of zxid: Zxid) throws(TxnLogError) {
    let decision = Decision(snapshotName: FileName.snapshot(zxid), asideName: unusedAsideName())
    try fileCalls { () throws(FileSystemError) in
      // The decision must not be durable before the name of the snapshot is.
      try files.syncDirectory(snapshotDirectory)
      do throws(FileSystemError) {
        try files.replace(Self.decisionName, in: snapshotDirectory, with: decision.bytes)
      } catch {
        // Without the staged snapshot, a decision that has survived has no effect.
        if files.exists(decisionPath) {
          try files.remove(stagedRestorePath)
          try files.syncDirectory(snapshotDirectory)
          try files.remove(decisionPath)
          try files.syncDirectory(snapshotDirectory)
        }
        throw error
      }
    }
  }

  /// Carries out a restore that has been decided. Called again after a crash, it goes on where it was.
  ///
  /// The snapshots go first: Apache's servers refuse a log without a snapshot, and would otherwise start from a part of
  /// the old state if one were started after a crash in between.
  ///
  /// - Returns: nil if none has been decided.
  /// - Throws: `rejected` for a decision that cannot be read; the failure of a call.
  @discardableResult
  package func completeRestore() throws(TxnLogError) -> RestoredSnapshot? {
    guard files.exists(decisionPath) else { return nil }
    let bytes = try fileCalls { () throws(FileSystemError) in try files.contents(of: decisionPath, limitBytes: 4096) }
    guard let decision = Decision(bytes), let zxid = FileName.zxid(ofSnapshot: decision.snapshotName) else {
      throw TxnLogError(.rejected("the file does not say which snapshot is restored"), path: decisionPath)
    }
    // Once the snapshot has its name, everything else is done.
    if files.exists(stagedRestorePath) {
      try setSnapshotsAside(decision.asideName)
      try setLogsAside(decision.asideName)
      try EpochFiles(self).raise(to: Int64(zxid.epoch))
      try fileCalls { () throws(FileSystemError) in
        try files.rename(stagedRestorePath, to: "\(snapshotDirectory)/\(decision.snapshotName)")
        try files.syncDirectory(snapshotDirectory)
      }
    }
    try remove([decisionPath], in: snapshotDirectory)
    let aside = Set([dataDirectory, logParent]).sorted().map { "\($0)/\(decision.asideName)" }
    return RestoredSnapshot(
      zxid: zxid, path: "\(snapshotDirectory)/\(decision.snapshotName)", asidePaths: aside.filter(files.exists))
  }

  private func setSnapshotsAside(_ name: String) throws(TxnLogError) {
    let names = try fileCalls { () throws(FileSystemError) in try files.list(snapshotDirectory) }
    let snapshots = names.filter { FileName.zxid(ofSnapshot: $0) != nil }
    try setAside(snapshots, of: snapshotDirectory, to: "\(dataDirectory)/\(name)/version-2")
    guard !snapshots.isEmpty else { return }
    let aside = DataDirectory(files, dataDirectory: "\(dataDirectory)/\(name)")
    try EpochFiles(self).copy(to: EpochFiles(aside))
  }

  private func setLogsAside(_ name: String) throws(TxnLogError) {
    let names = try fileCalls { () throws(FileSystemError) in try files.list(logDirectory) }
    let logs = names.filter { FileName.zxid(ofLog: $0) != nil }
    try setAside(logs, of: logDirectory, to: "\(logParent)/\(name)/version-2")
  }

  private func setAside(_ names: [String], of directory: String, to target: String) throws(TxnLogError) {
    guard !names.isEmpty else { return }
    try fileCalls { () throws(FileSystemError) in
      try files.createDirectories(target)
      for name in names { try files.rename("\(directory)/\(name)", to: "\(target)/\(name)") }
      // The new names must be durable before the old ones are gone.
      try files.syncDirectory(target)
      try files.syncDirectory(directory)
    }
  }

  private func unusedAsideName() -> String {
    var number = 1
    while files.exists("\(dataDirectory)/before-restore-\(number)")
      || files.exists("\(logParent)/before-restore-\(number)")
    {
      number += 1
    }
    return "before-restore-\(number)"
  }

  /// The contents of the file that commits a restore.
  private struct Decision {
    var snapshotName: String
    var asideName: String

    init(snapshotName: String, asideName: String) {
      self.snapshotName = snapshotName
      self.asideName = asideName
    }

    init?(_ bytes: [UInt8]) {
      let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      guard lines.count == 2, lines[0].hasPrefix("snapshot="), lines[1].hasPrefix("aside=before-restore-"),
        !bytes.contains(UInt8(ascii: "/"))
      else { return nil }
      snapshotName = String(lines[0].dropFirst(9))
      asideName = String(lines[1].dropFirst(6))
    }

    var bytes: [UInt8] { Array("snapshot=\(snapshotName)\naside=\(asideName)\n".utf8) }
  }
}
