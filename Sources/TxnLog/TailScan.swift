import Checksums
import ZooKeeperProtocol

/// Examines what follows the place where a segment stops being readable, to distinguish a torn tail from damage.
///
/// The sectors of a batch reach the disk in any order, so that a power failure can leave readable records after a hole.
/// They were never acknowledged. Damage to durable bytes looks the same, and cutting there would lose acknowledged
/// transactions. The two are distinguished as follows:
/// - The last `BatchMark` in the file decides: damage is before the batch that it ends, a torn batch within it.
/// - Without such a mark after the place, any later record that is whole is taken as proof of damage. If the writer
///   marks its batches, a power failure can look like this too, when the end of a batch is lost together with an
///   earlier part of it. But it can also be that a mark was damaged, and then everything from the place on was
///   acknowledged. A server does not cut what may have been acknowledged; `DataDirectory.repair` does, and keeps a
///   copy.
/// - Zeros in place of a mark, in a sector that the writer has written, are damage: a power failure leaves the mark or
///   the next batch.
/// - A record within one sector of which only the checksum is wrong is damage, because sectors are written whole.
struct TailScan<Files: FileSystem> {
  /// What the end of the readable records is.
  enum Verdict: Equatable {
    case end(tornBytes: Int)
    case damage
  }

  let window: FileWindow<Files>
  let segment: Zxid
  /// Where no record can be read.
  let start: Int
  /// The offset after the last byte that is not 0.
  let contentEnd: Int
  /// The last record before `start`.
  let last: Zxid?
  /// Whether the writer marked the ends of its batches.
  let isMarked: Bool

  private var lastMark: BatchMark?
  private var foundRecord = false

  private static var sectorBytes: Int { 512 }

  /// A scan of the segment named for `segment`.
  init(window: FileWindow<Files>, segment: Zxid, start: Int, contentEnd: Int, last: Zxid?, isMarked: Bool) {
    self.window = window
    self.segment = segment
    self.start = start
    self.contentEnd = contentEnd
    self.last = last
    self.isMarked = isMarked
  }

  /// Decides whether the segment ends at `start` or is damaged there.
  ///
  /// - Parameter wholeRecordEnd: the end of a record at `start` of which only the checksum is wrong; nil if there is
  ///   none.
  mutating func verdict(wholeRecordEnd: Int?) throws(TxnLogError) -> Verdict {
    if contentEnd <= start { return hasLostMark ? .damage : .end(tornBytes: 0) }
    if try mark(at: start) != nil {
      return .end(tornBytes: max(0, contentEnd - start - BatchMark.encodedSizeBytes))
    }
    if let wholeRecordEnd, start / Self.sectorBytes == (wholeRecordEnd - 1) / Self.sectorBytes { return .damage }
    _ = try scan(stopsAtRecord: false)
    if let lastMark, start >= lastMark.batchOffset { return .end(tornBytes: contentEnd - start) }
    return lastMark == nil && !foundRecord ? .end(tornBytes: contentEnd - start) : .damage
  }

  /// Whether a mark must have been at `start`, where only zeros follow: it was written together with the end of the
  /// last record, if both are in one sector. In another sector, it can be the part of the last batch that a power
  /// failure has taken.
  private var hasLostMark: Bool {
    guard isMarked, last != nil, window.sizeBytes - start >= BatchMark.encodedSizeBytes else { return false }
    return (start - 1) / Self.sectorBytes == (start + BatchMark.nonzeroByte) / Self.sectorBytes
  }

  /// Where the first whole record after `start` begins; nil if there is none.
  mutating func nextRecord() throws(TxnLogError) -> Int? { try scan(stopsAtRecord: true) }

  /// Finds the marks and records after `start`.
  ///
  /// - Parameter stopsAtRecord: whether only the first record is looked for.
  /// - Returns: the place of that record.
  private mutating func scan(stopsAtRecord: Bool) throws(TxnLogError) -> Int? {
    var offset = start + 1
    while offset < contentEnd {
      let bytes = try window.loadAvailable(offset)
      // A mark or prefix that is cut by the end of the buffer is examined with the next load.
      let isLast = offset + bytes.count >= min(contentEnd + BatchMark.encodedSizeBytes, window.sizeBytes)
      let count = isLast ? contentEnd - offset : bytes.count - LogFormat.recordPrefixBytes
      guard let found = Self.candidate(in: bytes, count: count) else {
        offset += count
        continue
      }
      offset += found
      if let mark = try mark(at: offset) {
        lastMark = mark
        offset += BatchMark.encodedSizeBytes
      } else if let end = try recordEnd(at: offset) {
        if stopsAtRecord { return offset }
        foundRecord = true
        offset = end
      } else {
        offset += 1
      }
    }
    return nil
  }

  /// The first of `count` offsets in `bytes` at which a record or a mark could begin.
  private static func candidate(in bytes: UnsafeRawBufferPointer, count: Int) -> Int? {
    for index in 0..<count {
      guard index + LogFormat.recordPrefixBytes <= bytes.count else { return nil }
      let length = bytes.loadBigEndian(at: index + 8, as: Int32.self)
      let high = bytes.loadBigEndian(at: index, as: UInt32.self)
      let isMark = length == 0 && bytes.loadBigEndian(at: index + 4, as: UInt32.self) != 0
      if isMark || high == 0 && length >= LogFormat.minEntryBytes { return index }
    }
    return nil
  }

  private func mark(at offset: Int) throws(TxnLogError) -> BatchMark? {
    guard offset + BatchMark.encodedSizeBytes <= window.sizeBytes else { return nil }
    return BatchMark(try window.load(offset, BatchMark.encodedSizeBytes), at: offset, segment: segment)
  }

  /// The end of the record at `offset`; nil if there is no valid record, or its zxid is not after the last one read.
  private func recordEnd(at offset: Int) throws(TxnLogError) -> Int? {
    let available = window.sizeBytes - offset
    guard available >= LogFormat.recordOverheadBytes + LogFormat.minEntryBytes else { return nil }
    let head = try window.load(offset, LogFormat.recordPrefixBytes + LogFormat.minEntryBytes)
    let checksum = head.loadBigEndian(at: 0, as: UInt64.self)
    let length = Int(head.loadBigEndian(at: 8, as: Int32.self))
    let zxid = Zxid(rawValue: head.loadBigEndian(at: LogFormat.recordPrefixBytes + 12, as: Int64.self))
    let room = min(available - LogFormat.recordOverheadBytes, LogFormat.maxEntryBytes)
    guard length >= LogFormat.minEntryBytes, length <= room, zxid > last ?? .zero else { return nil }
    let end = offset + length + LogFormat.recordOverheadBytes
    guard try window.load(end - 1, 1)[0] == LogFormat.terminator else { return nil }
    let entry = try window.load(offset + LogFormat.recordPrefixBytes, length)
    return UInt64(Adler32.checksum(entry)) == checksum ? end : nil
  }
}
