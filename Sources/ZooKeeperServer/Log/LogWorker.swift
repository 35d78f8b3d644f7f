import NIOCore
import TxnLog
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The thread that makes transactions durable: it appends everything that waits, syncs once, and says how far it got.
///
/// The event loop gathers entries and hands them over with one lock a turn; while one batch is being synced the next
/// one grows. So a lone writer waits for one sync, and a thousand writers share one.
///
/// For a lone entry on a quiet server the loop waits a moment, `submitAndWait`: being told through its queue would cost
/// as much as the sync. That holds only while syncs are quick, and only for a moment: no mean of earlier syncs says
/// that the next one is quick too, and a loop that stands still loses clients and offices. Writing on the loop itself
/// saved another change of threads, and could not be given up half-way.
///
/// Mutex and conditions are the system's: NIO's `ConditionLock` has one condition for all who wait and measures time
/// limits by the clock of the day, which may jump; and it wakes a thread before it has given the lock back.
///
/// *Thread*: `append`, `submit`, `submitAndWait`, `roll` and `stop` on the event loop; everything else on the worker's
/// own thread.
final class LogWorker<Files: FileSystem & Sendable>: @unchecked Sendable {
  // @unchecked: `shared` is touched under `mutex` only, `gathered` by the loop only, `writer` by the worker's thread
  // only, and by the loop once that has ended.

  /// What the loop hands over in one go.
  private struct Batch {
    /// Entries, each behind its length in 4 bytes of the machine's order.
    var bytes: [UInt8] = []
    var last = Zxid.zero
    var entryCount = 0
    /// Whether a new segment begins in front of the batch.
    var rolls = false
    var isEmpty: Bool { bytes.isEmpty && !rolls }

    /// Empties it, and keeps the storage.
    mutating func clear() {
      bytes.removeAll(keepingCapacity: true)
      entryCount = 0
      rolls = false
    }
  }

  private struct Shared {
    var waiting = Batch()
    /// Whether the thread has a batch.
    var isWriting = false
    var isStopping = false
    /// Whether the loop waits for the batch that the thread has, or is about to have.
    var loopWaits = false
    /// Why the thread has ended early.
    var failure: TxnLogError?
    /// How that batch ended, for the loop.
    var outcome: Result<Zxid, TxnLogError>?
    /// What a sync takes, as the last ones went; nothing is known before the first.
    var syncNanoseconds = UInt64.max
  }

  /// The loop waits for no sync where one takes longer, as every client waits with it.
  private static var quickSyncNanoseconds: UInt64 { 1_000_000 }
  /// So long the loop waits for one that was expected to be quick.
  private static var patienceNanoseconds: UInt64 { 2_000_000 }

  private let loop: any EventLoop
  private let onPersisted: @Sendable (Zxid) -> Void
  private let onFailure: @Sendable (TxnLogError) -> Void
  private let syncWarningNanoseconds: UInt64
  private let onSlowSync: @Sendable (_ milliseconds: Int) -> Void
  private var writer: LogWriter<Files>
  private var shared = Shared()
  private var gathered = Batch()
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  /// Something waits for the thread.
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// The batch for which the loop waits is done.
  private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var thread: WorkerThread?

  /// A worker without its thread, see `start`.
  ///
  /// - Parameters:
  ///   - onPersisted: called on the loop after each sync with the last transaction that is safe.
  ///   - onFailure: called on the loop once; nothing is written after it.
  init(
    _ writer: consuming LogWriter<Files>, loop: any EventLoop, syncWarningMilliseconds: Int,
    onPersisted: @escaping @Sendable (Zxid) -> Void, onFailure: @escaping @Sendable (TxnLogError) -> Void,
    onSlowSync: @escaping @Sendable (Int) -> Void
  ) {
    self.writer = writer
    self.loop = loop
    self.onPersisted = onPersisted
    self.onFailure = onFailure
    self.onSlowSync = onSlowSync
    syncWarningNanoseconds = UInt64(syncWarningMilliseconds) * 1_000_000
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    initializeWithMonotonicClock(done)
  }

  /// Starts the thread; to be called once.
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

  /// Takes an entry; it is written after the next `submit`.
  func append(_ entry: UnsafeRawBufferPointer, zxid: Zxid) {
    withUnsafeBytes(of: UInt32(entry.count)) { gathered.bytes.append(contentsOf: $0) }
    gathered.bytes.append(contentsOf: entry)
    gathered.last = zxid
    gathered.entryCount += 1
  }

  /// Hands over what was gathered in this turn of the loop.
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
      // In front of what waited already: a segment that begins early is as good.
      shared.waiting.rolls = shared.waiting.rolls || gathered.rolls
    }
    pthread_mutex_unlock(mutex)
    // Behind the unlocking, or the thread would wake up only to wait for the lock; and it sleeps only while nothing
    // waits.
    if isFirst { pthread_cond_signal(condition) }
    gathered.clear()
  }

  /// Whether the loop had better wait for what was gathered than be told of it later.
  var isWorthWaiting: Bool {
    guard gathered.entryCount == 1, !gathered.rolls else { return false }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return !shared.isWriting && shared.waiting.isEmpty && shared.syncNanoseconds <= Self.quickSyncNanoseconds
  }

  /// Hands over what was gathered and waits a moment for it; only where `isWorthWaiting` says so.
  ///
  /// - Returns: the last transaction that is safe; nil when it takes longer, of which `onPersisted` is told, or has
  ///   failed, of which `onFailure` is told.
  func submitAndWait() -> Zxid? {
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

  /// Passes on how a batch ended: to the loop where it waits, else through its queue.
  private func report(_ outcome: Result<Zxid, TxnLogError>) {
    pthread_mutex_lock(mutex)
    if case .failure(let error) = outcome { shared.failure = error }
    let loopWaits = shared.loopWaits
    if loopWaits {
      shared.outcome = outcome
      shared.isWriting = false
      // It waits for one batch only; the next may be there before it has woken up.
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

  /// Begins a new segment with the next transaction.
  func roll() {
    submit()
    gathered.rolls = true
  }

  /// Writes what waits and ends the thread.
  ///
  /// - Returns: the last transaction that is safe.
  /// - Throws: why something that was appended is not; `onFailure` hears of it too.
  func stop() throws(TxnLogError) -> Zxid {
    submit()
    pthread_mutex_lock(mutex)
    shared.isStopping = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    thread?.join()
    if let failure = shared.failure { throw failure }
    // Gives back the room that was reserved, or the next start reads it through to be sure that there is nothing in it.
    // Nothing is unsynced any more, so a failure only leaves that room.
    try? writer.roll()
    return writer.lastPersisted
  }

  /// Ends the thread after the batch that it is writing; what waits behind it is lost.
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
        return report(.failure(error))
      }
      batch.clear()
    }
  }

  /// Waits for work, and swaps it against the storage of the batch before.
  ///
  /// - Returns: false when the worker is to end.
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
    if batch.rolls { try writer.roll() }
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
    let start = monotonicNanoseconds()
    let last = try writer.sync()
    let elapsed = monotonicNanoseconds() - start
    noteSync(elapsed)
    if elapsed > syncWarningNanoseconds {
      loop.execute { [onSlowSync] in onSlowSync(Int(elapsed / 1_000_000)) }
    }
    return last
  }
}

extension LogWorker {
  /// Remembers how long a sync took: a slow one counts at once, quick ones make up for it one by one.
  private func noteSync(_ nanoseconds: UInt64) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let average = shared.syncNanoseconds == .max ? nanoseconds : (7 * shared.syncNanoseconds + nanoseconds) / 8
    shared.syncNanoseconds = max(average, min(nanoseconds, 16 * Self.quickSyncNanoseconds))
  }
}

/// Makes a condition whose time limits are of the monotonic clock.
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
