import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// The data directory of a running server: opened, recovered, and locked against others.
///
/// *Thread*: the event loop, except for `directory`, which the background worker uses too.
final class Storage {
  let directory: DataDirectory<PosixFileSystem>
  let report: RecoveryReport
  let times: RecoveryTimes
  private var lock: DirectoryLock<PosixFileSystem>?

  /// The result of recovery.
  struct Recovered {
    let storage: Storage
    /// The settings for trees that are built later.
    let trees: TreeSettings
    let state: RecoveredState
    /// The last part of the log, for a member of an ensemble.
    let history: TxnHistory
    /// Whether a member of an ensemble has no data, although it may have had some before.
    let lacksData: Bool
  }

  private init(
    _ directory: DataDirectory<PosixFileSystem>, _ report: RecoveryReport,
    _ times: RecoveryTimes, _ lock: consuming DirectoryLock<PosixFileSystem>
  ) {
    self.directory = directory
    self.report = report
    self.times = times
    self.lock = consume lock
  }

  /// Opens and recovers the directory; an empty one gets its first snapshot, unless a leader must send one.
  ///
  /// - Throws: `TxnLogError` with the file and the offset at fault.
  static func open(_ configuration: ServerConfiguration) throws(TxnLogError) -> Recovered {
    let directory = DataDirectory(
      PosixFileSystem(), dataDirectory: configuration.dataDirectory, dataLogDirectory: configuration.logDirectory)
    if configuration.logging.createsDirectories { try directory.create() } else { try directory.checkExists() }
    let lock = try directory.lock()
    try directory.checkWritable()
    let trees = configuration.makeTreeSettings()
    var loading = TimedLoader(TreeLoader(trees, historyLimits: configuration.ensemble?.zabSettings))
    var settings = RecoverySettings()
    settings.trustsMissingSnapshot = configuration.logging.trustsMissingSnapshot
    let report = try directory.recover(into: &loading, settings: settings)
    let (loader, times) = (loading.loader, loading.times)
    let isTrusted = try directory.takeInitializeFile() || configuration.logging.trustsEmptyDirectory
    let lacksData = report.isEmpty && !isTrusted && configuration.ensemble != nil
    if report.isEmpty, !lacksData { try writeFirstSnapshot(directory, loader.state.tree) }
    return Recovered(
      storage: Storage(directory, report, times, lock), trees: trees, state: loader.state, history: loader.history,
      lacksData: lacksData)
  }

  /// Unlocks the directory, so that another server can use it.
  func release() {
    lock?.release()
    lock = nil
  }

  /// Makes a directory that `open` refuses usable again, and gives up transactions that were acknowledged.
  ///
  /// - Returns: a line for each file that was changed; none when there was nothing to repair.
  /// - Throws: when another server uses the directory, or nothing can be recovered.
  static func repair(_ configuration: ServerConfiguration) throws(TxnLogError) -> [String] {
    let directory = DataDirectory(
      PosixFileSystem(), dataDirectory: configuration.dataDirectory, dataLogDirectory: configuration.logDirectory)
    try directory.create()
    let lock = try directory.lock()
    defer { _ = lock }
    return try directory.repair().map { cut in
      let what = cut.offset > 0 ? "cut at offset \(cut.offset)" : "removed"
      return "\(cut.path): \(what); the removed bytes are kept in \(cut.copyPath)"
    }
  }

  /// Writes a snapshot of the empty tree: recovery refuses a log without a snapshot that it follows.
  private static func writeFirstSnapshot(
    _ directory: DataDirectory<PosixFileSystem>, _ tree: DataTree
  ) throws(TxnLogError) {
    try directory.writeSnapshot(RecoveredState(tree: tree), hasDigest: true)
  }
}

extension ServerConfiguration {
  /// How this process builds its trees.
  func makeTreeSettings() -> TreeSettings {
    TreeSettings(
      hasExtendedTypes: features.hasExtendedTypes, hasDigest: features.hasDigest, hashSeed: .random(in: .min ... .max))
  }
}

extension Storage.Recovered {
  /// Logs what recovery found. Everything that was cut or skipped is reported.
  func report(to logger: Logger) {
    let report = storage.report
    logger.info(
      "recovered",
      metadata: [
        "zxid": "\(report.lastZxid)", "snapshot": "\(report.snapshot?.path ?? "none")",
        "replayed": .stringConvertible(report.replayedCount),
        "duration_ms": .stringConvertible(storage.times.totalMicroseconds / 1000),
      ])
    if let restored = report.completedRestore {
      logger.warning(
        "a restore that had been interrupted was completed",
        metadata: ["zxid": "\(restored.zxid)", "kept": "\(restored.asidePaths.joined(separator: ", "))"])
    }
    if lacksData {
      logger.warning(
        "there is no data, and db.autocreate is off: this server has no vote until a leader has sent it the tree",
        metadata: ["hint": "if the ensemble is new, create \(storage.directory.dataDirectory)/initialize and restart"])
    }
    for skipped in report.skippedSnapshots {
      logger.warning("a snapshot is damaged and was not used", metadata: ["reason": "\(skipped.error)"])
    }
    for tail in report.cut { logger.warning("a torn tail of the log was cut", metadata: ["tail": "\(tail)"]) }
    for part in report.kept {
      let copy = part.copyPath ?? "nowhere: the disk has no room for a copy"
      logger.warning(
        part.offset == 0 ? "a log without a transaction was set aside" : "what was cut is kept",
        metadata: ["path": "\(part.path)", "kept": "\(copy)"])
    }
    for path in report.removedPaths { logger.info("removed what was never finished", metadata: ["path": "\(path)"]) }
    if let zxid = report.unreachedZxid {
      logger.warning("the snapshot has effects up to \(zxid), and the log ends before it")
    }
    if state.digestMismatches > 0 {
      logger.warning("the tree's digest differs from that in the log after \(state.digestMismatches) transactions")
    }
  }
}
