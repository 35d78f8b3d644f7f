import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// Purge, truncation, snapshots from a leader, repair: what makes files go, and in which order.
@Suite(.timeLimit(.minutes(10))) struct RetentionTests {
  private func zxid(_ value: Int64) -> Zxid { Zxid(rawValue: value) }

  /// Snapshots 0, 10, 20, 30, 40 and logs that begin at 1, 8, 18, 28, 38, up to 45.
  private func longHistory(_ disk: MemoryFileSystem = MemoryFileSystem()) throws -> Directory {
    let directory = try freshDirectory(disk)
    let starts: [Int64] = [1, 8, 18, 28, 38, 46]
    for (start, next) in zip(starts, starts.dropFirst()) {
      try writeLog(directory, after: zxid(start - 1), batches: [Array(start..<next)])
    }
    for snapshot in [10, 20, 30, 40] { try writeSnapshot(directory, zxid(Int64(snapshot))) }
    return directory
  }

  private func snapshotZxids(_ directory: Directory) throws -> [Int64] {
    try directory.snapshots().map(\.zxid.rawValue)
  }

  private func segmentZxids(_ directory: Directory) throws -> [Int64] { try directory.segments().map(\.zxid.rawValue) }

  @Test func purgeKeepsWhatTheOldestKeptSnapshotNeeds() throws {
    let directory = try longHistory()
    let removed = try directory.purge(retainCount: 3)
    #expect(try snapshotZxids(directory) == [20, 30, 40])
    #expect(try segmentZxids(directory) == [18, 28, 38])
    #expect(removed.count == 4)
    #expect(try directory.purge(retainCount: 3).isEmpty)
    // Each kept snapshot leads to the end.
    for damaged in [[], [40], [40, 30]] {
      for snapshot in damaged {
        directory.files.install("/data/version-2/snapshot.\(String(snapshot, radix: 16))", [0])
      }
      #expect(try recover(directory).1.lastZxid == zxid(45))
    }
  }

  @Test func purgeCountsOnlyWholeSnapshots() throws {
    let directory = try longHistory()
    var damaged = try #require(directory.files.visibleFiles["/data/version-2/snapshot.28"])
    damaged[100] ^= 1
    directory.files.install("/data/version-2/snapshot.28", damaged)
    try directory.purge(retainCount: 1)
    #expect(try snapshotZxids(directory) == [10, 20, 30, 40])
    #expect(try segmentZxids(directory) == [8, 18, 28, 38])
    let few = try freshDirectory()
    try writeSnapshot(few, zxid(1))
    #expect(try few.purge(retainCount: 3).isEmpty)
  }

  @Test(arguments: [45, 41, 40, 33, 27, 20, 8, 7, 1] as [Int64]) func truncationLeavesExactlyThat(_ last: Int64) throws
  {
    let directory = try longHistory()
    try directory.truncate(to: zxid(last))
    let (recorder, report) = try recover(directory)
    #expect(report.lastZxid == zxid(last))
    #expect(recorder.zxids.last ?? report.snapshot?.zxid == zxid(last))
    #expect(try snapshotZxids(directory).allSatisfy { $0 <= last })
    // The history goes on from there.
    try writeLog(directory, after: zxid(last), batches: [[0x1_0000_0001]])
    #expect(try recover(directory).1.lastZxid == zxid(0x1_0000_0001))
  }

  /// ZOOKEEPER-4837: the snapshot of a leader that could not complete its election holds the transaction that goes.
  @Test func truncatedTransactionSurvivesInNoSnapshot() throws {
    let directory = try longHistory()
    try writeSnapshot(directory, zxid(45))
    try writeSnapshot(directory, zxid(42), fuzzyThrough: zxid(44))
    try directory.truncate(to: zxid(43))
    #expect(try snapshotZxids(directory) == [0, 10, 20, 30, 40])
    #expect(try recover(directory).1.lastZxid == zxid(43))
  }

  @Test func truncationToAMissingPlaceChangesNothing() throws {
    let directory = try longHistory()
    let before = directory.files.visibleFiles
    for place in [46, 0x1_0000_0001] as [Int64] {
      #expect(throws: TxnLogError.self) { try directory.truncate(to: zxid(place)) }
    }
    #expect(directory.files.visibleFiles == before)
  }

  @Test func interruptedTruncationCanBeRepeated() throws {
    let reference = try longHistory()
    let before = reference.files.operationCount
    try reference.truncate(to: zxid(12))
    for crash in 1...(reference.files.operationCount - before) {
      let directory = try longHistory()
      directory.files.crashAtOperation = directory.files.operationCount + crash
      #expect(throws: TxnLogError.self) { try directory.truncate(to: zxid(12)) }
      directory.files.crash(.some(seed: UInt64(crash)))
      let (_, report) = try recover(directory)
      #expect(report.lastZxid >= zxid(12) && report.lastZxid <= zxid(45))
      try directory.truncate(to: zxid(12))
      #expect(try recover(directory).1.lastZxid == zxid(12))
    }
  }

  private func installLeaderSnapshot(_ directory: Directory, _ last: Int64) throws {
    var writer = try SnapshotWriter(
      directory.files, directory: directory.snapshotDirectory, zxid: zxid(last), sessions: [], aclLists: [])
    for node in builtIns { try writer.append(node) }
    try directory.install(writer, digest: nil)
  }

  @Test(arguments: [30, 0x2_0000_0005, 0x1_0000_0000] as [Int64]) func leadersSnapshotReplacesEverything(
    _ last: Int64
  ) throws {
    let directory = try longHistory()
    try installLeaderSnapshot(directory, last)
    #expect(try snapshotZxids(directory) == [last])
    #expect(try directory.segments().isEmpty)
    #expect(try recover(directory).1.lastZxid == zxid(last))
  }

  @Test func interruptedInstallationLeavesAHistory() throws {
    for last in [33, 0x2_0000_0005] as [Int64] {
      let reference = try longHistory()
      let before = reference.files.operationCount
      try installLeaderSnapshot(reference, last)
      for crash in 1...(reference.files.operationCount - before) {
        let directory = try longHistory()
        directory.files.crashAtOperation = directory.files.operationCount + crash
        try? installLeaderSnapshot(directory, last)
        directory.files.crash(.some(seed: UInt64(crash)))
        let (_, report) = try recover(directory)
        let allowed = last == 33 ? 33...45 : 45...last
        #expect(allowed.contains(report.lastZxid.rawValue), "crash \(crash) at \(last): \(report.lastZxid)")
      }
    }
  }

  @Test func repairCutsAtTheDamageAndKeepsTheBytes() throws {
    let directory = try longHistory()
    let path = "/data/version-2/log.26"
    let dump = try LogDump(directory.files, path: path, segment: zxid(38))
    var bytes = try #require(directory.files.visibleFiles[path])
    let offset = dump.records[4].offset
    bytes[offset + 40] ^= 1
    directory.files.install(path, bytes)
    try writeLog(directory, after: zxid(45), batches: [[46]])
    let error = try #require(refusal(directory))
    // Within the only batch of its segment it could have been a torn one, but for the segment after it.
    #expect(error == TxnLogError(.damaged(.content), path: path, offset: offset))
    let cuts = try directory.repair()
    #expect(cuts.map(\.path) == ["/data/version-2/log.2e", path])
    #expect(cuts[1].offset == offset && cuts[1].reason == error)
    let (_, report) = try recover(directory)
    #expect(report.lastZxid == zxid(41))
    let copy = try #require(directory.files.visibleFiles[cuts[1].copyPath])
    #expect(
      copy == Array(bytes[offset..<offset + copy.count]) && bytes[(offset + copy.count)...].allSatisfy { $0 == 0 })
    #expect(try directory.repair().isEmpty)
    try writeLog(directory, after: zxid(41), batches: [[42]])
    #expect(try recover(directory).1.lastZxid == zxid(42))
  }

  @Test func damagedSnapshotWithoutItsLogRefusesUntilRepaired() throws {
    let directory = try longHistory()
    try writeSnapshot(directory, zxid(50))
    var bytes = try #require(directory.files.visibleFiles["/data/version-2/snapshot.32"])
    bytes[60] ^= 1
    directory.files.install("/data/version-2/snapshot.32", bytes)
    #expect(refusal(directory)?.code == .lostHistory(readable: zxid(45), snapshot: zxid(50)))
    #expect(try directory.repair().map(\.path) == ["/data/version-2/snapshot.32"])
    #expect(try recover(directory).1.lastZxid == zxid(45))
  }

  @Test func logWithoutSnapshotNeedsTrust() throws {
    let disk = MemoryFileSystem()
    let directory = directory(disk)
    try directory.create()
    #expect(try recover(directory).1.isEmpty)
    try writeLog(directory, batches: [[1, 2]])
    #expect(refusal(directory)?.code == .noSnapshot)
    var settings = RecoverySettings()
    settings.trustsMissingSnapshot = true
    #expect(try recover(directory, settings).0.zxids == zxids(1...2))
    try writeSnapshot(directory, zxid(2), nodes: [])
    disk.install("/data/version-2/snapshot.2", [1, 2, 3])
    #expect(refusal(directory)?.code == .noValidSnapshot)
  }

  @Test func damagedFirstSnapshotIsNamed() throws {
    let disk = MemoryFileSystem()
    let directory = directory(disk)
    try directory.create()
    try writeLog(directory, batches: [[1, 2]])
    disk.install("/data/version-2/snapshot.0", [1, 2, 3])
    let error = try #require(refusal(directory))
    #expect(error.code == .noValidSnapshot && error.path == "/data/version-2/snapshot.0")
  }

  @Test func misplacedFilesRefuse() throws {
    let disk = MemoryFileSystem()
    let directory = Directory(disk, dataDirectory: "/data", dataLogDirectory: "/logs")
    try directory.create()
    try writeSnapshot(directory, .zero)
    try writeLog(directory, batches: [[1]])
    #expect(try recover(directory).1.lastZxid == zxid(1))
    let sizes = try directory.sizes()
    #expect(sizes.snapshotBytes > 100 && sizes.logBytes > 50)
    disk.install("/data/version-2/log.2", [])
    #expect(refusal(directory) == TxnLogError(.misplacedFile, path: "/data/version-2/log.2"))
  }

  @Test func unreachedEndOfAFuzzySnapshotIsReported() throws {
    let directory = try freshDirectory()
    try writeLog(directory, batches: [[1, 2, 3]])
    try writeSnapshot(directory, zxid(2), fuzzyThrough: zxid(5))
    #expect(try recover(directory).1.unreachedZxid == zxid(5))
  }

  @Test func reportingOnlyChangesNothing() throws {
    let directory = try freshDirectory()
    try writeLog(directory, batches: [[1], [2]])
    let path = "/data/version-2/log.1"
    let bytes = try #require(directory.files.visibleFiles[path])
    let end = try #require(try LogDump(directory.files, path: path, segment: zxid(1)).end).offset
    directory.files.install(path, Array(bytes[..<(end - 3)]))
    let before = directory.files.visibleFiles
    var settings = RecoverySettings()
    settings.repairsTornTails = false
    #expect(try recover(directory, settings).1.cut.count == 1)
    #expect(directory.files.visibleFiles == before)
  }
}
