package import ZooKeeperProtocol

/// A part of a segment that was never completely written.
package struct TornTail: Hashable, Sendable {
  package let path: String
  /// Where the whole records of the segment end.
  package let offset: Int
  /// The size of what follows, up to the last byte that is not 0.
  package let bytes: Int
}

/// A segment that has been read to its end.
package struct WalkedSegment: Hashable, Sendable {
  package let path: String
  /// The zxid in its name.
  package let zxid: Zxid
  /// Where its records end.
  package let offset: Int
  /// The size of what follows, which belongs to a batch that was never completely written.
  package let tornBytes: Int
  package let sizeBytes: Int
  package let hasRecords: Bool
  /// Whether its writer marked the ends of batches.
  package let isMarked: Bool
  /// Whether it is too short to have ever had a record.
  package var isProvablyEmpty = false

  /// The torn part; nil if there is none.
  package var tornTail: TornTail? {
    tornBytes > 0 ? TornTail(path: path, offset: offset, bytes: tornBytes) : nil
  }
}

/// Walks the log from a transaction on, over all segments, and checks that no transaction is missing.
///
/// Transactions must follow each other without a gap: the counter is incremented by one, or a new epoch begins with 1.
/// A segment with a torn end is accepted if nothing is missing after it, as when a server was restarted and wrote the
/// lost transaction again, in a new segment.
///
/// *Source*: `FileTxnLog.FileTxnIterator`; `StorageFormat` D.6, D.9.
package struct LogWalk<Files: FileSystem> {
  /// The last transaction read, or the one that the walk began after.
  package private(set) var position: Zxid
  /// The segments that were read to their end, in order.
  package private(set) var ends: [WalkedSegment] = []
  private let files: Files
  private let mode: FileOpenMode
  private let segments: [ZxidFile]
  private var nextIndex = 0
  private var reader: LogReader<Files>?
  /// A torn end whose segment may still turn out to be followed by a gap, which would mean that it was damaged.
  private var suspect: TornTail?

  /// The segment that is being read; nil at the end of the log.
  package var segmentPath: String? { reader?.path }

  /// A walk over those of `segments`, sorted oldest first, that can have transactions after `position`. They are opened
  /// in `mode`, which reads.
  package init(_ files: Files, segments: [ZxidFile], after position: Zxid, mode: FileOpenMode = .read) {
    self.files = files
    self.mode = mode
    self.position = position
    let start = segments.lastIndex { $0.zxid.rawValue <= position.rawValue &+ 1 } ?? 0
    self.segments = Array(segments[min(start, segments.count)...])
  }

  /// A walk over `segments`, sorted oldest first, that goes on from a place in one of them.
  ///
  /// - Returns: nil if that segment is missing.
  /// - Throws: `badHeader`; the failure of a call.
  package init?(
    _ files: Files, segments: [ZxidFile], from place: LogPlace, mode: FileOpenMode = .read
  ) throws(TxnLogError) {
    guard let index = segments.firstIndex(where: { $0.zxid == place.segment }) else { return nil }
    self.files = files
    self.mode = mode
    self.segments = Array(segments[index...])
    position = place.last
    _ = try openNext()
    reader?.go(to: place)
  }

  /// The place after the last transaction read; nil before the first one, and at the end of the log.
  package var place: LogPlace? { reader?.place }

  /// How many bytes of the log follow `position`.
  ///
  /// - Throws: `badHeader`; the failure of a call.
  package func remainingBytes() throws(TxnLogError) -> Int {
    var bytes = try reader?.remainingBytes() ?? 0
    for segment in segments[nextIndex...] {
      bytes += try LogReader(files, path: segment.path, segment: segment.zxid, mode: mode).remainingBytes()
    }
    return bytes
  }

  /// The next transaction after `position`; nil at the end of the log.
  ///
  /// - Throws: `damaged`, `gap`, `zxidOrder` or `badHeader`, each with the file and the offset; the failure of a call.
  @specialized(where Files == PosixFileSystem)
  package mutating func next() throws(TxnLogError) -> LogRecord? {
    while true {
      if reader == nil, try !openNext() { return nil }
      guard let record = try reader?.next() else {
        finishSegment()
        continue
      }
      if record.zxid <= position { continue }
      try check(record)
      position = record.zxid
      return record
    }
  }

  /// Whether `next` may be the transaction right after `previous`.
  package static func follows(_ next: Zxid, _ previous: Zxid) -> Bool {
    next.rawValue == previous.rawValue &+ 1 || next.epoch > previous.epoch && next.counter == 1
  }

  private mutating func openNext() throws(TxnLogError) -> Bool {
    guard nextIndex < segments.count else { return false }
    let segment = segments[nextIndex]
    nextIndex += 1
    reader = try LogReader(files, path: segment.path, segment: segment.zxid, mode: mode)
    return true
  }

  private mutating func finishSegment() {
    guard let ended = reader, let end = ended.end else { return }
    let walked = WalkedSegment(
      path: ended.path, zxid: ended.segment, offset: end.offset, tornBytes: end.tornBytes, sizeBytes: ended.sizeBytes,
      hasRecords: ended.last != nil, isMarked: ended.isMarked, isProvablyEmpty: end.isProvablyEmpty)
    ends.append(walked)
    suspect = suspect ?? walked.tornTail
    reader = nil
  }

  private mutating func check(_ record: LogRecord) throws(TxnLogError) {
    guard Self.follows(record.zxid, position) else {
      // The missing transactions were in the part that seemed torn, which therefore was damaged.
      if let suspect { throw TxnLogError(.damaged(.content), path: suspect.path, offset: suspect.offset) }
      throw TxnLogError(.gap(after: position, next: record.zxid), path: reader?.path ?? "", offset: record.offset)
    }
    suspect = nil
  }
}
