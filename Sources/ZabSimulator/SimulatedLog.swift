import EnsembleCore
import StorageTesting
import TxnLog
import Zab
import ZooKeeperProtocol

/// The log of a simulated server. Its writes take simulated time: what is appended while the disk is busy waits, and
/// then becomes durable with one sync, as with `LogWorker`.
struct SimulatedLog: ~Copyable {
  private var writer: LogWriter<MemoryFileSystem>?
  /// Entries that wait for the disk.
  private var waiting: [TxnHistory.Entry] = []
  /// Entries that are being written.
  private var batch: [TxnHistory.Entry] = []
  private(set) var isWriting = false
  /// Whether a new segment begins with the entries that wait.
  private var rolls = false
  /// The generation of the open log; see `MemberRunner`.
  private(set) var generation = 0
  /// The log is durable up to here.
  private(set) var durable = Zxid.zero

  /// Whether everything that was appended has been written.
  var isIdle: Bool { waiting.isEmpty && !isWriting }

  /// Whether a write can begin.
  var canWrite: Bool { !waiting.isEmpty && !isWriting }

  /// Whether a server's loop would wait for the next write; see `LogWorker.isWorthWaiting`.
  var isWorthWaiting: Bool { waiting.count == 1 && !isWriting && !rolls }

  /// Starts a generation after the last durable transaction.
  mutating func start(_ writer: consuming LogWriter<MemoryFileSystem>, after last: Zxid, generation: Int) {
    self.writer = consume writer
    self.generation = generation
    durable = last
    isWriting = false
    waiting = []
    batch = []
    rolls = false
  }

  /// Adds an entry to those that wait.
  mutating func append(_ entry: TxnHistory.Entry) { waiting.append(entry) }

  /// Begins a new segment with the next batch.
  mutating func roll() { rolls = true }

  /// Begins to write all entries that wait.
  ///
  /// - Returns: the last transaction among them.
  mutating func beginWrite() -> Zxid {
    isWriting = true
    swap(&batch, &waiting)
    return batch.last?.zxid ?? durable
  }

  /// Writes and syncs the batch, after its simulated time has passed.
  ///
  /// - Returns: the last transaction that is durable.
  mutating func finishWrite() throws(TxnLogError) -> Zxid {
    isWriting = false
    if rolls { try writer?.roll() }
    rolls = false
    for entry in batch { try writer?.append(entry.bytes) }
    batch = []
    durable = try writer?.sync() ?? durable
    return durable
  }

  /// Writes everything that was appended, and ends the log.
  mutating func stop() throws(TxnLogError) -> Zxid {
    batch += waiting
    waiting = []
    let last = try finishWrite()
    try? writer?.roll()
    writer = nil
    return last
  }

  /// Discards everything in memory after a power failure.
  mutating func crash() {
    writer = nil
    waiting = []
    batch = []
    isWriting = false
  }
}

extension SimulatedServer: MemberLog {
  /// Starts a generation of the log on the simulated disk.
  func startLog(after last: Zxid, generation: Int) {
    var settings = LogSettings()
    settings.preallocationBytes = options.preallocationBytes
    let writer = LogWriter(disk, directory: directory.logDirectory, after: last, settings: settings)
    log.start(writer, after: last, generation: generation)
  }

  /// Adds an entry to those that wait for the disk.
  func append(_ entry: TxnHistory.Entry) {
    log.append(entry)
    sinceSnapshot += 1
  }

  /// Writes everything that was appended, and ends the log.
  func stopLog() throws(TxnLogError) -> Zxid {
    let last = try log.stop()
    abandonSnapshot()
    return last
  }
}
