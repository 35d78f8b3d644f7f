import EnsembleCore
import Logging
import NIOCore
import ServerCore
import TxnLog
import ZooKeeperProtocol

/// A server's log on its way to the disk, and the snapshots that keep it short.
///
/// *Thread*: the event loop.
final class LogPipeline: @unchecked Sendable {
  // @unchecked: everything is touched on the event loop only.

  /// What the log reports to the rest of the server, on the loop.
  struct Events {
    /// The log of a generation is durable up to a transaction. Returns whether that generation is the current one.
    let onPersisted: (Zxid, _ generation: Int) -> Bool
    /// The log cannot be written: nothing that is not acknowledged yet may be acknowledged.
    let onFailure: (TxnLogError) -> Void
  }

  private let directory: DataDirectory<PosixFileSystem>
  private let configuration: ServerConfiguration
  private let background: BackgroundWorker
  private let clock: ServerClock
  private let slowDisk: SlowDisk
  private let loop: any EventLoop
  private let logger: Logger
  /// Set by the owner before the log is started.
  var events: Events?
  private var worker: LogWorker<PosixFileSystem>?
  private var generation = 0
  private var schedule: SnapshotSchedule
  /// The size of the transactions in the open segment, in bytes.
  private var segmentBytes = 0
  private var task: SnapshotTask?
  /// Runs when the snapshot that is being written is done.
  private var onSnapshotEnded: (() -> Void)?
  /// The snapshot that was asked for, and is not written yet.
  private var request: SnapshotRequest?
  private let metrics: ServerMetrics
  private(set) var lastSnapshot: (zxid: Zxid, wallMilliseconds: Int64)?

  init(
    _ storage: Storage, _ configuration: ServerConfiguration, _ clock: ServerClock, _ slowDisk: SlowDisk,
    background: BackgroundWorker, loop: any EventLoop, metrics: ServerMetrics, logger: Logger
  ) {
    directory = storage.directory
    self.configuration = configuration
    self.background = background
    self.clock = clock
    self.slowDisk = slowDisk
    self.loop = loop
    self.logger = logger
    self.metrics = metrics
    let report = storage.report
    schedule = SnapshotSchedule(configuration.logging, replayed: (report.replayedCount, report.replayedBytes))
    lastSnapshot = report.snapshot.map { ($0.zxid, 0) }
  }

  // MARK: The log

  /// Starts a generation of the log, with a new segment; see `MemberLog`.
  func start(after last: Zxid, generation: Int) {
    self.generation = generation
    segmentBytes = 0
    var settings = LogSettings()
    settings.preallocationBytes = configuration.logging.preallocationBytes
    settings.forcesSync = configuration.logging.forcesSync
    let writer = LogWriter(directory.files, directory: directory.logDirectory, after: last, settings: settings)
    let worker = LogWorker(
      writer, loop: loop, slowDisk: slowDisk, metrics: metrics.log,
      syncWarningMilliseconds: configuration.logging.syncWarningMilliseconds,
      onPersisted: { [weak self] in self?.onPersisted(through: $0, generation) },
      onFailure: { [weak self] in self?.onFailure($0) },
      onSlowSync: { [logger] in
        logger.warning("a sync of the log was slow", metadata: ["duration_ms": .stringConvertible($0)])
      })
    worker.start()
    self.worker = worker
  }

  /// Appends a transaction to the batch that `submit` hands over.
  func append(_ bytes: [UInt8], zxid: Zxid) {
    bytes.withUnsafeBytes { worker?.append($0, zxid: zxid) }
    schedule.count(bytes: bytes.count)
    segmentBytes += bytes.count
  }

  /// A place in the log not after the transaction, from where to look for it; nil if this server has not written it.
  func place(notAfter zxid: Zxid) -> LogPlace? { worker?.place(notAfter: zxid) }

  /// Whether the loop should wait for the current batch; see `LogWorker.isWorthWaiting`.
  var isWorthWaiting: Bool { worker?.isWorthWaiting == true }

  /// Hands the batch of this turn to the worker.
  func submit() {
    worker?.submit()
    guard segmentBytes > configuration.logging.segmentLimitBytes else { return }
    segmentBytes = 0
    worker?.roll()
  }

  /// Hands over the batch and waits for it for a limited time; see `LogWorker`.
  ///
  /// - Returns: whether it is durable and was reported to `Events.onPersisted`.
  func submitAndWait() -> Bool {
    guard let zxid = worker?.submitAndWait() else { return false }
    onPersisted(through: zxid, generation)
    return true
  }

  /// Writes everything that was appended, and ends the log; see `MemberLog`.
  func stop() throws(TxnLogError) -> Zxid {
    defer { task?.onLogEnded() }
    guard let worker = worker.take() else { throw TxnLogError(.poisoned, path: directory.logDirectory) }
    let last = try worker.stop()
    task?.onLogged(through: last)
    return last
  }

  /// `stop` for a log that is about to be truncated or replaced: no snapshot of the earlier history gets its name after
  /// that, and nothing is purged meanwhile.
  func stopForChange() throws(TxnLogError) -> Zxid {
    let last = try stop()
    task?.abandon()
    background.finishQueue()
    return last
  }

  /// Ends the log as if the process were killed: what is not being written is lost.
  func abandon() {
    worker.take()?.abandon()
    task?.onLogEnded()
  }

  private func onPersisted(through zxid: Zxid, _ generation: Int) {
    guard events?.onPersisted(zxid, generation) == true else { return }
    task?.onLogged(through: zxid)
  }

  private func onFailure(_ error: TxnLogError) {
    task?.onLogEnded()
    events?.onFailure(error)
  }

  // MARK: Snapshots

  /// Begins a snapshot of the current tree, and a new segment of the log, if one is due and none is being written.
  ///
  /// - Parameter logged: the transaction up to which the log is durable; see `SnapshotJob`.
  func snapshotIfDue(_ core: ServerCore, logged: @autoclosure () -> Zxid) {
    guard schedule.isDue(treeBytes: core.tree.snapshotBytes), task == nil, let worker else { return }
    beginSnapshot(core, logged: logged(), worker)
  }

  private func beginSnapshot(_ core: ServerCore, logged: Zxid, _ worker: LogWorker<PosixFileSystem>) {
    schedule.reset()
    worker.roll()
    segmentBytes = 0
    let job = SnapshotJob(
      core.tree, sessions: core.committedSessions, logged: logged, hasDigest: configuration.features.hasDigest)
    task = SnapshotTask(
      job, directory, configuration.logging, background: background, loop: loop
    ) { [weak self] result in self?.onSnapshotEnded(result) }
  }

  /// Writes a snapshot of the tree as it is now, or as it is when the one that is being written is done.
  ///
  /// - Parameter state: the tree, and the transaction up to which the log is durable; nil if clients are not served.
  /// - Returns: nil if another one was asked for and is not written yet, or if clients are not served.
  func takeSnapshot(_ state: @escaping () -> (core: ServerCore, logged: Zxid)?) -> EventLoopFuture<TakenSnapshot>? {
    guard request == nil, state() != nil else { return nil }
    let promise = loop.makePromise(of: TakenSnapshot.self)
    request = SnapshotRequest(promise: promise, state: state)
    if task == nil { beginRequestedSnapshot() }
    return promise.futureResult
  }

  private func beginRequestedSnapshot() {
    guard let request, !request.hasBegun else { return }
    guard let worker, let (core, logged) = request.state() else { return endRequest(.failure(stopped)) }
    self.request?.hasBegun = true
    beginSnapshot(core, logged: logged, worker)
  }

  private func endRequest(_ result: Result<TakenSnapshot, any Error>) {
    guard let request = request.take() else { return }
    request.promise.completeWith(result)
  }

  private var stopped: TxnLogError { TxnLogError(.poisoned, path: directory.snapshotDirectory) }

  private func onSnapshotEnded(_ result: Result<String, TxnLogError>) {
    guard let task = task.take() else { return }
    if request?.hasBegun == true {
      endRequest(result.map { TakenSnapshot(path: $0, zxid: task.zxid) }.mapError { $0 })
    }
    defer { beginRequestedSnapshot() }
    switch result {
    case .success:
      lastSnapshot = (task.zxid, clock.wallMilliseconds)
      metrics.snapshotTime.add(Int(task.elapsed.nanoseconds / 1000))
      metrics.snapshotBytes.add(task.byteCount)
      logger.info(
        "a snapshot was written",
        metadata: [
          "zxid": "\(task.zxid)", "bytes": .stringConvertible(task.byteCount),
          "duration_ms": .stringConvertible(Int(task.elapsed.nanoseconds / 1_000_000)),
        ])
    case .failure where task.isAbandoned:
      logger.info("a snapshot was abandoned, because its log has ended", metadata: ["zxid": "\(task.zxid)"])
    case .failure(let error):
      metrics.snapshotErrors += 1
      // The log has all transactions, so the server continues, and tries again when the next snapshot is due.
      logger.error("a snapshot could not be written", metadata: ["reason": "\(error)"])
    }
    onSnapshotEnded.take()?()
  }

  /// Counts anew after a snapshot of this zxid has become the state of the server.
  func onRestored(_ zxid: Zxid) {
    lastSnapshot = (zxid, clock.wallMilliseconds)
    schedule.reset()
  }

  /// Runs `work` in the background once the snapshot that is being written is done.
  ///
  /// - Parameter waitsForSnapshot: false abandons the snapshot. That costs only time at the next start, which replays
  ///   the log instead.
  func finish(waitsForSnapshot: Bool, _ work: @escaping @Sendable () -> Void) {
    if !waitsForSnapshot || request?.hasBegun == false { endRequest(.failure(stopped)) }
    guard waitsForSnapshot, let task else { return background.run(work) }
    logger.info("finishing a snapshot", metadata: ["zxid": "\(task.zxid)"])
    onSnapshotEnded = { [background, earlier = onSnapshotEnded] in
      earlier?()
      background.run(work)
    }
  }

  /// Removes old snapshots and logs, in the background.
  func purge() {
    let (directory, count, logger) = (directory, configuration.retention.snapshotCount, logger)
    background.run {
      do throws(TxnLogError) {
        let removed = try directory.purge(retainCount: count)
        if !removed.isEmpty { logger.info("purged \(removed.count) old files") }
      } catch {
        logger.warning("old files could not be purged", metadata: ["reason": "\(error)"])
      }
    }
  }
}

/// A snapshot that was written because it was asked for.
struct TakenSnapshot: Hashable, Sendable {
  let path: String
  /// The last transaction in it.
  let zxid: Zxid
}

/// A snapshot that was asked for.
private struct SnapshotRequest {
  let promise: EventLoopPromise<TakenSnapshot>
  let state: () -> (core: ServerCore, logged: Zxid)?
  /// Whether it is being written.
  var hasBegun = false
}
