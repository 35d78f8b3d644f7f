import Zlib
import ZooKeeperProtocol

/// Looks at what follows the place where a segment stops being readable, to tell a torn tail from damage.
///
/// A batch reaches the disk in any order of its sectors, so a power cut may leave readable records behind a hole. They
/// were never answered. The same picture arises when durable bytes are damaged, and cutting there would lose answered
/// transactions. Told apart by:
/// - the last `BatchMark` in the file: damage lies before the batch that it ends, a torn batch within it;
/// - without such a mark behind the place, any later record that is whole is taken for proof of damage. Where a writer
///   marks its batches, a power cut may leave that picture too, when of one batch the end is lost and something before
///   it; but it may also be that a mark has been damaged, and then everything from the place on was answered. What
///   may have been answered is not cut by a server: `DataDirectory.repair` does it, and keeps a copy;
/// - nothing but zeros where a writer that marks its batches had a mark, in a sector that it has written: a power cut
///   leaves the mark or the next batch;
/// - a record within one sector that is all there but for its checksum is damage: sectors are written whole.
struct TailScan<Files: FileSystem> {
  /// What the end of the readable records means.
  enum Verdict: Equatable {
    case end(tornBytes: Int)
    case damage
  }

  let window: FileWindow<Files>
  let segment: Zxid
  /// Where no record could be read.
  let start: Int
  /// Where everything but zeros ends.
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

  /// Decides; `wholeRecordEnd` is the end of a record at `start` of which only the checksum is wrong.
  mutating func verdict(wholeRecordEnd: Int?) throws(TxnLogError) -> Verdict {
    if contentEnd <= start { return hasLostMark ? .damage : .end(tornBytes: 0) }
    if try mark(at: start) != nil {
      return .end(tornBytes: max(0, contentEnd - start - BatchMark.encodedSizeBytes))
    }
    if let wholeRecordEnd, start / Self.sectorBytes == (wholeRecordEnd - 1) / Self.sectorBytes { return .damage }
    try scan()
    if let lastMark, start >= lastMark.batchOffset { return .end(tornBytes: contentEnd - start) }
    return lastMark == nil && !foundRecord ? .end(tornBytes: contentEnd - start) : .damage
  }

  /// Whether a mark must have stood at `start`, where only zeros follow: in the sector that has the end of the last
  /// record, which was written with it. In a sector of its own it may be what a power cut has taken of the last batch.
  private var hasLostMark: Bool {
    guard isMarked, last != nil, window.sizeBytes - start >= BatchMark.encodedSizeBytes else { return false }
    return (start - 1) / Self.sectorBytes == (start + BatchMark.nonzeroByte) / Self.sectorBytes
  }

  /// Finds the marks and records after `start`.
  private mutating func scan() throws(TxnLogError) {
    var offset = start + 1
    while offset < contentEnd {
      let bytes = try window.loadAvailable(offset)
      // A mark or prefix that the buffer cuts is looked at with the next one.
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
        foundRecord = true
        offset = end
      } else {
        offset += 1
      }
    }
  }

  /// The first of `count` places in `bytes` at which a record or a mark might begin.
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

  /// The end of the record at `offset`; nil if there is none that could follow the last one read.
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
