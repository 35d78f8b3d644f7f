import EnsembleCore
import NIOCore
import TxnLog
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The thread that makes transactions durable: it appends everything that waits, syncs once, and reports how far it
/// got.
///
/// The event loop collects entries and hands them over with one lock in each turn; while one batch is being synced, the
/// next one grows. So a single writer waits for one sync, and a thousand writers share one.
///
/// For a single entry on a quiet server, the loop waits in `submitAndWait`, because a report through its queue would
/// cost as much as the sync. It does so only while syncs are quick, and only for a limited time: the mean of earlier
/// syncs does not guarantee that the next one is quick, and a loop that is blocked loses sessions and leadership. Where
/// the file system has a `WriteQueue`, the loop writes such an entry without the thread, which takes over only if the
/// write takes too long.
///
/// Mutex and conditions are those of the system. NIO's `ConditionLock` has one condition for all waiting threads, uses
/// the wall clock for time limits, which can jump, and wakes a thread before it has released the lock.
///
/// *Thread*: `append`, `submit`, `submitAndWait`, `roll` and `stop` on the event loop; everything else on the worker's
/// thread.
final class LogWorker<Files: FileSystem & Sendable>: @unchecked Sendable {
  // @unchecked: `shared` is touched under `mutex` only, `gathered` by the loop only, `writer` by the worker's thread
  // only, and by the loop while that thread has nothing to do (`isWorthWaiting`) or has ended.

  /// The entries that are written and synced together.
  private struct Batch {
    /// Entries, each after its length in 4 bytes in the machine's byte order. Without those that the loop has passed
    /// to the writer, and which are only to be synced.
    var bytes: [UInt8] = []
    var last = Zxid.zero
    var entryCount = 0
    /// The size of all entries.
    var entryBytes = 0
    /// When the first entry was added, in nanoseconds of the monotonic clock.
    var begun: UInt64 = 0
    /// When the loop has begun to write it; nil if it has not.
    var writeBegun: UInt64?
    /// Whether a new segment begins with this batch.
    var rolls = false
    var isEmpty: Bool { entryCount == 0 && !rolls }

    /// Removes everything, and keeps the memory for the next batch.
    mutating func clear() {
      bytes.removeAll(keepingCapacity: true)
      entryCount = 0
      entryBytes = 0
      writeBegun = nil
      rolls = false
    }
  }

  private struct Shared {
    var waiting = Batch()
    /// Whether the thread is writing a batch.
    var isWriting = false
    var isStopping = false
    /// Whether the loop waits for the batch that the thread is writing or is about to take.
    var loopWaits = false
    /// The error that has ended the thread; nil if there was none.
    var failure: TxnLogError?
    /// The result of the batch for which the loop waits.
    var outcome: Result<Zxid, TxnLogError>?
    /// The expected duration of a sync, from the last ones; the maximum before the first.
    var syncNanoseconds = UInt64.max
    var places = LogPlaces()
  }

  /// The longest expected duration of a sync for which the loop waits: every client waits with it.
  private static var quickSyncNanoseconds: UInt64 { 1_000_000 }
  /// How long the loop waits for a sync that was expected to be quick.
  private static var patienceNanoseconds: UInt64 { 2_000_000 }
  /// The largest batch that the loop writes. A larger one is handed over, because to begin its write takes long too.
  private static var quickWriteBytes: Int { 64 << 10 }

  private let loop: any EventLoop
  private let onPersisted: @Sendable (Zxid) -> Void
  private let onFailure: @Sendable (TxnLogError) -> Void
  private let slowDisk: SlowDisk
  private let syncWarningNanoseconds: UInt64
  private let onSlowSync: @Sendable (_ milliseconds: Int) -> Void
  private let metrics: LogMetrics
  private var writer: LogWriter<Files>
  private var shared = Shared()
  private var gathered = Batch()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// Signalled when there is work for the thread.
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Signalled when the batch for which the loop waits is written.
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var thread: WorkerThread?

  /// Creates a worker whose thread `start` starts.
  ///
  /// - Parameters:
  ///   - slowDisk: how much longer each sync takes.
  ///   - onPersisted: called on the loop after each sync, with the last transaction that is durable.
  ///   - onFailure: called on the loop at most once; nothing is written after it.
  init(
    _ writer: consuming LogWriter<Files>, loop: any EventLoop, slowDisk: SlowDisk, metrics: LogMetrics,
    syncWarningMilliseconds: Int,
    onPersisted: @escaping @Sendable (Zxid) -> Void, onFailure: @escaping @Sendable (TxnLogError) -> Void,
    onSlowSync: @escaping @Sendable (Int) -> Void
  ) {
    self.writer = writer
    self.loop = loop
    self.slowDisk = slowDisk
    self.metrics = metrics
    self.onPersisted = onPersisted
    self.onFailure = onFailure
    self.onSlowSync = onSlowSync
    syncWarningNanoseconds = UInt64(syncWarningMilliseconds) * 1_000_000
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    initializeWithMonotonicClock(done)
  }

  /// Starts the thread. Must be called once.
  func start() {
    thread = .start { [self] in run() }
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_cond_destroy(done)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    done.deallocate()
    mutex.deallocate()
  }

  /// Adds an entry to the batch of this turn; it is written after the next `submit`.
  func append(_ entry: UnsafeRawBufferPointer, zxid: Zxid) {
    if gathered.entryCount == 0 { gathered.begun = monotonicNanoseconds() }
    withUnsafeBytes(of: UInt32(entry.count)) { gathered.bytes.append(contentsOf: $0) }
    gathered.bytes.append(contentsOf: entry)
    gathered.last = zxid
    gathered.entryCount += 1
    gathered.entryBytes += entry.count
  }

  /// Hands the batch of this turn to the thread.
  func submit() {
    guard !gathered.isEmpty else { return }
    pthread_mutex_lock(mutex)
    let isFirst = shared.waiting.isEmpty
    if isFirst {
      swap(&shared.waiting, &gathered)
    } else {
      shared.waiting.bytes.append(contentsOf: gathered.bytes)
      shared.waiting.last = gathered.last
      shared.waiting.entryCount += gathered.entryCount
      shared.waiting.entryBytes += gathered.entryBytes
      // The segment then begins with what was already waiting. That is earlier than asked for, which does no harm.
      shared.waiting.rolls = shared.waiting.rolls || gathered.rolls
    }
    pthread_mutex_unlock(mutex)
    // After unlocking, or the thread would wake up only to wait for the lock. It needs no signal if something was
    // waiting already, because it sleeps only while nothing is.
    if isFirst { pthread_cond_signal(condition) }
    gathered.clear()
  }

  /// Whether the loop should wait for the current batch: it is a single entry, the thread is idle, and syncs are quick.
  var isWorthWaiting: Bool {
    guard gathered.entryCount == 1, !gathered.rolls else { return false }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isIdleWhileLocked && shared.syncNanoseconds <= Self.quickSyncNanoseconds
  }

  /// Whether the thread has nothing to do; then the loop may use the writer.
  var isIdle: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isIdleWhileLocked
  }

  private var isIdleWhileLocked: Bool { !shared.isWriting && shared.waiting.isEmpty }

  /// Writes the current batch, or hands it over, and waits for it for a limited time. To be called only if
  /// `isWorthWaiting`.
  ///
  /// - Returns: the last transaction that is durable; nil if it takes longer, after which `onPersisted` is called, or
  ///   has failed, after which `onFailure` is called.
  func submitAndWait() -> Zxid? {
    if let last = writeInQueue() { return last }
    guard !writer.isQueued else {
      submit()
      return nil
    }
    return handOverAndWait()
  }

  /// Writes the current batch without the thread, if the file system has a queue, and waits for a limited time.
  ///
  /// - Returns: the last transaction that is durable; nil if the thread must go on with the batch. It meets the error
  ///   too, if there was one.
  private func writeInQueue() -> Zxid? {
    // A disk that is slow on purpose holds up the thread alone.
    guard slowDisk.delayNanoseconds == 0, gathered.entryBytes <= Self.quickWriteBytes else { return nil }
    let start = monotonicNanoseconds()
    do throws(TxnLogError) {
      try appendEntries(gathered)
      gathered.bytes.removeAll(keepingCapacity: true)
      gathered.writeBegun = start
      guard let last = try writer.sync(within: Self.patienceNanoseconds) else { return nil }
      noteBatch(gathered, taken: start, syncBegun: start)
      gathered.clear()
      return last
    } catch {
      return nil
    }
  }

  private func handOverAndWait() -> Zxid? {
    pthread_mutex_lock(mutex)
    shared.loopWaits = true
    pthread_mutex_unlock(mutex)
    submit()
    var deadline = timespec(nanoseconds: monotonicNanoseconds() + Self.patienceNanoseconds)
    pthread_mutex_lock(mutex)
    while shared.outcome == nil, pthread_cond_timedwait(done, mutex, &deadline) == 0 {}
    let outcome = shared.outcome
    shared.outcome = nil
    shared.loopWaits = false
    pthread_mutex_unlock(mutex)
    switch outcome {
    case .success(let last)?: return last
    case .failure(let error)?:
      loop.execute { [onFailure] in onFailure(error) }
      return nil
    case nil: return nil
    }
  }

  /// Reports the result of a batch: directly to a loop that waits for it, otherwise through the loop's queue.
  private func report(_ outcome: Result<Zxid, TxnLogError>) {
    pthread_mutex_lock(mutex)
    if case .failure(let error) = outcome { shared.failure = error }
    let loopWaits = shared.loopWaits
    if loopWaits {
      shared.outcome = outcome
      shared.isWriting = false
      // The loop waits for this batch only; the next one may be written before the loop has woken up.
      shared.loopWaits = false
    }
    pthread_mutex_unlock(mutex)
    if loopWaits {
      pthread_cond_signal(done)
      return
    }
    switch outcome {
    case .success(let last): loop.execute { [onPersisted] in onPersisted(last) }
    case .failure(let error): loop.execute { [onFailure] in onFailure(error) }
    }
  }

  /// A place in the log not after the transaction, near it if this worker has written it; see `LogPlaces`.
  func place(notAfter zxid: Zxid) -> LogPlace? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return shared.places.place(notAfter: zxid)
  }

  /// Begins a new segment of the log with the next transaction.
  func roll() {
    submit()
    gathered.rolls = true
  }

  /// Writes everything that was appended, and ends the thread.
  ///
  /// - Returns: the last transaction that is durable.
  /// - Throws: the error because of which something that was appended is not durable; `onFailure` is called too.
  func stop() throws(TxnLogError) -> Zxid {
    submit()
    pthread_mutex_lock(mutex)
    shared.isStopping = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    thread?.join()
    if let failure = shared.failure { throw failure }
    // Releases the preallocated space, which the next start would otherwise read to be sure that it is empty.
    // Everything is synced, so a failure only leaves that space.
    try? writer.roll()
    return writer.lastPersisted
  }

  /// Ends the thread after the batch that it is writing. What waits after it is lost, as if the process were killed.
  func abandon() {
    pthread_mutex_lock(mutex)
    shared.waiting = Batch()
    gathered = Batch()
    shared.isStopping = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    thread?.join()
  }

  private func run() {
    var batch = Batch()
    while takeWaiting(&batch) {
      do throws(TxnLogError) {
        report(.success(try write(batch)))
      } catch {
        // The first one, if the loop has met it.
        return report(.failure(writer.failure ?? error))
      }
      batch.clear()
    }
  }

  /// Waits for a batch, and exchanges it for the previous one, whose memory is used again.
  ///
  /// - Returns: false when the thread must end.
  private func takeWaiting(_ batch: inout Batch) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    shared.isWriting = false
    while shared.waiting.isEmpty {
      if shared.isStopping { return false }
      pthread_cond_wait(condition, mutex)
    }
    swap(&shared.waiting, &batch)
    shared.isWriting = true
    return true
  }

  private func write(_ batch: Batch) throws(TxnLogError) -> Zxid {
    let taken = monotonicNanoseconds()
    if batch.rolls {
      try writer.roll()
      metrics.countSegment()
    }
    try appendEntries(batch)
    let start = batch.writeBegun ?? monotonicNanoseconds()
    let last = try writer.sync()
    waitForSlowDisk()
    noteBatch(batch, taken: taken, syncBegun: start)
    return last
  }

  private func appendEntries(_ batch: Batch) throws(TxnLogError) {
    let failure = batch.bytes.withUnsafeBytes { bytes -> TxnLogError? in
      var offset = 0
      do throws(TxnLogError) {
        while offset < bytes.count {
          let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
          try writer.append(UnsafeRawBufferPointer(rebasing: bytes[(offset + 4)..<(offset + 4 + length)]))
          offset += 4 + length
        }
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// Records a batch that has become durable.
  private func noteBatch(_ batch: Batch, taken: UInt64, syncBegun: UInt64) {
    let end = monotonicNanoseconds()
    let elapsed = end - syncBegun
    noteSync(elapsed, writer.place)
    metrics.add(
      LogMetrics.Batch(
        entryCount: batch.entryCount, bytes: batch.entryBytes,
        queueNanoseconds: taken > batch.begun ? taken - batch.begun : 0, processNanoseconds: end - taken,
        syncNanoseconds: elapsed))
    if elapsed > syncWarningNanoseconds {
      loop.execute { [onSlowSync] in onSlowSync(Int(elapsed / 1_000_000)) }
    }
  }
}

extension LogWorker {
  /// The longest sleep after which the thread looks whether it shall end.
  private static var sleepNanoseconds: UInt64 { 5_000_000 }

  /// Waits as long as a disk that is slow on purpose needs for a sync. A server that stops does not wait.
  ///
  /// *Thread*: the worker's.
  private func waitForSlowDisk() {
    guard slowDisk.delayNanoseconds > 0 else { return }
    let synced = monotonicNanoseconds()
    while true {
      let (waited, delay) = (monotonicNanoseconds() - synced, slowDisk.delayNanoseconds)
      pthread_mutex_lock(mutex)
      let isStopping = shared.isStopping
      pthread_mutex_unlock(mutex)
      guard waited < delay, !isStopping else { return }
      var pause = timespec(nanoseconds: min(Self.sleepNanoseconds, delay - waited))
      nanosleep(&pause, nil)
    }
  }

  /// Records a sync, and up to which place it has made the log durable. A slow one raises the expected duration of the
  /// next one at once, quick ones lower it gradually.
  private func noteSync(_ nanoseconds: UInt64, _ place: LogPlace?) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let place { shared.places.note(place) }
    let average = shared.syncNanoseconds == .max ? nanoseconds : (7 * shared.syncNanoseconds + nanoseconds) / 8
    shared.syncNanoseconds = max(average, min(nanoseconds, 16 * Self.quickSyncNanoseconds))
  }
}

/// Initializes a condition whose time limits refer to the monotonic clock.
private func initializeWithMonotonicClock(_ condition: UnsafeMutablePointer<pthread_cond_t>) {
  var attributes = pthread_condattr_t()
  pthread_condattr_init(&attributes)
  #if canImport(Glibc)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
  #endif
  pthread_cond_init(condition, &attributes)
  pthread_condattr_destroy(&attributes)
}

extension timespec {
  fileprivate init(nanoseconds: UInt64) {
    self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

/// Nanoseconds of the monotonic clock.
private func monotonicNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
