import StorageTesting
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// The writer's promises, and what it does when the disk fails.
@Suite(.timeLimit(.minutes(10))) struct WriterTests {
  private func writer(
    _ directory: Directory, after last: Int64 = 0, _ settings: LogSettings = settings()
  ) -> LogWriter<MemoryFileSystem> {
    LogWriter(
      directory.files, directory: directory.logDirectory, after: Zxid(rawValue: last), settings: settings)
  }

  private struct State: Equatable {
    var appended: Int64
    var persisted: Int64
    var isFailed: Bool
  }

  /// A copy of what `#expect` cannot take from a value that is not copyable.
  private func state(_ writer: borrowing LogWriter<MemoryFileSystem>) -> State {
    State(
      appended: writer.lastAppended.rawValue, persisted: writer.lastPersisted.rawValue,
      isFailed: writer.failure != nil)
  }

  private func failure(_ body: () throws(TxnLogError) -> Void) -> TxnLogError.Code? {
    do throws(TxnLogError) {
      try body()
      return nil
    } catch {
      return error.code
    }
  }

  @Test func nothingIsCreatedBeforeTheFirstSync() throws {
    let directory = try freshDirectory()
    var writer = writer(directory)
    try writer.append(entry(1))
    #expect(try directory.segments().isEmpty)
    #expect(state(writer) == State(appended: 1, persisted: 0, isFailed: false))
    #expect(try writer.sync() == Zxid(rawValue: 1))
    #expect(try directory.segments().map(\.zxid.rawValue) == [1])
    #expect(state(writer) == State(appended: 1, persisted: 1, isFailed: false))
  }

  @Test func oneBatchTakesOneWriteAndOneSync() throws {
    let directory = try freshDirectory()
    var writer = writer(directory, settings(1 << 20))
    try writer.append(entry(1))
    try writer.sync()
    let before = directory.files.operationCount
    for zxid in 2...100 { try writer.append(entry(Int64(zxid))) }
    try writer.sync()
    #expect(directory.files.operationCount - before == 2)
    try writer.sync()
    #expect(directory.files.operationCount - before == 2)
  }

  @Test(arguments: [0, 1 << 20]) func diskWithoutDirectWritesGetsTheSameFile(_ preallocationBytes: Int) throws {
    let cached = MemoryFileSystem()
    cached.hasDirectWrites = false
    var files: [[UInt8]] = []
    for disk in [MemoryFileSystem(), cached] {
      let directory = try freshDirectory(disk)
      try writeLog(directory, batches: [[1], Array(2...90), [91], [92]], dataBytes: 100, settings(preallocationBytes))
      disk.crash(.none)
      files.append(disk.visibleFiles["/data/version-2/log.1"] ?? [])
      #expect(try recover(directory).0.zxids == zxids(1...92))
    }
    let shorter = min(files[0].count, files[1].count)
    #expect(shorter > 92 * 100 && files[0].prefix(shorter) == files[1].prefix(shorter))
    #expect(files[0].dropFirst(shorter).allSatisfy { $0 == 0 })
  }

  @Test func misalignedDirectWriteIsRefused() throws {
    let disk = MemoryFileSystem()
    _ = try freshDirectory(disk)
    let file = try disk.open("/data/version-2/log.1", .createNewDirect)
    let error = #expect(throws: FileSystemError.self) {
      try disk.writeAll(file, at: 0, [UInt8](repeating: 1, count: 100), path: "log.1")
    }
    #expect(error?.reason == .notSupported)
  }

  @Test func filesGrowBySteps() throws {
    let directory = try freshDirectory()
    try writeLog(directory, batches: [[1], [2]], settings(16 << 10))
    #expect(directory.files.visibleFiles["/data/version-2/log.1"]?.count == 16 << 10)
    try writeLog(directory, after: Zxid(rawValue: 2), batches: [[3]], dataBytes: 50_000, settings(16 << 10))
    #expect(directory.files.visibleFiles["/data/version-2/log.3"]?.count == 64 << 10)
    #expect(try recover(directory).0.zxids == zxids(1...3))
  }

  @Test func rolledSegmentsGiveBackTheirRest() throws {
    let directory = try freshDirectory()
    var writer = writer(directory, settings(1 << 20))
    try writer.append(entry(1))
    try writer.roll()
    let (count, size) = (writer.segmentEntryCount, writer.segmentBytes)
    #expect(count == 0 && size == 0)
    try writer.append(entry(2))
    try writer.close()
    #expect(try directory.segments().map(\.zxid.rawValue) == [1, 2])
    #expect(directory.files.visibleFiles.values.allSatisfy { $0.count < 1000 })
    #expect(try recover(directory).0.zxids == zxids(1...2))
  }

  @Test func wrongEntriesAreRefusedAndChangeNothing() throws {
    let directory = try freshDirectory()
    var writer = writer(directory, after: 4)
    #expect(
      failure { () throws(TxnLogError) in try writer.append(entry(4)) }
        == .zxidOrder(previous: Zxid(rawValue: 4), found: Zxid(rawValue: 4)))
    #expect(failure { () throws(TxnLogError) in try writer.append([1, 2, 3]) } == .badEntry(lengthBytes: 3))
    #expect(state(writer) == State(appended: 4, persisted: 4, isFailed: false))
    try writer.append(entry(5))
    try writer.sync()
  }

  @Test(arguments: [FileSystemError.Operation.open, .write, .syncData, .syncDirectory])
  func failurePoisons(_ operation: FileSystemError.Operation) throws {
    let disk = MemoryFileSystem()
    let directory = try freshDirectory(disk)
    var writer = writer(directory)
    try writer.append(entry(1))
    disk.fault = { called, _, _ in called == operation ? .failure(.other) : nil }
    let first = failure { () throws(TxnLogError) in try writer.sync() }
    guard case .fileSystem(let cause) = first else { return #expect(Bool(false), "\(String(describing: first))") }
    #expect(cause.operation == operation)
    disk.fault = nil
    #expect(state(writer) == State(appended: 1, persisted: 0, isFailed: true))
    for _ in 0..<2 { #expect(failure { () throws(TxnLogError) in try writer.sync() } == .poisoned) }
    #expect(failure { () throws(TxnLogError) in try writer.append(entry(2)) } == .poisoned)
    disk.crash(.none)
    #expect(try recover(directory).1.lastZxid <= Zxid(rawValue: 1))
  }

  @Test func shortWritesAreCompleted() throws {
    let disk = MemoryFileSystem()
    let directory = try freshDirectory(disk)
    disk.fault = { called, _, number in called == .write ? .short(bytes: number % 7 + 1) : nil }
    try writeLog(directory, batches: [[1, 2], [3]])
    #expect(try recover(directory).0.zxids == zxids(1...3))
  }

  @Test func fullDiskStopsTheWriterAndLosesNothing() throws {
    let disk = MemoryFileSystem()
    let directory = try freshDirectory(disk)
    disk.capacityBytes = 3 * DirectWrite.blockBytes
    var persisted: Int64 = 0
    var writer = writer(directory, settings(1024))
    do throws(TxnLogError) {
      for zxid in 1...100 {
        try writer.append(entry(Int64(zxid)))
        persisted = try writer.sync().rawValue
      }
      Issue.record("the disk never filled up")
    } catch {
      guard case .fileSystem(let cause) = error.code else { throw error }
      #expect(cause.reason == .noSpace && cause.operation == .write)
    }
    #expect(persisted > 10 && state(writer).isFailed)
    disk.crash(.all)
    disk.capacityBytes = .max
    #expect(try recover(directory).1.lastZxid.rawValue >= persisted)
  }

  private static let courses: [MemoryWriteQueue.Course?] = [nil, .refused, .prompt, .late]

  /// Syncs one entry after the other by `sync(within:)`, and by `sync` where that must follow.
  private func syncWithin(
    _ writer: inout LogWriter<MemoryFileSystem>, _ numbers: ClosedRange<Int64>
  ) throws -> (atOnce: Int, queued: Int) {
    var (atOnce, queued) = (0, 0)
    for zxid in numbers {
      try writer.append(entry(zxid, dataBytes: 150))
      if let last = try writer.sync(within: 1000) {
        #expect(last == Zxid(rawValue: zxid))
        atOnce += 1
      } else {
        let isQueued = writer.isQueued
        if isQueued { queued += 1 }
        #expect(try writer.sync() == Zxid(rawValue: zxid))
      }
      let isQueued = writer.isQueued
      #expect(!isQueued)
    }
    return (atOnce, queued)
  }

  /// The file is the same whether batches go through a queue or not, and the log never waits for what takes long.
  @Test(arguments: courses) func queuedWritesGiveTheSameFile(_ course: MemoryWriteQueue.Course?) throws {
    let (plain, disk) = (MemoryFileSystem(), MemoryFileSystem())
    try writeLog(try freshDirectory(plain), batches: (1...200).map { [$0] }, dataBytes: 150, settings(16 << 10))
    disk.queuedWrites = course.map { course in { course } }
    let directory = try freshDirectory(disk)
    var writer = writer(directory, settings(16 << 10))
    let (atOnce, queued) = try syncWithin(&writer, 1...200)
    // The first one creates the file, and others find no reserved space.
    #expect(course == .prompt ? (190..<200).contains(atOnce) : atOnce == 0)
    #expect(course == .late ? (190..<200).contains(queued) : queued == 0)
    disk.crash(.none)
    #expect(disk.visibleFiles["/data/version-2/log.1"] == plain.visibleFiles["/data/version-2/log.1"])
    #expect(try recover(directory).0.zxids == zxids(1...200))
  }

  @Test func entriesWaitForAWriteThatGoesOn() throws {
    let disk = MemoryFileSystem()
    disk.queuedWrites = { .late }
    let directory = try freshDirectory(disk)
    var writer = writer(directory)
    try writer.append(entry(1))
    try writer.sync()
    try writer.append(entry(2))
    #expect(try writer.sync(within: 0) == nil)
    #expect(state(writer) == State(appended: 2, persisted: 1, isFailed: false))
    // Twice without a result, and the third entry has to wait for the second one.
    #expect(try writer.sync(within: 0) == nil)
    try writer.append(entry(3))
    #expect(state(writer) == State(appended: 3, persisted: 2, isFailed: false))
    #expect(try writer.sync(within: 0) == nil)
    try writer.roll()
    #expect(state(writer) == State(appended: 3, persisted: 3, isFailed: false))
    try writer.append(entry(4))
    try writer.sync()
    try writer.append(entry(5))
    #expect(try writer.sync(within: 0) == nil)
    // The queue would trap if the writer left it with the write.
    try writer.close()
    disk.crash(.none)
    #expect(try recover(directory).0.zxids == zxids(1...5))
  }

  @Test func aWriterThatIsLeftWaitsForItsWrite() throws {
    let disk = MemoryFileSystem()
    disk.queuedWrites = { .late }
    let directory = try freshDirectory(disk)
    do {
      var writer = writer(directory)
      try writer.append(entry(1))
      try writer.sync()
      try writer.append(entry(2))
      #expect(try writer.sync(within: 0) == nil)
    }
    #expect(try recover(directory).0.zxids == zxids(1...2))
  }

  @Test(arguments: [MemoryWriteQueue.Course.prompt, .late])
  func aQueuedWriteThatIsCutShortIsRepeated(_ course: MemoryWriteQueue.Course) throws {
    let disk = MemoryFileSystem()
    disk.queuedWrites = { course }
    let directory = try freshDirectory(disk)
    var writer = writer(directory)
    disk.fault = { called, _, number in called == .write && number % 3 > 0 ? .short(bytes: 512) : nil }
    _ = try syncWithin(&writer, 1...40)
    disk.crash(.none)
    #expect(try recover(directory).0.zxids == zxids(1...40))
  }

  @Test(arguments: [MemoryWriteQueue.Course.prompt, .late], [FileSystemError.Operation.write, .syncData])
  func aQueuedWriteThatFailsPoisons(
    _ course: MemoryWriteQueue.Course, _ operation: FileSystemError.Operation
  ) throws {
    let disk = MemoryFileSystem()
    disk.queuedWrites = { course }
    let directory = try freshDirectory(disk)
    var writer = writer(directory)
    _ = try syncWithin(&writer, 1...3)
    disk.fault = { called, _, _ in called == operation ? .failure(.noSpace) : nil }
    try writer.append(entry(4))
    let first = failure { () throws(TxnLogError) in
      guard try writer.sync(within: 1000) == nil else { return }
      try writer.sync()
    }
    guard case .fileSystem(let cause) = first else { return #expect(Bool(false), "\(String(describing: first))") }
    #expect(cause.reason == .noSpace && cause.path.hasSuffix("log.1"))
    disk.fault = nil
    #expect(state(writer) == State(appended: 4, persisted: 3, isFailed: true))
    #expect(failure { () throws(TxnLogError) in _ = try writer.sync(within: 1000) } == .poisoned)
    #expect(failure { () throws(TxnLogError) in try writer.sync() } == .poisoned)
    #expect(failure { () throws(TxnLogError) in try writer.append(entry(5)) } == .poisoned)
    disk.crash(.none)
    #expect(try recover(directory).0.zxids == zxids(1...3))
  }

  @Test func fullBatchIsSyncedByItself() throws {
    let directory = try freshDirectory()
    var writer = writer(directory, settings(32 << 20))
    for zxid in 1...9 { try writer.append(entry(Int64(zxid), dataBytes: 1 << 20)) }
    #expect(state(writer).persisted >= 8)
  }
}
