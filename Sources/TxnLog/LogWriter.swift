import Checksums
package import ZooKeeperProtocol

/// How a `LogWriter` lays out its files.
package struct LogSettings: Hashable, Sendable {
  /// A segment grows in steps of this many bytes, so that most appends change no metadata; 0 disables it.
  ///
  /// *Source*: `preAllocSize`, 64 MiB by default.
  package var preallocationBytes = 64 << 20
  /// Whether the ends of batches are marked, by which recovery distinguishes a torn batch from later damage; see
  /// `BatchMark`. Without marks, the files are byte for byte those of Apache's servers.
  package var marksBatches = true
  /// Whether a sync reaches the disk. Without it (`forceSync=no`), a power failure loses acknowledged transactions.
  package var forcesSync = true

  /// The defaults of Apache's servers.
  package init() {}
}

/// Appends transactions to log segments: many `append`s, then one `sync` that makes all of them durable.
///
/// After a restart, a server begins a new segment and never appends to an old one, as Apache's servers do. A segment's
/// name and header are durable before its first batch is written. After a failed write or sync the state of the file is
/// unknown, so that the writer refuses everything from then on, and leaves it to recovery to find out what is on disk.
///
/// *Thread*: the one that owns it. Its calls block.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileTxnLog`; `StorageFormat` D.2, D.3.
package struct LogWriter<Files: FileSystem>: ~Copyable {
  /// The segment from `blockOffset` on: the durable part of its last block, and the records that are not written yet.
  private var blocks = BlockBuffer()
  /// Where `blocks` begins in the segment; a multiple of the block's size.
  private var blockOffset = 0
  /// Where the open segment's durable records end.
  private var position = 0
  /// The open segment's size on disk.
  private var allocatedBytes = 0
  /// What the next preallocation adds; 0 after the disk had no room for one.
  private var preallocationBytes: Int
  /// The last transaction that was appended.
  package private(set) var lastAppended: Zxid
  /// The last transaction that is durable.
  package private(set) var lastPersisted: Zxid
  /// The number of transactions that were appended to the segment.
  package private(set) var segmentEntryCount = 0
  /// Why the writer refuses everything; nil as long as it does not.
  package private(set) var failure: TxnLogError?
  private var file: FileHandle?
  /// Opened by the first `sync(within:)`; nil before, and if the file system has none.
  private var queue: Files.Queue?
  private var hasAskedForQueue = false
  /// Where the batch ends in the segment whose write goes on in the queue; nil if none does.
  private var queuedEnd: Int?
  /// Whether writes to `file` are direct. They are if the file system supports it, unless `forcesSync` is off.
  private var isDirect = false
  private var segment = Zxid.zero
  private var path: String
  private let settings: LogSettings
  private let directory: String
  private let files: Files

  /// A writer of segments in `directory`, for transactions after `last`. No file is created before the first `sync`.
  package init(_ files: Files, directory: String, after last: Zxid, settings: LogSettings = LogSettings()) {
    self.files = files
    self.directory = directory
    self.settings = settings
    lastAppended = last
    lastPersisted = last
    path = directory
    preallocationBytes = settings.preallocationBytes
  }

  deinit {
    // The system still reads the memory of a write that goes on.
    if queuedEnd != nil { _ = queue?.wait(nil) }
    if let file { files.close(file) }
  }

  /// The place after the last durable transaction; nil if no segment is open.
  package var place: LogPlace? {
    file == nil ? nil : LogPlace(segment: segment, last: lastPersisted, offset: position)
  }

  /// The size of the open segment in bytes, what is not written yet included.
  package var segmentBytes: Int { blockOffset + blocks.count }

  /// The size of the batch that the next `sync` writes, in bytes.
  private var batchBytes: Int { segmentBytes - position }

  /// Whether there is anything to sync.
  package var hasUnsynced: Bool { batchBytes > 0 }

  /// Whether a write goes on that `sync(within:)` has begun; `sync` waits for it.
  package var isQueued: Bool { queuedEnd != nil }

  /// Adds an entry (header, body, digest) to the batch that the next `sync` makes durable.
  ///
  /// If the batch has reached its largest size, it is synced at once; `lastPersisted` then shows it.
  ///
  /// - Throws: `zxidOrder` or `badEntry`, with nothing changed; otherwise as `sync`.
  package mutating func append(_ entry: UnsafeRawBufferPointer) throws(TxnLogError) {
    if isQueued { try sync() }
    try checkHealth()
    guard entry.count >= LogFormat.minEntryBytes, entry.count <= LogFormat.maxEntryBytes else {
      throw TxnLogError(.badEntry(lengthBytes: entry.count), path: path)
    }
    let zxid = LogFormat.zxid(ofEntry: entry)
    guard zxid > lastAppended else {
      throw TxnLogError(.zxidOrder(previous: lastAppended, found: zxid), path: path)
    }
    if file == nil, !hasUnsynced { beginSegment(zxid) }
    blocks.appendBigEndian(UInt64(Adler32.checksum(entry)))
    blocks.appendBigEndian(UInt32(entry.count))
    blocks.append(entry)
    blocks.appendBigEndian(LogFormat.terminator)
    lastAppended = zxid
    segmentEntryCount += 1
    if batchBytes >= LogFormat.maxBatchBytes { try sync() }
  }

  /// `append` for an array.
  ///
  /// - Throws: as `append` for bytes.
  package mutating func append(_ entry: [UInt8]) throws(TxnLogError) {
    let failed = entry.withUnsafeBytes { raw -> TxnLogError? in
      do throws(TxnLogError) {
        try append(raw)
        return nil
      } catch {
        return error
      }
    }
    if let failed { throw failed }
  }

  /// Writes the batch and returns when it is durable.
  ///
  /// - Returns: the last durable transaction.
  /// - Throws: the failure of a call to the file system, and `poisoned` after the first failure.
  @discardableResult
  package mutating func sync() throws(TxnLogError) -> Zxid {
    try checkHealth()
    guard hasUnsynced else { return lastPersisted }
    do throws(FileSystemError) {
      let isDone = try finishQueued()
      if !isDone { try writeBatch() }
    } catch {
      throw poisoned(by: error)
    }
    lastPersisted = lastAppended
    return lastPersisted
  }

  /// `sync` by a thread that must not wait for the disk for long: it waits for up to `nanoseconds`.
  ///
  /// - Returns: the last durable transaction; nil if the batch is not durable yet, or if it cannot be written without
  ///   waiting, as the first one of a segment. `sync` must then be called, by a thread that may wait.
  /// - Throws: as `sync`.
  package mutating func sync(within nanoseconds: UInt64) throws(TxnLogError) -> Zxid? {
    try checkHealth()
    guard hasUnsynced else { return lastPersisted }
    guard let file, isDirect, !isQueued, missingBytes == nil, let queue = openQueue() else { return nil }
    let end = markBatch()
    let write = queue.write(file, at: blockOffset, blocks.paddedBytes, waiting: nanoseconds)
    do throws(FileSystemError) {
      guard try isDone(write, end) else { return nil }
    } catch {
      throw poisoned(by: error)
    }
    lastPersisted = lastAppended
    return lastPersisted
  }

  /// Ends the segment: syncs what waits, and frees the preallocated rest. The next entry begins a new file.
  ///
  /// - Throws: as `sync`.
  package mutating func roll() throws(TxnLogError) {
    try sync()
    segmentEntryCount = 0
    guard let file else { return }
    // A failure is of no consequence, because this only saves space.
    try? files.truncate(file, to: settings.marksBatches ? position + BatchMark.encodedSizeBytes : position)
    files.close(file)
    self.file = nil
    blocks.removeLast(leaving: 0)
    blockOffset = 0
    position = 0
  }

  /// Ends the segment and the writer.
  ///
  /// - Throws: as `sync`.
  package consuming func close() throws(TxnLogError) { try roll() }

  private func checkHealth() throws(TxnLogError) {
    if failure != nil { throw TxnLogError(.poisoned, path: path) }
  }

  /// Begins a segment with its header. The file is created by the first `sync`.
  private mutating func beginSegment(_ first: Zxid) {
    segment = first
    segmentEntryCount = 0
    path = "\(directory)/\(FileName.log(segment))"
    preallocationBytes = settings.preallocationBytes
    blocks.append(header)
    position = blocks.count
  }

  private mutating func poisoned(by error: FileSystemError) -> TxnLogError {
    let error = TxnLogError(error)
    failure = error
    return error
  }

  private mutating func openQueue() -> Files.Queue? {
    if !hasAskedForQueue {
      hasAskedForQueue = true
      queue = files.makeWriteQueue()
    }
    return queue
  }

  /// Waits for the write that goes on in the queue. Returns whether the batch is durable.
  private mutating func finishQueued() throws(FileSystemError) -> Bool {
    guard let end = queuedEnd, let queue else { return false }
    return try isDone(queue.wait(nil), end)
  }

  /// Takes note of what has become of a batch in the queue. Returns whether it is durable; if it is not, and no longer
  /// in the queue, it must be written once more.
  private mutating func isDone(_ write: QueuedWrite, _ end: Int) throws(FileSystemError) -> Bool {
    queuedEnd = write == .goesOn ? end : nil
    switch write {
    case .goesOn: return false
    case .written(blocks.paddedBytes.count):
      endBatch(end)
      return true
    case .refused, .written:
      blocks.removeLast(leaving: end - blockOffset)
      return false
    case .failed(let reason, let code):
      throw FileSystemError(.write, path: path, reason: reason, errno: code)
    }
  }

  private mutating func writeBatch() throws(FileSystemError) {
    let file: FileHandle
    if let open = self.file {
      file = open
    } else {
      file = try createSegment()
    }
    let end = markBatch()
    preallocate(file)
    try write(blocks, from: position - blockOffset, at: blockOffset, to: file)
    endBatch(end)
  }

  /// Adds the mark after the batch, and returns where the batch ends in the segment.
  private mutating func markBatch() -> Int {
    let end = segmentBytes
    if settings.marksBatches {
      BatchMark(offset: end, batchOffset: position).withBytes(segment: segment) { blocks.append($0) }
    }
    return end
  }

  /// Forgets the batch, which is durable, except for what is in the segment's last block.
  private mutating func endBatch(_ end: Int) {
    position = end
    blocks.removeLast(leaving: end - blockOffset)
    blockOffset += blocks.removeWholeBlocks()
  }

  /// Creates the segment and makes its header durable before any record is written: a segment with records but no
  /// header would be damaged.
  private mutating func createSegment() throws(FileSystemError) -> FileHandle {
    let file: FileHandle
    if let direct = try createDirectSegment() {
      file = direct
    } else {
      file = try createCachedSegment()
    }
    self.file = file
    if settings.forcesSync { try files.syncDirectory(directory) }
    return file
  }

  /// Creates the segment for direct writes; nil, and no file, if they are not wanted or not supported.
  private mutating func createDirectSegment() throws(FileSystemError) -> FileHandle? {
    guard settings.forcesSync else { return nil }
    var opened: FileHandle?
    do throws(FileSystemError) {
      let file = try files.open(path, .createNewDirect)
      opened = file
      isDirect = true
      try writeHeader(file)
      return file
    } catch {
      if let opened { files.close(opened) }
      guard error.reason == .notSupported else { throw error }
      // Some file systems refuse only the first write.
      if opened != nil { try files.remove(path) }
      return nil
    }
  }

  private mutating func createCachedSegment() throws(FileSystemError) -> FileHandle {
    let file = try files.open(path, .createNew)
    isDirect = false
    do throws(FileSystemError) {
      try writeHeader(file)
    } catch {
      files.close(file)
      throw error
    }
    return file
  }

  private mutating func writeHeader(_ file: FileHandle) throws(FileSystemError) {
    allocatedBytes = 0
    preallocate(file)
    var start = BlockBuffer()
    start.append(header)
    try write(start, from: 0, at: 0, to: file)
  }

  /// How many bytes more than the file has must be preallocated; nil if it has enough.
  private var missingBytes: Int? {
    let needed = segmentBytes + 4096
    return preallocationBytes > 0 && needed >= allocatedBytes ? needed - allocatedBytes : nil
  }

  private var header: [UInt8] {
    LogFormat.header(databaseID: settings.marksBatches ? LogFormat.markedDatabaseID : 0)
  }

  /// Writes the bytes from `first` on of a buffer whose first byte belongs at `offset` of the file, and returns when
  /// they are durable.
  private func write(
    _ buffer: borrowing BlockBuffer, from first: Int, at offset: Int, to file: FileHandle
  ) throws(FileSystemError) {
    if isDirect {
      try files.writeAll(file, at: offset, buffer.paddedBytes, path: path)
    } else {
      try files.writeAll(
        file, at: offset + first, UnsafeRawBufferPointer(rebasing: buffer.bytes[first...]), path: path)
      if settings.forcesSync { try files.syncData(file) }
    }
  }

  /// Extends the file ahead of the writes, under the same condition as Apache's servers.
  private mutating func preallocate(_ file: FileHandle) {
    guard let missing = missingBytes else { return }
    let target = allocatedBytes + (missing / preallocationBytes + 1) * preallocationBytes
    do throws(FileSystemError) {
      try files.allocate(file, from: allocatedBytes, to: target)
      allocatedBytes = target
    } catch {
      // The write itself may still succeed, and if not, its error says why.
      preallocationBytes = 0
    }
  }
}

extension LogWriter: Sendable where Files: Sendable {}
