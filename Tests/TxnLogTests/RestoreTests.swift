import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Restores of a snapshot over a directory with another state.
@Suite(.timeLimit(.minutes(10))) struct RestoreTests {
  private func zxid(_ value: Int64) -> Zxid { Zxid(rawValue: value) }

  /// Snapshots 0, 10 and 20, logs up to 25, and the epochs of an ensemble.
  private func oldState(_ disk: MemoryFileSystem, logs: String? = nil) throws -> Directory {
    let directory = Directory(disk, dataDirectory: "/data", dataLogDirectory: logs)
    try directory.create()
    for snapshot in [0, 10, 20] { try writeSnapshot(directory, zxid(Int64(snapshot))) }
    try writeLog(directory, batches: [Array(1...12)])
    try writeLog(directory, after: zxid(12), batches: [Array(13...25)])
    let epochs = EpochFiles(directory)
    try epochs.saveAccepted(3)
    try epochs.saveCurrent(2)
    return directory
  }

  private let nodes =
    builtIns + [SnapshotNode(path: "/restored", data: [1], aclKey: -1, stat: builtIns[0].stat)]

  /// Puts a snapshot where restores begin.
  private func stage(_ directory: Directory, _ zxid: Zxid) throws {
    let elsewhere = Directory(directory.files, dataDirectory: "/elsewhere")
    try elsewhere.create()
    try writeSnapshot(elsewhere, zxid, nodes: nodes)
    try directory.stageRestore(from: "/elsewhere/version-2/\(FileName.snapshot(zxid))")
  }

  private func restore(_ directory: Directory, _ zxid: Zxid) throws -> RestoredSnapshot {
    try stage(directory, zxid)
    try directory.decideRestore(of: zxid)
    return try #require(try directory.completeRestore())
  }

  @Test(arguments: [nil, "/logs"]) func theSnapshotIsTheOnlyStateAfterwards(logs: String?) throws {
    let disk = MemoryFileSystem()
    let directory = try oldState(disk, logs: logs)
    let (before, _) = try recover(directory)
    #expect(before.zxids.last == zxid(25))
    let restored = try restore(directory, zxid(5))
    #expect(restored.zxid == zxid(5) && restored.path == "/data/version-2/snapshot.5")
    #expect(restored.asidePaths == (logs == nil ? ["/data"] : ["/data", "/logs"]).map { "\($0)/before-restore-1" })
    let (recorder, report) = try recover(directory)
    #expect(recorder.nodes == nodes && recorder.zxids.isEmpty)
    #expect(report.lastZxid == zxid(5) && report.completedRestore == nil)
    // The earlier state can be used as a data directory.
    let aside = Directory(
      disk, dataDirectory: "/data/before-restore-1", dataLogDirectory: logs.map { "\($0)/before-restore-1" })
    let (kept, keptReport) = try recover(aside)
    #expect(kept.zxids == before.zxids && kept.nodes == before.nodes && keptReport.lastZxid == zxid(25))
    #expect(try EpochFiles(aside).load(lastZxid: zxid(25)) == .init(accepted: 3, current: 2))
    // A second restore keeps the first one's state too.
    try writeLog(directory, after: zxid(5), batches: [[6, 7]])
    #expect(try restore(directory, zxid(1)).asidePaths.first == "/data/before-restore-2")
    #expect(try recover(directory).1.lastZxid == zxid(1))
  }

  @Test func epochsAreRaisedAndNeverLowered() throws {
    let directory = try oldState(MemoryFileSystem())
    let early = Zxid(rawValue: 1 << 32 | 5)
    _ = try restore(directory, early)
    #expect(try EpochFiles(directory).load(lastZxid: early) == .init(accepted: 3, current: 2))
    let late = Zxid(rawValue: 7 << 32 | 5)
    _ = try restore(directory, late)
    #expect(try EpochFiles(directory).load(lastZxid: late) == .init(accepted: 7, current: 7))
  }

  @Test func anEmptyDirectoryHasNothingToKeep() throws {
    let directory = directory(MemoryFileSystem())
    try directory.create()
    #expect(try restore(directory, zxid(9)).asidePaths == [])
    #expect(try recover(directory).1.lastZxid == zxid(9))
  }

  @Test func whatWasNotDecidedIsForgotten() throws {
    let disk = MemoryFileSystem()
    let directory = try oldState(disk)
    try stage(directory, zxid(5))
    #expect(try recover(directory).1.lastZxid == zxid(25))
    #expect(!disk.exists(directory.stagedRestorePath))
    // Without room for the decision, too.
    try stage(directory, zxid(5))
    disk.fault = { operation, path, _ in
      operation == .syncDirectory && disk.exists("/data/version-2/zkcli.restore") ? .failure(.other) : nil
    }
    #expect(throws: TxnLogError.self) { try directory.decideRestore(of: zxid(5)) }
    disk.fault = nil
    #expect(try recover(directory).1.lastZxid == zxid(25))
  }

  @Test(arguments: ["", "snapshot=snapshot.5\n", "snapshot=../x\naside=before-restore-1\n", "snapshot=x\naside=y\n"])
  func aDecisionThatCannotBeReadStopsTheStart(text: String) throws {
    let disk = MemoryFileSystem()
    let directory = try oldState(disk)
    disk.install("/data/version-2/zkcli.restore", Array(text.utf8))
    #expect(throws: TxnLogError.self) { try recover(directory) }
    #expect(try directory.snapshots().count == 3)
  }

  /// The power fails at every call of a restore, and again while the next start completes it.
  @Test(arguments: [nil, "/logs"]) func aCrashLeavesTheOldStateOrTheNewOne(logs: String?) throws {
    let whole = MemoryFileSystem()
    let directory = try oldState(whole, logs: logs)
    let first = whole.operationCount + 1
    _ = try restore(directory, zxid(5))
    let last = whole.operationCount
    #expect(last - first > 30)
    var outcomes: Set<Int64> = []
    for crash in first...last {
      let survivals: [MemoryFileSystem.Survival] =
        [.none, .all] + (1...4).map { .some(seed: UInt64(crash * 100 + $0)) }
      for survival in survivals {
        let disk = MemoryFileSystem()
        let directory = try oldState(disk, logs: logs)
        disk.crashAtOperation = crash
        _ = try? restore(directory, zxid(5))
        disk.crash(survival)
        disk.crashAtOperation = disk.operationCount + 1 + crash % 17
        _ = try? recover(directory)
        disk.crash(.some(seed: UInt64(crash)))
        let context: Comment = "crash \(crash), \(survival)"
        let (recorder, report) = try recover(directory)
        outcomes.insert(report.lastZxid.rawValue)
        if report.lastZxid == zxid(5) {
          #expect(recorder.nodes == nodes && recorder.zxids.isEmpty, context)
          let aside = Directory(
            disk, dataDirectory: "/data/before-restore-1", dataLogDirectory: logs.map { "\($0)/before-restore-1" })
          #expect(try recover(aside).1.lastZxid == zxid(25), context)
          #expect(try aside.snapshots().count == 3, context)
        } else {
          #expect(report.lastZxid == zxid(25) && recorder.nodes == builtIns, context)
        }
      }
    }
    #expect(outcomes == [5, 25])
  }
}
