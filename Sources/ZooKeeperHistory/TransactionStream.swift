package import TxnLog
package import ZooKeeperProtocol

/// The transactions of a log in order, as far as they can be read.
///
/// Damage is a finding, after which the next readable transaction follows. At the end, `refresh` makes it continue with
/// transactions that a server has written meanwhile.
///
/// *Thread*: one at a time.
package struct TransactionStream<Files: FileSystem> {
  /// The position to start at. Some earlier transactions may be returned first.
  package enum Start: Hashable, Sendable {
    case beginning
    case zxid(Zxid)
    /// Milliseconds since 1970.
    case time(Int64)
    /// The last segments, by their number.
    case lastSegments(Int)
  }

  /// A transaction or a finding.
  package enum Item {
    /// Its bytes are valid until the stream is used again.
    case transaction(LogRecord)
    /// A finding before the next transaction.
    case finding(HistoryFinding)
  }

  /// How many times in a row the end of the log must be damaged in the same way, because a running server may be
  /// writing there.
  static var sameErrorLimit: Int { 3 }

  private var directory: HistoryDirectory<Files>
  private let hooks: HistoryHooks
  private var reader: LogReader<Files>?
  /// The segment that is being read or was read last.
  private var segment: ZxidFile?
  /// The last transaction, returned or not.
  private var position: Zxid?
  private var pending: LogRecord?
  private var lastError: TxnLogError?
  private var sameErrorCount = 0
  private var count = 0
  /// Whether something was missing since the last transaction, and has been reported.
  private var hasReported = false
  /// The bytes of the segments that have been read completely.
  private var finishedBytes = 0

  /// - Throws: `HistoryError` if a file cannot be read.
  package init(
    _ directory: HistoryDirectory<Files>, from start: Start, _ hooks: HistoryHooks = HistoryHooks()
  ) throws(HistoryError) {
    self.directory = directory
    self.hooks = hooks
    let segments = directory.segments
    var first = 0
    switch start {
    case .beginning: break
    case .zxid(let zxid): first = segments.lastIndex { $0.zxid <= zxid } ?? 0
    case .time(let time):
      for (index, segment) in segments.enumerated().reversed() {
        guard let transaction = try directory.firstTransaction(of: segment.path) else { continue }
        first = index
        if transaction.timeMilliseconds <= time { break }
      }
    case .lastSegments(let count): first = max(0, segments.count - count)
    }
    segment = first > 0 ? segments[first - 1] : nil
  }

  /// The number of bytes of the log that have been read.
  package var readBytes: Int { finishedBytes + (reader?.offset ?? 0) }

  /// The segment with the last transaction.
  package var segmentPath: String? { segment?.path }

  /// The next transaction, or a finding before it; nil at the end.
  ///
  /// - Throws: `HistoryError` if a file cannot be read, or with `stopped`.
  package mutating func next() throws(HistoryError) -> Item? {
    if let pending {
      self.pending = nil
      return .transaction(pending)
    }
    while true {
      let record: LogRecord?
      do throws(TxnLogError) {
        record = try read()
      } catch {
        if let finding = try skip(error) { return .finding(finding) }
        continue
      }
      guard let record else { return nil }
      lastError = nil
      if let position, record.zxid <= position { continue }
      return try took(record)
    }
  }

  /// The next record of any segment; nil at the end of the last one.
  private mutating func read() throws(TxnLogError) -> LogRecord? {
    while true {
      if reader == nil, try !openNext() { return nil }
      if let record = try reader?.next() { return record }
      guard nextSegment != nil else { return nil }
      finishedBytes += reader?.offset ?? 0
      reader = nil
    }
  }

  /// Lists the directory again, so that new transactions can be read.
  ///
  /// - Throws: `file`.
  package mutating func refresh() throws(HistoryError) {
    guard pending == nil else { return }
    // In this order, so that the rest of a segment is read before the next one is opened.
    try directory.refresh()
    do throws(TxnLogError) {
      try reader?.reopen()
    } catch {
      guard error.isOfMissingFile else { throw HistoryError(error) }
      reader = nil
    }
  }

  private var nextSegment: ZxidFile? {
    guard let segment else { return directory.segments.first }
    return directory.segments.first { ($0.zxid, $0.path) > (segment.zxid, segment.path) }
  }

  private mutating func openNext() throws(TxnLogError) -> Bool {
    guard let next = nextSegment else { return false }
    segment = next
    reader = try LogReader(directory.files, path: next.path, segment: next.zxid)
    return true
  }

  private mutating func took(_ record: LogRecord) throws(HistoryError) -> Item {
    defer {
      position = record.zxid
      hasReported = false
    }
    count += 1
    if count % HistoryHooks.interval == 0, !hooks.goesOn(count) { throw HistoryError(.stopped, path: directory.path) }
    if let position, !LogWalk<Files>.follows(record.zxid, position), !hasReported {
      pending = record
      return .finding(.gap(after: position, next: record.zxid))
    }
    return .transaction(record)
  }

  /// Continues after damage.
  ///
  /// - Returns: the finding; nil to try again first.
  private mutating func skip(_ error: TxnLogError) throws(HistoryError) -> HistoryFinding? {
    if case .fileSystem = error.code {
      guard error.isOfMissingFile else { throw HistoryError(error) }
      // The server has removed the segment. The next transaction shows the gap.
      reader = nil
      return nil
    }
    // Bytes that a server is just writing look like damage for a short time.
    sameErrorCount = error == lastError ? sameErrorCount + 1 : 1
    lastError = error
    if nextSegment == nil, sameErrorCount < Self.sameErrorLimit {
      hooks.pause()
      try refresh()
      // A segment whose header could not be read is opened again.
      if reader == nil, let failed = segment {
        segment = directory.segments.last { ($0.zxid, $0.path) < (failed.zxid, failed.path) }
      }
      return nil
    }
    hasReported = true
    do throws(TxnLogError) {
      if try reader?.skipDamage() != true {
        finishedBytes += reader?.offset ?? 0
        reader = nil
      }
    } catch {
      reader = nil
    }
    return .damagedLog(error, last: position ?? .zero)
  }
}
