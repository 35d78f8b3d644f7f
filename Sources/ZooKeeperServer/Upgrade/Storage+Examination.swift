import EnsembleCore
import TxnLog
import ZooKeeperProtocol

extension RunningServer {
  /// Reads a data directory as the start of a server would, and changes nothing.
  package static func examine(_ configuration: ServerConfiguration) -> UpgradeReport {
    Storage.examine(configuration)
  }
}

extension Storage {
  /// Reads a data directory, changes nothing, and reports what a start would find and do.
  static func examine(_ configuration: ServerConfiguration) -> UpgradeReport {
    var report = UpgradeReport()
    let directory = DataDirectory(
      PosixFileSystem(), dataDirectory: configuration.dataDirectory, dataLogDirectory: configuration.logDirectory)
    guard directory.files.exists(directory.snapshotDirectory) else {
      let isMissing = !configuration.logging.createsDirectories
      report.add(
        isMissing ? .obstacle : .fact,
        "\(directory.snapshotDirectory) does not exist: the server would begin with an empty tree")
      return report
    }
    do throws(TxnLogError) {
      try listFiles(directory, &report)
      let zxid = try replay(directory, configuration, &report)
      readEpochs(directory, zxid, isMember: configuration.ensemble != nil, &report)
    } catch {
      let error = ServerStartError(error)
      report.add(.obstacle, error.hint.map { "\(error.message) (\($0))" } ?? error.message)
    }
    checkLock(directory, &report)
    return report
  }

  private static func listFiles(
    _ directory: DataDirectory<PosixFileSystem>, _ report: inout UpgradeReport
  ) throws(TxnLogError) {
    let (snapshots, segments) = (try directory.snapshots(), try directory.segments())
    let sizes = try directory.sizes()
    report.add(
      .fact, "\(snapshots.count) snapshots with \(sizes.snapshotBytes) bytes in \(directory.snapshotDirectory)")
    report.add(.fact, "\(segments.count) logs with \(sizes.logBytes) bytes in \(directory.logDirectory)")
    for suffix in [".gz", ".snappy"] {
      let count = snapshots.count { $0.path.hasSuffix(suffix) }
      if count > 0 { report.add(.fact, "\(count) of the snapshots are compressed (\(suffix)), and are read so") }
    }
  }

  /// Reads the newest snapshot and the log after it.
  ///
  /// - Returns: the last transaction.
  private static func replay(
    _ directory: DataDirectory<PosixFileSystem>, _ configuration: ServerConfiguration, _ report: inout UpgradeReport
  ) throws(TxnLogError) -> Zxid {
    var loader = TreeLoader(configuration.makeTreeSettings(), historyLimits: configuration.ensemble?.zabSettings)
    var settings = RecoverySettings()
    settings.trustsMissingSnapshot = configuration.logging.trustsMissingSnapshot
    settings.repairsTornTails = false
    let recovered = try directory.recover(into: &loader, settings: settings)
    let state = loader.state
    report.add(
      .fact,
      "the last transaction is \(recovered.lastZxid), of epoch \(recovered.lastZxid.epoch);"
        + " \(state.tree.reportedZnodeCount) znodes, \(state.sessions.count) sessions")
    report.add(
      .fact,
      "\(recovered.replayedCount) transactions would be replayed after"
        + " \(recovered.snapshot.map { "the snapshot of \($0.zxid)" } ?? "the empty tree")")
    for skipped in recovered.skippedSnapshots {
      report.add(.change, "\(skipped.path) cannot be read, and an older snapshot would be used: \(skipped.error)")
    }
    for tail in recovered.cut {
      report.add(
        .change,
        "\(tail.path): \(tail.bytes) bytes at offset \(tail.offset) were never completely written; they would be copied"
          + " aside and cut")
    }
    for tail in recovered.oldTorn {
      report.add(.fact, "\(tail.path): \(tail.bytes) bytes at offset \(tail.offset) are of no record, and stay")
    }
    if let zxid = recovered.unreachedZxid {
      report.add(.change, "the snapshot has effects up to \(zxid), and the log ends before it")
    }
    if state.digestMismatches > 0 {
      report.add(.change, "after \(state.digestMismatches) transactions the tree's digest differs from that in the log")
    }
    return recovered.lastZxid
  }

  private static func readEpochs(
    _ directory: DataDirectory<PosixFileSystem>, _ zxid: Zxid, isMember: Bool, _ report: inout UpgradeReport
  ) {
    guard isMember || directory.files.exists("\(directory.snapshotDirectory)/currentEpoch") else { return }
    let accepted = epoch("acceptedEpoch", directory, &report)
    let current = epoch("currentEpoch", directory, &report)
    let ofHistory = Int64(zxid.epoch)
    for (name, value) in [("acceptedEpoch", accepted), ("currentEpoch", current)] {
      if let value {
        report.add(.fact, "\(name) is \(value)")
      } else {
        report.add(.change, "\(name) is missing, and would be written with \(ofHistory), the epoch of the history")
      }
    }
    let (wouldAccept, wouldHave) = (accepted ?? ofHistory, current ?? ofHistory)
    if wouldHave > wouldAccept {
      report.add(.obstacle, "currentEpoch \(wouldHave) is after acceptedEpoch \(wouldAccept)")
    }
    guard ofHistory > wouldHave else { return }
    // Apache's servers announce an epoch in this file before they write transactions of it.
    let announced = number("currentEpoch.tmp", directory) ?? 0
    if announced >= ofHistory {
      report.add(.change, "currentEpoch would become \(ofHistory), which currentEpoch.tmp announces")
    } else {
      report.add(.obstacle, "currentEpoch \(wouldHave) is before the epoch of the history, \(ofHistory)")
    }
  }

  /// The number in a file; nil without one. A file that has no number is an obstacle.
  private static func epoch(
    _ name: String, _ directory: DataDirectory<PosixFileSystem>, _ report: inout UpgradeReport
  ) -> Int64? {
    let value = number(name, directory)
    let path = "\(directory.snapshotDirectory)/\(name)"
    if value == nil, directory.files.exists(path) { report.add(.obstacle, "\(path) has no number") }
    return value
  }

  private static func number(_ name: String, _ directory: DataDirectory<PosixFileSystem>) -> Int64? {
    let path = "\(directory.snapshotDirectory)/\(name)"
    guard let bytes = try? directory.files.contents(of: path, limitBytes: 32) else { return nil }
    return Int64(String(decoding: bytes.filter { $0 > 0x20 }, as: UTF8.self))
  }

  /// Reports a server of this program that uses the directory. Without its file there is none.
  private static func checkLock(_ directory: DataDirectory<PosixFileSystem>, _ report: inout UpgradeReport) {
    let path = "\(directory.dataDirectory)/zkcli.lock"
    guard directory.files.exists(path) else { return }
    do throws(FileSystemError) {
      directory.files.unlock(try directory.files.lock(path))
    } catch {
      if error.reason == .locked { report.add(.obstacle, "another server uses \(directory.dataDirectory)") }
    }
  }
}
