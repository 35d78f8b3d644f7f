import Checksums
package import ZooKeeperProtocol

/// One record of a log, valid until its reader is used again.
package struct LogRecord {
  package let zxid: Zxid
  /// Where the record begins in its segment.
  package let offset: Int
  /// Header, body and digest; valid until the reader is used again.
  package let entry: UnsafeRawBufferPointer

  /// Where the record ends in its segment.
  package var endOffset: Int { offset + entry.count + LogFormat.recordOverheadBytes }
}

/// A place in the log, between two records.
package struct LogPlace: Hashable, Sendable {
  /// The zxid in the name of the segment.
  package let segment: Zxid
  /// The last transaction before the place.
  package let last: Zxid
  /// Where the next record of the segment begins, if it has one.
  package let offset: Int

  package init(segment: Zxid, last: Zxid, offset: Int) {
    self.segment = segment
    self.last = last
    self.offset = offset
  }
}

/// How a segment ends.
package struct SegmentEnd: Hashable, Sendable {
  /// Where the records end.
  package let offset: Int
  /// The size of what follows, which belongs to a batch that was never completely written; 0 for a clean end.
  package let tornBytes: Int
  /// Whether the segment is too short to have ever had a record.
  package var isProvablyEmpty = false
}

/// Reads the records of one segment in order.
///
/// Whatever the bytes are, the result is a sequence of records that were written, with an end that says what was torn,
/// or an error with the offset. A record is taken as torn only if nothing durable can have followed it; see `TailScan`.
///
/// *Source*: `FileTxnLog.FileTxnIterator`; `StorageFormat` D.2, D.9.
package struct LogReader<Files: FileSystem> {
  package let path: String
  /// The zxid in the segment's name.
  package let segment: Zxid
  /// Where the next record begins.
  package private(set) var offset = LogFormat.headerBytes
  /// The zxid of the last record read.
  package private(set) var last: Zxid?
  /// How the segment ends, once the last record has been read.
  package private(set) var end: SegmentEnd?
  /// Whether the writer marked the ends of its batches.
  package private(set) var isMarked = false
  private let files: Files
  private let mode: FileOpenMode
  private var window: FileWindow<Files>

  /// Opens the segment `log.<zxid>` at `path` in `mode`, which reads.
  ///
  /// - Throws: `badHeader` if it is not a log. An incomplete header is what a crash leaves, and reads as an empty
  ///   segment.
  package init(
    _ files: Files, path: String, segment: Zxid, mode: FileOpenMode = .read
  ) throws(TxnLogError) {
    self.files = files
    self.mode = mode
    self.path = path
    self.segment = segment
    window = try FileWindow(files, path: path, mode: mode)
    try readHeader()
  }

  /// Opens the file again, so that what a server has written meanwhile is read too; the next record is the same.
  ///
  /// - Throws: as `init`.
  package mutating func reopen() throws(TxnLogError) {
    window = try FileWindow(files, path: path, mode: mode)
    end = nil
    if offset < LogFormat.headerBytes {
      offset = LogFormat.headerBytes
      try readHeader()
    }
  }

  /// The place after the last record read; nil before the first one.
  package var place: LogPlace? {
    last.map { LogPlace(segment: segment, last: $0, offset: offset) }
  }

  /// Goes on after a place in the segment that another reader has reached.
  package mutating func go(to place: LogPlace) {
    last = place.last
    offset = place.offset
    end = nil
  }

  /// Continues after damage, which `next` has thrown, with the first whole record that follows it in the segment.
  ///
  /// Only for those who want to see what is left: a server must not go on there.
  ///
  /// - Returns: whether there is such a record.
  /// - Throws: the failure of a call.
  package mutating func skipDamage() throws(TxnLogError) -> Bool {
    let contentEnd = try window.endOfContent(from: offset)
    var scan = TailScan(
      window: window, segment: segment, start: offset, contentEnd: contentEnd, last: last, isMarked: isMarked)
    guard let next = try scan.nextRecord() else { return false }
    offset = next
    return true
  }

  /// How many bytes follow `offset`, with those of a torn batch, but without the zeros that were only reserved.
  ///
  /// - Throws: the failure of a call.
  package func remainingBytes() throws(TxnLogError) -> Int { try window.endOfContent(from: offset) - offset }

  /// The segment's size on disk.
  package var sizeBytes: Int { window.sizeBytes }

  /// The next record; nil at the end.
  ///
  /// - Throws: `damaged` for a record that was durable once; `zxidOrder`; the failure of a call.
  @specialized(where Files == PosixFileSystem)
  package mutating func next() throws(TxnLogError) -> LogRecord? {
    if end != nil { return nil }
    let available = window.sizeBytes - offset
    guard available >= LogFormat.recordOverheadBytes else { return try stop(.length(available)) }
    let prefix = try window.load(offset, LogFormat.recordPrefixBytes)
    let checksum = prefix.loadBigEndian(at: 0, as: UInt64.self)
    let length = Int(prefix.loadBigEndian(at: 8, as: Int32.self))
    let room = min(available - LogFormat.recordOverheadBytes, LogFormat.maxEntryBytes)
    guard length >= LogFormat.minEntryBytes, length <= room else { return try stop(.length(length)) }
    let record = try window.load(offset, length + LogFormat.recordOverheadBytes)
    guard record[record.count - 1] == LogFormat.terminator else { return try stop(.terminator) }
    let entry = UnsafeRawBufferPointer(rebasing: record[LogFormat.recordPrefixBytes..<record.count - 1])
    guard UInt64(Adler32.checksum(entry)) == checksum else {
      return try stop(.checksum, recordEnd: offset + record.count)
    }
    let zxid = LogFormat.zxid(ofEntry: entry)
    if let last, zxid <= last {
      throw TxnLogError(.zxidOrder(previous: last, found: zxid), path: path, offset: offset)
    }
    last = zxid
    defer { offset += record.count }
    return LogRecord(zxid: zxid, offset: offset, entry: entry)
  }

  private mutating func readHeader() throws(TxnLogError) {
    let held = try window.load(0, min(LogFormat.headerBytes, window.sizeBytes))
    if held.count == LogFormat.headerBytes, held.loadBigEndian(at: 0, as: UInt32.self) == LogFormat.magic {
      isMarked = held.loadBigEndian(at: 8, as: Int64.self) == LogFormat.markedDatabaseID
      return
    }
    // A header is durable before any record is written, so that nothing can follow a torn one.
    let contentEnd = try window.endOfContent(from: 0)
    let content = try window.load(0, min(contentEnd, LogFormat.headerBytes))
    let isUnfinished = [0, LogFormat.markedDatabaseID].contains { databaseID in
      LogFormat.header(databaseID: databaseID).starts(with: content)
    }
    guard isUnfinished, contentEnd <= LogFormat.headerBytes, isUnusedSize else {
      throw TxnLogError(.badHeader, path: path, offset: 0)
    }
    offset = 0
    end = SegmentEnd(
      offset: 0, tornBytes: contentEnd, isProvablyEmpty: isProvablyEmpty)
  }

  /// Whether the segment is too short for a record after its header.
  private var isProvablyEmpty: Bool {
    window.sizeBytes < LogFormat.headerBytes + LogFormat.recordOverheadBytes + LogFormat.minEntryBytes
  }

  /// Whether a segment without records has the size that a writer gives to a new one: that of a header, or a
  /// preallocation in whole sectors. A segment that was ended has the size of its records; if it has none, it has lost
  /// them.
  private var isUnusedSize: Bool { isProvablyEmpty || window.sizeBytes % 512 == 0 }

  /// Decides whether the lack of a record at `offset` is the end of the log or damage.
  private mutating func stop(_ damage: TxnLogError.Damage, recordEnd: Int? = nil) throws(TxnLogError) -> LogRecord? {
    let contentEnd = try window.endOfContent(from: offset)
    var scan = TailScan(
      window: window, segment: segment, start: offset, contentEnd: contentEnd, last: last, isMarked: isMarked)
    switch try scan.verdict(wholeRecordEnd: recordEnd) {
    case .end(0) where last == nil && !isUnusedSize: throw TxnLogError(.damaged(damage), path: path, offset: offset)
    case .end(let tornBytes):
      end = SegmentEnd(
        offset: offset, tornBytes: tornBytes, isProvablyEmpty: isProvablyEmpty)
      return nil
    case .damage:
      throw TxnLogError(.damaged(damage), path: path, offset: offset)
    }
  }
}
