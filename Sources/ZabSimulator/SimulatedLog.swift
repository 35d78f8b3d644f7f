import EnsembleCore
import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// The log of a simulated server. Its writes take simulated time: what is appended while the disk is busy waits, and
/// then becomes durable with one sync, as with the log's thread of a server.
struct SimulatedLog: ~Copyable {
  private var writer: LogWriter<MemoryFileSystem>?
  /// Entries that wait for the disk.
  private var waiting: [TxnHistory.Entry] = []
  /// Entries that the disk has been given.
  private var batch: [TxnHistory.Entry] = []
  private(set) var isWriting = false
  /// Whether a new segment begins in front of what waits.
  private var rolls = false
  /// Of the log that is open; see `MemberRunner`.
  private(set) var generation = 0
  /// The log is safe up to here, as far as the disk knows.
  private(set) var durable = Zxid.zero

  /// Whether everything that was appended has been written.
  var isIdle: Bool { waiting.isEmpty && !isWriting }

  /// Whether a write can begin.
  var canWrite: Bool { !waiting.isEmpty && !isWriting }

  /// Whether a server's loop would wait a moment for the write that can begin, see `LogWorker.isWorthWaiting`.
  var isWorthWaiting: Bool { waiting.count == 1 && !isWriting && !rolls }

  /// Begins a log after what is durable.
  mutating func start(_ writer: consuming LogWriter<MemoryFileSystem>, after last: Zxid, generation: Int) {
    self.writer = consume writer
    self.generation = generation
    durable = last
    isWriting = false
    waiting = []
    batch = []
    rolls = false
  }

  /// Adds an entry to what waits.
  mutating func append(_ entry: TxnHistory.Entry) { waiting.append(entry) }

  /// Begins a new segment with the next batch.
  mutating func roll() { rolls = true }

  /// Gives the disk all that waits.
  ///
  /// - Returns: the last of it.
  mutating func beginWrite() -> Zxid {
    isWriting = true
    swap(&batch, &waiting)
    return batch.last?.zxid ?? durable
  }

  /// The disk has been given enough time for the batch.
  ///
  /// - Returns: the last transaction that is safe.
  mutating func finishWrite() throws(TxnLogError) -> Zxid {
    isWriting = false
    if rolls { try writer?.roll() }
    rolls = false
    for entry in batch { try writer?.append(entry.bytes) }
    batch = []
    durable = try writer?.sync() ?? durable
    return durable
  }

  /// Writes all that was appended, and ends the log.
  mutating func stop() throws(TxnLogError) -> Zxid {
    batch += waiting
    waiting = []
    let last = try finishWrite()
    try? writer?.roll()
    writer = nil
    return last
  }

  /// The power has failed.
  mutating func crash() {
    writer = nil
    waiting = []
    batch = []
    isWriting = false
  }
}

extension SimulatedServer: MemberLog {
  /// Begins a log on the disk.
  func startLog(after last: Zxid, generation: Int) {
    var settings = LogSettings()
    settings.preallocationBytes = options.preallocationBytes
    let writer = LogWriter(disk, directory: directory.logDirectory, after: last, settings: settings)
    log.start(writer, after: last, generation: generation)
  }

  /// Adds an entry to what waits for the disk.
  func append(_ entry: TxnHistory.Entry) {
    log.append(entry)
    sinceSnapshot += 1
  }

  /// Writes what waits and ends the log.
  func stopLog() throws(TxnLogError) -> Zxid {
    defer { onLogEnded() }
    let last = try log.stop()
    onLogged(through: last)
    return last
  }
}
