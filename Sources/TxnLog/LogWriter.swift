import Zlib
package import ZooKeeperProtocol

/// How a `LogWriter` lays out its files.
package struct LogSettings: Hashable, Sendable {
  /// A segment grows in steps of this size, so that most appends change no metadata; 0 for none.
  ///
  /// *Source*: `preAllocSize`, 64 MiB by default.
  package var preallocationBytes = 64 << 20
  /// Whether the ends of batches are marked, which lets recovery tell a torn batch from later damage; without it the
  /// files are byte for byte Apache's. See `BatchMark`.
  package var marksBatches = true
  /// Whether a sync reaches the disk. Without it (`forceSync=no`) a power cut loses transactions that were answered.
  package var forcesSync = true

  /// Apache's settings.
  package init() {}
}

/// Appends transactions to log segments: many `append`s, then one `sync` that makes all of them durable.
///
/// A restarted server never appends to an old segment, as Apache's does not. A segment's name and header become
/// durable before its first batch is written. After a write or sync has failed nothing is known about the file, so the
/// writer refuses everything from then on: what is on disk is for recovery to find out.
///
/// Thread: the one that owns it, as its calls block.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileTxnLog`; `StorageFormat` D.2, D.3.
package struct LogWriter<Files: FileSystem>: ~Copyable {
  /// The segment from `blockOffset` on: what is durable of its last block, and the records that are not written yet.
  private var blocks = BlockBuffer()
  /// Where `blocks` begins in the segment; a multiple of the block's size.
  private var blockOffset = 0
  /// Where the open segment's durable records end.
  private var position = 0
  /// The open segment's size on disk.
  private var allocatedBytes = 0
  /// What the next preallocation adds; 0 once the disk had no room for it.
  private var preallocationBytes: Int
  /// The last transaction given to `append`.
  package private(set) var lastAppended: Zxid
  /// The last transaction that is durable.
  package private(set) var lastPersisted: Zxid
  /// Transactions appended since the segment was begun.
  package private(set) var segmentEntryCount = 0
  /// Why the writer refuses everything; nil while it works.
  package private(set) var failure: TxnLogError?
  private var file: FileHandle?
  /// Whether `file` takes direct writes; it does where the file system has them, unless nothing needs to be durable.
  private var isDirect = false
  private var segment = Zxid.zero
  private var path: String
  private let settings: LogSettings
  private let directory: String
  private let files: Files

  /// A writer of segments in `directory`, for transactions after `last`. Nothing is created before the first `sync`.
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
    if let file { files.close(file) }
  }

  /// Bytes in the segment that `append` goes to, written or not.
  package var segmentBytes: Int { blockOffset + blocks.count }

  /// Bytes that the next `sync` writes.
  private var batchBytes: Int { segmentBytes - position }

  /// Whether `sync` has anything to do.
  package var hasUnsynced: Bool { batchBytes > 0 }

  /// Adds an entry (header, body, digest) to the batch that the next `sync` makes durable.
  ///
  /// A batch that is full is synced here, which `lastPersisted` tells.
  ///
  /// Throws: `.zxidOrder` or `.badEntry` with nothing changed; as `sync`.
  package mutating func append(_ entry: UnsafeRawBufferPointer) throws(TxnLogError) {
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

  /// Adds an entry; see above.
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
  /// - Throws: the failure of a call to the file system, and `.poisoned` ever after.
  @discardableResult
  package mutating func sync() throws(TxnLogError) -> Zxid {
    try checkHealth()
    guard hasUnsynced else { return lastPersisted }
    do throws(FileSystemError) {
      try writeBatch()
    } catch {
      let error = TxnLogError(error)
      failure = error
      throw error
    }
    lastPersisted = lastAppended
    return lastPersisted
  }

  /// Ends the segment: syncs what is waiting, gives back the preallocated rest; the next entry begins a new file.
  ///
  /// Throws: as `sync`.
  package mutating func roll() throws(TxnLogError) {
    try sync()
    segmentEntryCount = 0
    guard let file else { return }
    // Only saves space, so a failure changes nothing.
    try? files.truncate(file, to: settings.marksBatches ? position + BatchMark.encodedSizeBytes : position)
    files.close(file)
    self.file = nil
    blocks.removeLast(leaving: 0)
    blockOffset = 0
    position = 0
  }

  /// Ends the segment and the writer.
  ///
  /// Throws: as `sync`.
  package consuming func close() throws(TxnLogError) { try roll() }

  private func checkHealth() throws(TxnLogError) {
    if failure != nil { throw TxnLogError(.poisoned, path: path) }
  }

  /// Begins a segment with its header, of which nothing is on the disk before the first `sync`.
  private mutating func beginSegment(_ first: Zxid) {
    segment = first
    segmentEntryCount = 0
    path = "\(directory)/\(FileName.log(segment))"
    preallocationBytes = settings.preallocationBytes
    blocks.append(header)
    position = blocks.count
  }

  private mutating func writeBatch() throws(FileSystemError) {
    let file: FileHandle
    if let open = self.file {
      file = open
    } else {
      file = try createSegment()
    }
    let end = segmentBytes
    if settings.marksBatches {
      BatchMark(offset: end, batchOffset: position).withBytes(segment: segment) { blocks.append($0) }
    }
    preallocate(file)
    try write(blocks, from: position - blockOffset, at: blockOffset, to: file)
    position = end
    blocks.removeLast(leaving: end - blockOffset)
    blockOffset += blocks.removeWholeBlocks()
  }

  /// Makes the segment with its header, durably before any record: a segment with records and no header is damaged.
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

  /// Makes the segment for direct writes; nil, and no file, where they are not wanted or not to be had.
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
      // There are file systems that say so at the first write only.
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

  private var header: [UInt8] {
    LogFormat.header(databaseID: settings.marksBatches ? LogFormat.markedDatabaseID : 0)
  }

  /// Writes the bytes from `first` on of a buffer that belongs at `offset` of the file, and returns when they are safe.
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

  /// Grows the file ahead of the writes, under the condition that Apache has for it.
  private mutating func preallocate(_ file: FileHandle) {
    let needed = segmentBytes
    guard preallocationBytes > 0, needed + 4096 >= allocatedBytes else { return }
    let steps = (needed + 4096 - allocatedBytes) / preallocationBytes + 1
    let target = allocatedBytes + steps * preallocationBytes
    do throws(FileSystemError) {
      try files.allocate(file, from: allocatedBytes, to: target)
      allocatedBytes = target
    } catch {
      // The write itself may still fit, or will say why it does not.
      preallocationBytes = 0
    }
  }
}

extension LogWriter: Sendable where Files: Sendable {}
