import Foundation
import StorageTesting
import TestKit
import Testing
import ZooKeeperProtocol

@testable import TxnLog

/// The real file system.
@Suite(.timeLimit(.minutes(10))) struct PosixTests {
  private func directory() throws -> DataDirectory<PosixFileSystem> {
    let directory = DataDirectory(PosixFileSystem(), dataDirectory: "\(try Scratch.directory("txnlog"))/a/b")
    try directory.create()
    return directory
  }

  private func fill(_ directory: DataDirectory<PosixFileSystem>, through last: Int64) throws {
    let files = PosixFileSystem()
    var snapshot = try SnapshotWriter(
      files, directory: directory.snapshotDirectory, zxid: .zero, sessions: [], aclLists: [])
    for node in builtIns { try snapshot.append(node) }
    try snapshot.finish(digest: nil)
    var writer = LogWriter(files, directory: directory.logDirectory, after: .zero, settings: settings(64 << 10))
    for zxid in 1...last {
      try writer.append(entry(zxid, dataBytes: 100))
      if zxid % 10 == 0 { try writer.sync() }
      if zxid % 100 == 0 { try writer.roll() }
    }
    try writer.sync()
  }

  @Test func writtenFilesAreReadBack() throws {
    let directory = try directory()
    #expect(directory.exists)
    try fill(directory, through: 250)
    var recorder = Recorder()
    let report = try directory.recover(into: &recorder)
    #expect(report.lastZxid == Zxid(rawValue: 250) && report.cut.isEmpty)
    #expect(recorder.entries == (1...250).map { entry($0, dataBytes: 100) })
    #expect(try directory.segments().map(\.zxid.rawValue) == [1, 101, 201])
    try directory.truncate(to: Zxid(rawValue: 150))
    #expect(try directory.recover(into: &recorder).lastZxid == Zxid(rawValue: 150))
    #expect(try directory.sizes().logBytes < 64 << 10)
  }

  private static let hasQueues = SystemWriteQueue() != nil

  /// The system's own queue, where it has one: what it says is durable is in the file, block after block.
  @Test(.enabled(if: hasQueues)) func queuedWritesAreReadBack() throws {
    let directory = try directory()
    try fill(directory, through: 1)
    var writer = LogWriter(
      PosixFileSystem(), directory: directory.logDirectory, after: Zxid(rawValue: 1), settings: settings(64 << 10))
    var queuedCount = 0
    for zxid in Int64(2)...300 {
      try writer.append(entry(zxid, dataBytes: 500))
      let last = try writer.sync(within: 10_000_000_000)
      if last == nil { try writer.sync() }
      #expect(last == nil || last == Zxid(rawValue: zxid))
      queuedCount += last == nil ? 0 : 1
    }
    try writer.close()
    var recorder = Recorder()
    #expect(try directory.recover(into: &recorder).lastZxid == Zxid(rawValue: 300))
    #expect(recorder.entries.dropFirst() == (2...300).map { entry($0, dataBytes: 500) }[...])
    // Some file systems have no direct writes, and then nothing is queued.
    #expect(queuedCount == 0 || queuedCount > 250)
  }

  /// A write for which there is no room yet is left, and found when it has ended.
  @Test(.enabled(if: hasQueues)) func aQueuedWriteCanBeLeft() throws {
    let queue = try #require(SystemWriteQueue())
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    defer { for end in ends where end >= 0 { close(end) } }
    let file = FileHandle(rawValue: ends[1])
    let bytes = [UInt8](repeating: 7, count: 4096)
    var (count, last) = (0, QueuedWrite.refused)
    bytes.withUnsafeBytes { raw in
      repeat {
        last = queue.write(file, at: 0, raw, waiting: 5_000_000)
        count += 1
      } while last == .written(byteCount: raw.count) && count < 1000
      #expect(last == .goesOn)
      #expect(queue.wait(1_000_000) == .goesOn)
      var room = [UInt8](repeating: 0, count: 1 << 20)
      #expect(read(ends[0], &room, room.count) == (count - 1) * raw.count)
      #expect(queue.wait(nil) == .written(byteCount: raw.count))
      // It can be used again, and says what is wrong.
      #expect(queue.write(file, at: 0, raw, waiting: 1_000_000_000) == .written(byteCount: raw.count))
      close(ends[1])
      ends[1] = -1
      #expect(queue.write(file, at: 0, raw, waiting: 1_000_000_000) == .failed(.other, errno: EBADF))
    }
  }

  @Test func reservedRoomIsReal() throws {
    let directory = try directory()
    try fill(directory, through: 1)
    let path = "\(directory.logDirectory)/log.1"
    let values = try URL(filePath: path).resourceValues(forKeys: [.fileSizeKey, .fileAllocatedSizeKey])
    #expect(values.fileSize == 64 << 10)
  }

  @Test func errorsNameTheirFile() throws {
    let files = PosixFileSystem()
    let missing = "\(try Scratch.directory("txnlog"))/missing"
    let error = #expect(throws: FileSystemError.self) { _ = try files.open(missing, .read) }
    #expect(error?.reason == .notFound && error?.path == missing && error?.errno == ENOENT)
    let file = try files.open(missing, .createNew)
    defer { files.close(file) }
    #expect(throws: FileSystemError.self) { _ = try files.open(missing, .createNew) }
    let readOnly = try files.open(missing, .read)
    let failed = #expect(throws: FileSystemError.self) { try files.writeAll(readOnly, at: 0, [1], path: missing) }
    #expect(failed?.errno == EBADF)
    files.close(readOnly)
    #expect(throws: FileSystemError.self) { try files.remove("\(missing)/below") }
    #expect(throws: FileSystemError.self) { _ = try files.list(missing) }
  }

  /// Opening a pipe does not wait for its other end, and the message says what is wrong.
  @Test func whatIsNoFileIsSaidToBeNone() throws {
    let directory = try directory()
    try fill(directory, through: 150)
    for name in ["log.1", "log.65", "snapshot.0"] {
      let path = "\(directory.snapshotDirectory)/\(name)"
      let saved = "\(directory.dataDirectory)/saved"
      #expect(rename(path, saved) == 0)
      for make in [{ mkfifo($0, 0o644) }, { mkdir($0, 0o755) }] as [(String) -> Int32] {
        #expect(make(path) == 0)
        var recorder = Recorder()
        do throws(TxnLogError) {
          let report = try directory.recover(into: &recorder)
          // A snapshot that cannot be read is passed over, but there is no other.
          Issue.record("\(name): \(report)")
        } catch {
          if case .fileSystem(let failure) = error.code {
            #expect(failure.reason == .notAFile && failure.words.contains("not a file") && failure.path == path)
          } else {
            #expect(error.code == .noValidSnapshot && error.path == path, "\(error)")
          }
        }
        #expect(remove(path) == 0)
      }
      #expect(rename(saved, path) == 0)
    }
    var recorder = Recorder()
    #expect(try directory.recover(into: &recorder).lastZxid == Zxid(rawValue: 150))
  }

  /// Twenty gigabytes that take no room on the disk take no time either, and are removed by the start.
  @Test func holesBehindALogAreNotRead() throws {
    let directory = try directory()
    try fill(directory, through: 50)
    let path = "\(directory.logDirectory)/log.1"
    #expect(truncate(path, 20 << 30) == 0)
    let start = ContinuousClock.now
    var recorder = Recorder()
    #expect(try directory.recover(into: &recorder).lastZxid == Zxid(rawValue: 50))
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(try directory.sizes().logBytes < 64 << 10)
  }

  @Test(.enabled(if: getuid() != 0)) func directoryThatTakesNoFilesIsFoundAtOnce() throws {
    let directory = try directory()
    #expect(chmod(directory.snapshotDirectory, 0o555) == 0)
    defer { chmod(directory.snapshotDirectory, 0o755) }
    let error = #expect(throws: TxnLogError.self) { try directory.checkWritable() }
    guard case .fileSystem(let failure)? = error?.code else { return #expect(Bool(false), "\(error as Any)") }
    #expect(failure.reason == .permissionDenied && failure.words.hasSuffix("permission denied"))
  }

  @Test func writableDirectoryStaysAsItIs() throws {
    let directory = try directory()
    try directory.checkWritable()
    #expect(try PosixFileSystem().list(directory.snapshotDirectory) == [])
    try directory.checkExists()
    let missing = DataDirectory(PosixFileSystem(), dataDirectory: "\(directory.dataDirectory)/none")
    let error = #expect(throws: TxnLogError.self) { try missing.checkExists() }
    #expect(error?.code == .missingDirectory)
  }

  @Test func fullDeviceIsSaidToBeFull() throws {
    let files = PosixFileSystem()
    let file = try files.open("/dev/full", .update)
    defer { files.close(file) }
    let error = #expect(throws: FileSystemError.self) { try files.writeAll(file, at: 0, [1, 2], path: "/dev/full") }
    #expect(error?.reason == .noSpace)
  }

  @Test func directWritesGoToTheDeviceOrAreRefused() throws {
    let files = PosixFileSystem()
    let path = "\(try Scratch.directory("txnlog"))/direct"
    guard let file = try? files.open(path, .createNewDirect) else {
      // Not every file system has them; what was begun is gone then.
      return #expect(!files.exists(path))
    }
    defer { files.close(file) }
    var buffer = BlockBuffer()
    buffer.append([UInt8](repeating: 7, count: 5000))
    try files.writeAll(file, at: 0, buffer.paddedBytes, path: path)
    let written = try files.contents(of: path)
    #expect(written.count == 8192 && written[4999] == 7 && written[5000] == 0)
  }

  @Test func lockKeepsOthersOutUntilItGoes() throws {
    let directory = try directory()
    do {
      let first = try directory.lock()
      let error = #expect(throws: TxnLogError.self) { _ = try directory.lock() }
      #expect(error?.code == .locked)
      _ = consume first
    }
    _ = try directory.lock()
  }

  /// As in a child process that has not become its program yet.
  @Test func lockGoesThoughThereIsACopyOfItsDescriptor() throws {
    let files = PosixFileSystem()
    let path = "\(try Scratch.directory("lock"))/file"
    let first = try files.lock(path)
    let copy = dup(first.rawValue)
    defer { close(copy) }
    files.unlock(first)
    files.unlock(try files.lock(path))
  }
}

/// Directories that go from this module to Apache's server and back.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled)) struct ApacheDirectoryTests {
  private let files = PosixFileSystem()

  /// Writes a directory with a snapshot at 3, with all sections or only the nodes, a log that begins before it, and
  /// another.
  private func fill(_ path: String, isFull: Bool) throws {
    let directory = DataDirectory(files, dataDirectory: path)
    try directory.create()
    var log = LogWriter(files, directory: directory.logDirectory, after: .zero, settings: settings(64 << 10))
    for zxid in 1...3 as ClosedRange<Int64> { try log.append(entry(zxid)) }
    try log.sync()
    let acl = ACL(permissions: [.read, .write], scheme: "ip", id: "127.0.0.1")
    var snapshot = try SnapshotWriter(
      files, directory: directory.snapshotDirectory, zxid: Zxid(rawValue: 3),
      sessions: [SnapshotSession(id: SessionID(rawValue: 0x77), timeoutMilliseconds: 3_600_000)],
      aclLists: [SnapshotACLList(key: 1, acl: [acl])])
    for node in builtIns { try snapshot.append(node) }
    for name in ["n1", "n2", "n3"] {
      try snapshot.append(SnapshotNode(path: "/\(name)", data: nil, aclKey: 1, stat: builtIns[0].stat))
    }
    let digest = isFull ? SnapshotDigest(zxid: Zxid(rawValue: 3), treeDigest: 1) : nil
    try snapshot.finish(digest: digest, lastProcessed: Zxid(rawValue: 3))
    for zxid in 4...10 as ClosedRange<Int64> {
      try log.append(entry(zxid))
      if zxid % 2 == 0 { try log.sync() }
      if zxid == 6 { try log.roll() }
    }
  }

  private func line(_ answer: String, _ name: String) -> Substring? {
    answer.split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count)
  }

  @Test(arguments: [true, false]) func apacheLoadsOursAndWeLoadApaches(isFull: Bool) async throws {
    let server = try await ApacheServer.start(.permissive) { try fill($0, isFull: isFull) }
    let answer = try server.fourLetterWord("srvr")
    // Apache counts the root under both of its names.
    #expect(line(answer, "Node count: ") == "15", "\(answer)")
    #expect(line(answer, "Zxid: ") == "0xa", "\(answer)")
    try await server.stop()
    // Apache's server has written a snapshot, and ended the session when it started.
    let directory = DataDirectory(files, dataDirectory: server.dataDirectory)
    var recorder = Recorder()
    let report = try directory.recover(into: &recorder)
    #expect(report.lastZxid >= Zxid(rawValue: 10) && report.skippedSnapshots.isEmpty && report.cut.isEmpty)
    #expect(try directory.snapshots().count >= 2)
    #expect(recorder.nodes.count == 14)
    #expect(recorder.nodes.first { $0.path == "/n7" }?.data?.count == 20)
    #expect(recorder.nodes.first { $0.path == "/n2" }?.data == .some(nil))
  }

  @Test func apacheGoesOnAfterATornTailOfOurs() async throws {
    let server = try await ApacheServer.start(.permissive) { path in
      try fill(path, isFull: true)
      let directory = DataDirectory(files, dataDirectory: path)
      let last = try #require(try directory.segments().last)
      let dump = try LogDump(files, path: last.path, segment: last.zxid)
      let file = try files.open(last.path, .update)
      defer { files.close(file) }
      try files.truncate(file, to: try #require(dump.end).offset - 5)
      // Recovery cuts and marks the place; the mark must end the log for Apache too.
      var recorder = Recorder()
      #expect(try directory.recover(into: &recorder).cut.count == 1)
    }
    #expect(line(try server.fourLetterWord("srvr"), "Zxid: ") == "0x9")
    try await server.kill()
    var recorder = Recorder()
    let report = try DataDirectory(files, dataDirectory: server.dataDirectory).recover(into: &recorder)
    #expect(report.lastZxid >= Zxid(rawValue: 9) && recorder.nodes.count + report.replayedCount >= 13)
  }
}
