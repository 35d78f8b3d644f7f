import NIOConcurrencyHelpers
import ServerCore

/// What is measured of the log, for as long as the server runs; a change of role begins another generation of the log,
/// and not of this. Durations are in microseconds.
///
/// *Thread*: any; a batch is added by the log's thread, and read by the loop.
final class LogMetrics: @unchecked Sendable {
  // @unchecked: the variables are touched under `lock` only.

  /// What the log's thread has done with one batch.
  struct Batch {
    var entryCount: Int
    var bytes: Int
    /// From the first entry's arrival at the log until the thread took the batch.
    var queueNanoseconds: UInt64
    /// Writing and syncing.
    var processNanoseconds: UInt64
    var syncNanoseconds: UInt64
  }

  /// The values at one moment.
  struct Values: Sendable {
    let syncTime: Distribution
    let queueTime: Distribution
    let processTime: Distribution
    let queueAndFlushTime: Distribution
    let batchSize: Distribution
    let batchBytes: Distribution
    let entryCount: Int
    let byteCount: Int
    let segmentCount: Int
  }

  private let lock = NIOLock()
  // Unchecked, as in `CoreMetrics`.
  @exclusivity(unchecked) private var syncTime = Histogram()
  @exclusivity(unchecked) private var queueTime = Histogram()
  @exclusivity(unchecked) private var processTime = Histogram()
  @exclusivity(unchecked) private var queueAndFlushTime = Histogram()
  @exclusivity(unchecked) private var batchSize = Histogram()
  @exclusivity(unchecked) private var batchBytes = Histogram()
  @exclusivity(unchecked) private var entryCount = 0
  @exclusivity(unchecked) private var byteCount = 0
  @exclusivity(unchecked) private var segmentCount = 0

  init() {}

  /// Adds a batch that has become durable.
  func add(_ batch: Batch) {
    lock.lock()
    defer { lock.unlock() }
    syncTime.add(Int(clamping: batch.syncNanoseconds / 1000))
    guard batch.entryCount > 0 else { return }
    let (queued, processed) = (batch.queueNanoseconds / 1000, batch.processNanoseconds / 1000)
    queueTime.add(Int(clamping: queued))
    processTime.add(Int(clamping: processed))
    queueAndFlushTime.add(Int(clamping: queued &+ processed))
    batchSize.add(batch.entryCount)
    batchBytes.add(batch.bytes)
    entryCount += batch.entryCount
    byteCount += batch.bytes
  }

  /// Counts a segment of the log that was begun.
  func countSegment() { lock.withLock { segmentCount += 1 } }

  /// Forgets what was measured; counters stay.
  func reset() {
    lock.lock()
    defer { lock.unlock() }
    syncTime.reset()
    queueTime.reset()
    processTime.reset()
    queueAndFlushTime.reset()
    batchSize.reset()
    batchBytes.reset()
  }

  /// What was measured so far.
  var values: Values {
    lock.lock()
    defer { lock.unlock() }
    return Values(
      syncTime: syncTime.distribution, queueTime: queueTime.distribution, processTime: processTime.distribution,
      queueAndFlushTime: queueAndFlushTime.distribution, batchSize: batchSize.distribution,
      batchBytes: batchBytes.distribution, entryCount: entryCount, byteCount: byteCount, segmentCount: segmentCount)
  }
}
