package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// A part of the log on disk, which a leader sends to a learner that lacks more than the leader has in memory.
///
/// All of it was committed, so that it stays as it is while the server leads. The log may be purged meanwhile, or have
/// a damaged part: then reading fails, and the learner must be sent the tree.
///
/// What is sent must be the leader's history, and a log is more than that if its server was once sent a tree: an
/// Apache server keeps the log that precedes the tree, with transactions that were never committed, and without those
/// that only the tree has (ZOOKEEPER-2846). A server of this package removes it, but a crash may leave a part. Within
/// an epoch a gap shows this. Between two epochs nothing does, except that a snapshot has a transaction from there. So
/// only segments with marks are read, only from the oldest snapshot on, because a purge removes that of the gap before
/// the log, and no snapshot may lie between two transactions that follow each other.
///
/// *Source*: `ZKDatabase.getProposalsFromTxnLog`, `TxnLogProposalIterator`; `QuorumProtocol` B.4.
///
/// *Thread*: any, but one at a time.
package final class LogStream<Files: FileSystem> {
  private var walk: LogWalk<Files>
  private let start: Zxid
  /// The last transaction that is read.
  package let end: Zxid
  /// The transactions after which a snapshot was written, oldest first.
  private let snapshots: [Zxid]
  private let settings: ZabSettings
  private let directory: String
  private var isFound = false
  /// Where the transaction that the learner has was found; nil before that.
  package private(set) var foundPlace: LogPlace?

  /// Prepares to read what follows the transaction `start`, up to `end`.
  ///
  /// - Parameters:
  ///   - place: where to look for `start`: where an earlier stream has found it, or a place before it that is known to
  ///     be in the log; nil to look from the beginning of its segment.
  ///   - settings: only asked for bugs that are put in on purpose.
  /// - Returns: nil if the log does not reach back to `start`, or has a part that is not known to be the history.
  /// - Throws: `badHeader`; the failure of a call.
  package init?(
    _ directory: DataDirectory<Files>, after start: Zxid, through end: Zxid, at place: LogPlace? = nil,
    _ settings: ZabSettings = ZabSettings()
  ) throws(TxnLogError) {
    let segments = try directory.segments()
    snapshots = try directory.snapshots().map(\.zxid)
    guard let index = segments.lastIndex(where: { $0.zxid <= start }), let oldest = snapshots.first, oldest <= start
    else { return nil }
    for segment in segments[index...] where segment.zxid <= end {
      let reader = try LogReader(directory.files, path: segment.path, segment: segment.zxid, mode: .readPieces)
      guard reader.isMarked else { return nil }
    }
    if let place, place.last <= start,
      let resumed = try LogWalk(directory.files, segments: segments, from: place, mode: .readPieces)
    {
      walk = resumed
    } else {
      // From the beginning of the segment, because a walk that begins after a transaction does not look whether it is
      // there.
      walk = LogWalk(
        directory.files, segments: Array(segments[index...]),
        after: Zxid(rawValue: segments[index].zxid.rawValue &- 1), mode: .readPieces)
    }
    self.start = start
    self.end = end
    self.settings = settings
    self.directory = directory.logDirectory
  }

  /// Looks for the transaction that the learner has.
  ///
  /// - Parameter budgetBytes: about how much is read at most.
  /// - Returns: whether it is there; nil if there is more to be read before that is known. If it is not there, the
  ///   server that reports it has another history, or the log has been purged.
  /// - Throws: `damaged`, `gap`, `zxidOrder` or `badHeader`; the failure of a call.
  @specialized(where Files == PosixFileSystem)
  package func find(budgetBytes: Int = .max) throws(TxnLogError) -> Bool? {
    var bytes = 0
    while !isFound, walk.position < start {
      guard bytes < budgetBytes else { return nil }
      guard let record = try advance() else { return false }
      bytes += record.entry.count
    }
    guard !isFound else { return true }
    isFound = walk.position == start || settings.sendsLogToStrangers
    if walk.position == start { foundPlace = walk.place }
    return isFound
  }

  /// The next transaction, valid until the stream is used again; nil after the last one.
  ///
  /// - Throws: as `find`; `gap` if the log does not have the transaction, or ends before the last one.
  @specialized(where Files == PosixFileSystem)
  package func next() throws(TxnLogError) -> LogRecord? {
    guard try find() == true else { throw gap(after: start, next: end) }
    guard walk.position < end else { return nil }
    guard let record = try advance(), record.zxid <= end else { throw gap(after: walk.position, next: end) }
    return record
  }

  /// How many bytes of the log follow the last transaction that was found or read.
  ///
  /// - Throws: `badHeader`; the failure of a call.
  package func remainingBytes() throws(TxnLogError) -> Int { try walk.remainingBytes() }

  /// The next record, if it follows the last one in the history too.
  @specialized(where Files == PosixFileSystem)
  private func advance() throws(TxnLogError) -> LogRecord? {
    let last = walk.position
    guard let record = try walk.next() else { return nil }
    if record.zxid.epoch > last.epoch, snapshots.contains(where: { last < $0 && $0 < record.zxid }) {
      throw gap(after: last, next: record.zxid)
    }
    return record
  }

  private func gap(after last: Zxid, next: Zxid) -> TxnLogError {
    TxnLogError(.gap(after: last, next: next), path: walk.segmentPath ?? directory)
  }
}

/// Finds out, piece by piece, whether a learner can be sent a part of the log: whether the log has the transaction that
/// the learner ends with, and what follows is not too much.
///
/// What follows is read only if it is of several epochs, so that nothing is sent that precedes a gap between two of
/// them. Within an epoch, what precedes a gap is history too, so that it is enough to notice the gap while the part is
/// sent; a learner need not wait while all of it is read. `ZabEvent.logUnreadable` keeps the leader from trying again.
///
/// *Thread*: any, but one at a time.
package final class LogExamination<Files: FileSystem> {
  private let stream: LogStream<Files>?
  private let limitBytes: Int?
  private let isOfOneEpoch: Bool
  private var bytes = 0

  /// Where the transaction that the learner has was found, for the stream that sends what follows it.
  package var foundPlace: LogPlace? { stream?.foundPlace }

  /// - Parameters:
  ///   - limitBytes: the largest size of the part; nil for any size.
  ///   - place: see `LogStream.init`.
  package init(
    _ directory: DataDirectory<Files>, after start: Zxid, through end: Zxid, limitBytes: Int?,
    at place: LogPlace? = nil, _ settings: ZabSettings = ZabSettings()
  ) {
    self.limitBytes = limitBytes
    isOfOneEpoch = start.epoch == end.epoch
    do throws(TxnLogError) {
      stream = try LogStream(directory, after: start, through: end, at: place, settings)
    } catch {
      stream = nil
    }
  }

  /// Reads about so many bytes more.
  ///
  /// - Returns: whether the part can be sent; nil if that is not known yet.
  package func proceed(budgetBytes: Int) -> Bool? {
    guard let stream else { return false }
    do throws(TxnLogError) {
      guard let isFound = try stream.find(budgetBytes: budgetBytes) else { return nil }
      guard isFound else { return false }
      if isOfOneEpoch { return try stream.remainingBytes() <= limitBytes ?? .max }
      var read = 0
      while read < budgetBytes {
        guard let record = try stream.next() else { return true }
        read += record.endOffset - record.offset
        bytes += record.endOffset - record.offset
        if let limitBytes, bytes > limitBytes { return false }
      }
      return nil
    } catch {
      return false
    }
  }
}

extension DataDirectory {
  /// How many bytes of the log a learner is sent rather than the tree: as many as a part of the newest snapshot.
  ///
  /// - Parameter factor: which part; 0 for any number of bytes.
  /// - Returns: nil for any number.
  ///
  /// *Source*: `ZKDatabase.calculateTxnLogSizeLimit`.
  package func logLimitBytes(factor: Double) -> Int? {
    guard factor > 0 else { return nil }
    let bytes = try? newestSnapshotBytes()
    return Int(Double(bytes ?? 0) * min(factor, 1))
  }
}
