package import TxnLog
package import ZooKeeperProtocol

/// The transactions of a log in order, as far as they can be read.
///
/// Damage is a finding, after which the next readable transaction follows. At the end, `refresh` makes it go on with
/// what a server has written meanwhile.
///
/// *Thread*: one at a time.
package struct TransactionStream<Files: FileSystem> {
  /// Where to begin. Some transactions before the place may come first.
  package enum Start: Hashable, Sendable {
    case beginning
    case zxid(Zxid)
    /// Milliseconds since 1970.
    case time(Int64)
    /// With the last segments, so many of them.
    case lastSegments(Int)
  }

  /// A part of the history.
  package enum Item {
    /// Its bytes are valid until the stream is used again.
    case transaction(LogRecord)
    /// What was noticed before the next transaction.
    case finding(HistoryFinding)
  }

  /// So many times in a row, the end of the log must be damaged in the same way: a running server writes there.
  static var sameErrorLimit: Int { 3 }

  private var directory: HistoryDirectory<Files>
  private let hooks: HistoryHooks
  private var reader: LogReader<Files>?
  /// The segment that is being read, or was read last.
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

  /// How many bytes of the log have been read.
  package var readBytes: Int { finishedBytes + (reader?.offset ?? 0) }

  /// The segment that the last transaction is in.
  package var segmentPath: String? { segment?.path }

  /// The next transaction, or what was noticed before it; nil at the end.
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

  /// Looks at the directory again; what was written since can then be read.
  ///
  /// - Throws: `file`.
  package mutating func refresh() throws(HistoryError) {
    guard pending == nil else { return }
    // In this order: what a server wrote before it began another segment is seen before that one is opened.
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

  /// Goes on after damage.
  ///
  /// - Returns: what to report; nil if it should be tried again first.
  private mutating func skip(_ error: TxnLogError) throws(HistoryError) -> HistoryFinding? {
    if case .fileSystem = error.code {
      guard error.isOfMissingFile else { throw HistoryError(error) }
      // The server has removed it: what it had is missing, which the next transaction shows.
      reader = nil
      return nil
    }
    // Bytes that a server is just writing look like damage, but not for long.
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
