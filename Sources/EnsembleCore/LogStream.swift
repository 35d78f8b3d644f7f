package import TxnLog
package import Zab
package import ZooKeeperProtocol

/// A part of the log on disk, which a leader sends to a learner that lacks more than the leader has in memory.
///
/// All of it was committed, so that it stays as it is while the server leads. The log may be purged meanwhile: then
/// reading fails, and the learner must be sent the tree.
///
/// *Source*: `ZKDatabase.getProposalsFromTxnLog`, `TxnLogProposalIterator`; `QuorumProtocol` B.4.
///
/// *Thread*: any, but one at a time.
package final class LogStream<Files: FileSystem> {
  private var walk: LogWalk<Files>
  private let end: Zxid

  /// Finds a transaction in the log; what follows it, up to `end`, can then be read.
  ///
  /// - Returns: nil if the transaction is not there, or a segment was written by an Apache server. Without the
  ///   transaction, the log has been purged, or the server that reports it has another history.
  /// - Throws: `damaged`, `gap`, `zxidOrder` or `badHeader`; the failure of a call.
  package init?(_ directory: DataDirectory<Files>, after start: Zxid, through end: Zxid) throws(TxnLogError) {
    let segments = try directory.segments()
    guard let index = segments.lastIndex(where: { $0.zxid <= start }) else { return nil }
    // Apache's servers leave transactions in their logs that were never committed, when a leader has sent them a tree.
    for segment in segments[index...] where segment.zxid <= end {
      guard try LogReader(directory.files, path: segment.path, segment: segment.zxid).isMarked else { return nil }
    }
    // From the beginning of the segment, because a walk that begins after a transaction does not look whether it is
    // there.
    walk = LogWalk(
      directory.files, segments: Array(segments[index...]),
      after: Zxid(rawValue: segments[index].zxid.rawValue &- 1))
    self.end = end
    while walk.position < start, try walk.next() != nil {}
    guard walk.position == start else { return nil }
  }

  /// The next transaction; nil after the last one.
  ///
  /// - Throws: as `init`; `gap` if the log ends before.
  package func next() throws(TxnLogError) -> TxnHistory.Entry? {
    guard walk.position < end else { return nil }
    guard let record = try walk.next(), record.zxid <= end else {
      throw TxnLogError(.gap(after: walk.position, next: end), path: walk.segmentPath ?? "the log")
    }
    return TxnHistory.Entry(zxid: record.zxid, bytes: [UInt8](record.entry))
  }

  /// Whether the log has everything after `start` and up to `end`, and these are at most so many bytes.
  ///
  /// - Parameter limitBytes: nil for any number.
  /// - Complexity: it reads all of it, or as much as is within the limit.
  package static func isComplete(
    _ directory: DataDirectory<Files>, after start: Zxid, through end: Zxid, limitBytes: Int?
  ) -> Bool {
    var bytes = 0
    do throws(TxnLogError) {
      guard let stream = try LogStream(directory, after: start, through: end) else { return false }
      while let entry = try stream.next() {
        bytes += entry.bytes.count
        if let limitBytes, bytes > limitBytes { return false }
      }
      return true
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
