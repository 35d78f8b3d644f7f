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

  @Test func fullBatchIsSyncedByItself() throws {
    let directory = try freshDirectory()
    var writer = writer(directory, settings(32 << 20))
    for zxid in 1...9 { try writer.append(entry(Int64(zxid), dataBytes: 1 << 20)) }
    #expect(state(writer).persisted >= 8)
  }
}
