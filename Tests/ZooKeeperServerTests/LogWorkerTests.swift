import NIOCore
import NIOPosix
import StorageTesting
import Synchronization
import Testing
import TxnLog
import ZooKeeperProtocol

@testable import ZooKeeperServer

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file system whose syncs can be held.
private final class HeldDisk: @unchecked Sendable {
  // @unchecked: one thread at a time uses the files, the log's; the gate is a mutex.
  let files = MemoryFileSystem()
  private let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(gate, nil)
    files.fault = { [gate] operation, _, _ in
      if operation == .syncData || operation == .syncAll {
        pthread_mutex_lock(gate)
        pthread_mutex_unlock(gate)
      }
      return nil
    }
  }

  func hold() { pthread_mutex_lock(gate) }
  func release() { pthread_mutex_unlock(gate) }
}

extension MemoryFileSystem: @unchecked Sendable {}

/// The thread that makes transactions durable, and the event loop that must not wait for it for long.
@Suite(.timeLimit(.minutes(2))) struct LogWorkerTests {
  private static let courses: [MemoryWriteQueue.Course?] = [nil, .refused, .prompt, .late]
  private let loop = MultiThreadedEventLoopGroup.singleton.next()
  private let disk = HeldDisk()
  private let slowDisk = SlowDisk()
  private let metrics = LogMetrics()
  private let worker: LogWorker<MemoryFileSystem>
  private let persisted: AsyncStream<Zxid>

  init() throws {
    try disk.files.createDirectory("/log")
    var settings = LogSettings()
    settings.preallocationBytes = 0
    let writer = LogWriter(disk.files, directory: "/log", after: .zero, settings: settings)
    let (stream, continuation) = AsyncStream<Zxid>.makeStream()
    persisted = stream
    worker = LogWorker(
      writer, loop: loop, slowDisk: slowDisk, metrics: metrics, syncWarningMilliseconds: 60_000,
      onPersisted: { continuation.yield($0) },
      onFailure: { Issue.record("\($0)") }, onSlowSync: { _ in })
    worker.start()
  }

  private func entry(_ zxid: Int64) -> [UInt8] {
    TxnEntry(
      header: TxnHeader(
        sessionID: .none, cxid: Xid(rawValue: 0), zxid: Zxid(rawValue: zxid), timeMilliseconds: 0, opCode: .error),
      txn: .error(.ok), digest: nil
    ).encoded
  }

  private func append(_ zxid: Int64) {
    entry(zxid).withUnsafeBytes { worker.append($0, zxid: Zxid(rawValue: zxid)) }
  }

  /// Expects a report that the log is durable up to a transaction.
  private func expect(_ zxid: Zxid, _ events: inout AsyncStream<Zxid>.Iterator) async throws {
    let told = await events.next(isolation: #isolation)
    #expect(told == zxid)
  }

  /// Gives the disk a queue, if `course` is not nil.
  private func setCourse(_ course: MemoryWriteQueue.Course?) {
    disk.files.queuedWrites = course.map { course in { course } }
  }

  /// Performs a first quick sync, before which the worker has no expectation of the disk.
  private func warmUp(_ events: inout AsyncStream<Zxid>.Iterator) async throws {
    try await loop.submit { [self] in
      append(1)
      #expect(!worker.isWorthWaiting)
      worker.submit()
    }.get()
    try await expect(Zxid(rawValue: 1), &events)
  }

  @Test(arguments: courses) func aQuickWriteIsWaitedFor(_ course: MemoryWriteQueue.Course?) async throws {
    setCourse(course)
    var events = persisted.makeAsyncIterator()
    try await warmUp(&events)
    // A busy machine may be slower than the loop's patience now and then, never always.
    var waited = 0
    for zxid in Int64(2)...40 {
      let last = try await loop.submit { [self] () -> Zxid? in
        append(zxid)
        guard worker.isWorthWaiting else {
          worker.submit()
          return nil
        }
        return worker.submitAndWait()
      }.get()
      if let last {
        #expect(last == Zxid(rawValue: zxid))
        waited += 1
      } else {
        try await expect(Zxid(rawValue: zxid), &events)
      }
    }
    // A late one ends when the thread waits for it; the loop has left it by then.
    #expect(course == .late ? waited == 0 : waited > 0)
    let last = try await loop.submit { [worker] in try worker.stop() }.get()
    #expect(last == Zxid(rawValue: 40))
  }

  /// The loop continues while a write hangs, and receives one report when it is done.
  @Test(arguments: [nil, .refused, .late] as [MemoryWriteQueue.Course?])
  func aSlowWriteDoesNotHoldTheLoop(_ course: MemoryWriteQueue.Course?) async throws {
    setCourse(course)
    var events = persisted.makeAsyncIterator()
    try await warmUp(&events)
    disk.hold()
    let last = try await loop.submit { [self] () -> Zxid? in
      append(2)
      return worker.submitAndWait()
    }.get()
    #expect(last == nil)
    // While it hangs the loop is free, and does not wait for later batches.
    try await loop.submit { [self] in
      append(3)
      #expect(!worker.isWorthWaiting)
      worker.submit()
    }.get()
    disk.release()
    // Both in one batch, if the thread had not begun with the first one yet.
    var told: [Zxid] = []
    while told.last != Zxid(rawValue: 3), let zxid = await events.next(isolation: #isolation) { told.append(zxid) }
    #expect(told == [Zxid(rawValue: 3)] || told == [Zxid(rawValue: 2), Zxid(rawValue: 3)])
    let end = try await loop.submit { [worker] in try worker.stop() }.get()
    #expect(end == Zxid(rawValue: 3))
  }

  /// The error that the loop meets is reported once, by the thread.
  @Test(arguments: courses) func aFailedWriteIsReportedOnce(_ course: MemoryWriteQueue.Course?) async throws {
    let (errors, continuation) = AsyncStream<TxnLogError>.makeStream()
    let files = MemoryFileSystem()
    try files.createDirectory("/log")
    files.queuedWrites = course.map { course in { course } }
    let worker = LogWorker(
      LogWriter(files, directory: "/log", after: .zero), loop: loop, slowDisk: slowDisk, metrics: metrics,
      syncWarningMilliseconds: 60_000, onPersisted: { _ in }, onFailure: { continuation.yield($0) },
      onSlowSync: { _ in })
    worker.start()
    try await loop.submit { [self] in
      for zxid in Int64(1)...2 {
        entry(zxid).withUnsafeBytes { worker.append($0, zxid: Zxid(rawValue: zxid)) }
        guard zxid == 2 else {
          worker.submit()
          while !worker.isIdle { usleep(1000) }
          continue
        }
        files.fault = { operation, _, _ in operation == .write ? .failure(.noSpace) : nil }
        #expect(worker.submitAndWait() == nil)
      }
    }.get()
    var events = errors.makeAsyncIterator()
    let error = await events.next(isolation: #isolation)
    guard case .fileSystem(let cause)? = error?.code else {
      return #expect(Bool(false), "\(String(describing: error))")
    }
    #expect(cause.reason == .noSpace)
    await #expect(throws: TxnLogError.self) { _ = try await loop.submit { try worker.stop() }.get() }
    continuation.finish()
    #expect(await events.next(isolation: #isolation) == nil)
  }

  /// A disk that is slow on purpose holds up the worker's thread alone, and neither a stop nor its own end.
  @Test(arguments: courses) func aDiskThatIsSlowOnPurposeDoesNotHoldTheLoop(
    _ course: MemoryWriteQueue.Course?
  ) async throws {
    setCourse(course)
    var events = persisted.makeAsyncIterator()
    try await warmUp(&events)
    slowDisk.set(.milliseconds(100))
    let start = ContinuousClock.now
    let last = try await loop.submit { [self] () -> Zxid? in
      append(2)
      return worker.submitAndWait()
    }.get()
    #expect(last == nil)
    try await expect(Zxid(rawValue: 2), &events)
    #expect(ContinuousClock.now - start >= .milliseconds(100))
    slowDisk.set(.seconds(3600))
    let end = try await loop.submit { [self] in
      append(3)
      return try worker.stop()
    }.get()
    #expect(end == Zxid(rawValue: 3))
    #expect(metrics.values.syncTime.maximum >= 100_000)
  }
}
