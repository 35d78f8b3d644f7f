import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// The machine loses its power at every call of a scripted life of a server.
@Suite(.timeLimit(.minutes(10))) struct CrashTests {
  /// What a client would know.
  private struct Knowledge {
    var persisted = Zxid.zero
    var appended = Zxid.zero
  }

  /// Logs, snapshots, rolls and purges; every batch larger than a sector so that it can tear.
  private func live(_ directory: Directory, _ knowledge: inout Knowledge) throws(TxnLogError) {
    try directory.create()
    try snapshot(directory, .zero)
    var writer = LogWriter(
      directory.files, directory: directory.logDirectory, after: .zero, settings: settings(4096))
    var next: Int64 = 1
    for round in 1...4 {
      for batch in 1...3 {
        for _ in 0..<batch {
          try writer.append(entry(next, dataBytes: 150 * batch))
          knowledge.appended = Zxid(rawValue: next)
          next += 1
        }
        knowledge.persisted = try sync(&writer)
      }
      try writer.roll()
      try snapshot(directory, knowledge.persisted)
      if round == 4 { _ = try directory.purge(retainCount: 3) }
    }
  }

  /// `sync` after `sync(within:)`, which does nothing if the disk has no queue.
  private func sync(_ writer: inout LogWriter<MemoryFileSystem>) throws(TxnLogError) -> Zxid {
    if let last = try writer.sync(within: 0) { return last }
    return try writer.sync()
  }

  /// A disk, with a queue if `isQueued` whose writes take every course in turn.
  private func disk(isQueued: Bool) -> MemoryFileSystem {
    let disk = MemoryFileSystem()
    let courses: [MemoryWriteQueue.Course] = [.prompt, .late, .prompt, .refused]
    var count = 0
    guard isQueued else { return disk }
    disk.queuedWrites = {
      count += 1
      return courses[count % courses.count]
    }
    return disk
  }

  private func snapshot(_ directory: Directory, _ zxid: Zxid) throws(TxnLogError) {
    var writer = try SnapshotWriter(
      directory.files, directory: directory.snapshotDirectory, zxid: zxid, sessions: [], aclLists: [])
    for node in builtIns { try writer.append(node) }
    try writer.finish(digest: SnapshotDigest(zxid: zxid, treeDigest: 0))
  }

  /// Recovers and checks against what was known before the crash.
  private func check(_ directory: Directory, _ knowledge: Knowledge, _ context: String) throws {
    if !directory.exists {
      #expect(knowledge.persisted == .zero)
      return
    }
    let (recorder, report) = try recover(directory)
    #expect(report.lastZxid >= knowledge.persisted, "\(context): \(knowledge)")
    #expect(report.lastZxid <= knowledge.appended, "\(context): \(knowledge)")
    let expected = (report.snapshot?.zxid.rawValue ?? 0)..<report.lastZxid.rawValue
    #expect(recorder.zxids.map(\.rawValue) == expected.map { $0 + 1 }, "\(context)")
    for (bytes, zxid) in zip(recorder.entries, recorder.zxids) {
      #expect(LogFormat.zxid(ofEntry: bytes) == zxid)
      #expect(bytes == entry(zxid.rawValue, dataBytes: dataBytes(of: bytes)), "\(context)")
    }
  }

  private func dataBytes(of bytes: [UInt8]) -> Int { (try? TxnEntry(decoding: bytes))?.txn.dataBytes ?? -1 }

  @Test(arguments: [false, true]) func noAnsweredTransactionIsLost(isQueued: Bool) throws {
    let whole = disk(isQueued: isQueued)
    var knowledge = Knowledge()
    try live(directory(whole), &knowledge)
    let total = whole.operationCount
    #expect(total > 80 && knowledge.persisted == Zxid(rawValue: 24))
    for crash in 1...total {
      let survivals: [MemoryFileSystem.Survival] =
        [.none, .all] + (1...3).map { .some(seed: UInt64(crash * 100 + $0)) }
      for survival in survivals {
        let disk = disk(isQueued: isQueued)
        disk.crashAtOperation = crash
        var knowledge = Knowledge()
        // The last calls are a purge's, which does nothing when it cannot read.
        try? live(directory(disk), &knowledge)
        disk.crash(survival)
        try check(directory(disk), knowledge, "crash \(crash), \(survival)")
        // And again, with another crash during recovery.
        disk.crashAtOperation = disk.operationCount + 1 + crash % 12
        _ = try? recover(directory(disk))
        disk.crash(.some(seed: UInt64(crash)))
        try check(directory(disk), knowledge, "crash \(crash), \(survival), crash in recovery")
      }
    }
  }

  @Test(arguments: [false, true]) func goingOnAfterACrashLosesNothing(isQueued: Bool) throws {
    for seed in UInt64(1)...60 {
      let disk = disk(isQueued: isQueued)
      let directory = try freshDirectory(disk)
      var known: Int64 = 0
      var last = Zxid.zero
      for life in UInt64(0)..<5 {
        var writer = LogWriter(disk, directory: directory.logDirectory, after: last, settings: settings(2048))
        disk.crashAtOperation = disk.operationCount + Int(seed * 7 + life * 13) % 40 + 3
        do throws(TxnLogError) {
          for step in 0..<50 {
            try writer.append(entry(writer.lastAppended.rawValue + 1, dataBytes: 400))
            if step % 3 == 2 { known = try sync(&writer).rawValue }
            if step % 17 == 16 { try writer.roll() }
          }
        } catch {
          #expect(error.code != .damaged(.checksum))
        }
        disk.crash(.some(seed: seed * 1000 + life))
        let (recorder, report) = try recover(directory)
        #expect(report.lastZxid.rawValue >= known, "seed \(seed)")
        #expect(recorder.zxids.map(\.rawValue) == (0..<report.lastZxid.rawValue).map { $0 + 1 }, "seed \(seed)")
        last = report.lastZxid
        // Recovery has made durable what it found.
        known = last.rawValue
      }
    }
  }

  @Test func interruptedSnapshotLeavesTheOldOne() throws {
    let nodes = (0..<3000).map {
      SnapshotNode(path: "/node\($0)", data: [UInt8](repeating: 7, count: 200), aclKey: -1, stat: builtIns[0].stat)
    }
    let reference = MemoryFileSystem()
    try writeSnapshot(freshDirectory(reference), Zxid(rawValue: 5), nodes: nodes)
    for crash in 1...reference.operationCount {
      let disk = MemoryFileSystem()
      disk.crashAtOperation = crash
      do {
        let directory = try freshDirectory(disk)
        try writeSnapshot(directory, Zxid(rawValue: 5), nodes: nodes)
      } catch { #expect(error is TxnLogError) }
      disk.crash(.some(seed: UInt64(crash)))
      guard directory(disk).exists else { continue }
      let (recorder, report) = try recover(directory(disk))
      #expect(report.skippedSnapshots.isEmpty)
      switch report.snapshot?.zxid.rawValue {
      case nil: #expect(recorder.nodes.isEmpty)
      case 0: #expect(recorder.nodes == builtIns)
      default: #expect(recorder.nodes == nodes)
      }
      #expect(disk.visibleFiles.keys.allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }
}

extension LogFormat {
  static func zxid(ofEntry bytes: [UInt8]) -> Zxid { bytes.withUnsafeBytes { zxid(ofEntry: $0) } }
}

extension Txn {
  /// The size of a create's data.
  fileprivate var dataBytes: Int? {
    if case .create(let body) = self { body.data?.count } else { nil }
  }
}
