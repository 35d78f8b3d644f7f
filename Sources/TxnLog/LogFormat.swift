import Checksums
import ZooKeeperProtocol

/// The layout of a log segment.
///
/// *Shape*: a header of 16 bytes (`ZKLG`, version 2, dbid), then records, then zeros up to the preallocated size.
/// A record is a long with the Adler-32 of the entry, an int with its length, the entry, and the byte `B`.
///
/// *Source*: `org.apache.zookeeper.server.persistence.FileTxnLog`; `StorageFormat` D.2.
enum LogFormat {
  /// `ZKLG`.
  static let magic: UInt32 = 0x5a4b_4c47
  static let version: Int32 = 2
  static let headerBytes = 16
  /// The size of checksum and length.
  static let recordPrefixBytes = 12
  /// The size of prefix and terminator.
  static let recordOverheadBytes = 13
  static let terminator: UInt8 = 0x42
  /// The smallest size of an entry: that of its header.
  static let minEntryBytes = TxnHeader.encodedSizeBytes
  /// The largest size of an entry that is read, 256 times what a client may send by default. It keeps a damaged length
  /// from allocating more.
  static let maxEntryBytes = 256 << 20
  /// A batch is synced when it has reached this size, so that a power failure can tear at most this much and one entry.
  static let maxBatchBytes = 8 << 20

  /// The dbid of segments whose writer marks the ends of its batches: "zkcli" in ASCII. No reader of Apache's looks at
  /// the dbid.
  static let markedDatabaseID: Int64 = 0x7a6b_636c69

  /// The header of a segment.
  static func header(databaseID: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(magic)
    bytes.appendBigEndian(version)
    bytes.appendBigEndian(databaseID)
    return bytes
  }

  /// The zxid in an entry's header.
  static func zxid(ofEntry entry: UnsafeRawBufferPointer) -> Zxid {
    Zxid(rawValue: entry.loadBigEndian(at: 12, as: Int64.self))
  }
}

/// The end of the last batch that was written to a segment.
///
/// Apache's format does not distinguish a batch that a power failure has torn from durable entries that were damaged
/// later: in both cases something unreadable precedes something readable. A mark therefore follows each batch, where
/// the next record will be, and says where the batch begins. Everything before that was durable before the batch was
/// written; only what follows can be missing. For readers of Apache's format the mark is a record of length 0, which is
/// the end of the log. The next batch overwrites the mark, so that it costs no additional write.
///
/// *Shape*: 12 bytes: batch length (int), check (int), and a record length of 0 (int).
struct BatchMark: Equatable {
  static let encodedSizeBytes = 12
  /// The offset of a byte that is never 0: the last one of the check.
  static let nonzeroByte = 7

  /// Where the mark is: at the end of its batch.
  let offset: Int
  /// Where the batch begins.
  let batchOffset: Int

  /// Passes the mark's bytes, in the segment that begins with `segment`, to `body`.
  func withBytes<Result>(segment: Zxid, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let length = UInt32(truncatingIfNeeded: offset - batchOffset)
    let check = Self.check(offset: offset, length: length, segment: segment)
    return withUnsafeBytes(of: (length.bigEndian, check.bigEndian, UInt32(0)), body)
  }

  /// The mark's bytes, in the segment that begins with `segment`.
  func bytes(segment: Zxid) -> [UInt8] { withBytes(segment: segment) { [UInt8]($0) } }

  /// The mark at `offset` of the batch from `batchOffset`.
  init(offset: Int, batchOffset: Int) {
    self.offset = offset
    self.batchOffset = batchOffset
  }

  /// Reads a mark from the first 12 of `bytes`, which are at `offset` of the file; nil if they are not a mark.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, segment: Zxid) {
    guard bytes.count >= Self.encodedSizeBytes, bytes.loadBigEndian(at: 8, as: UInt32.self) == 0 else { return nil }
    let length = bytes.loadBigEndian(at: 0, as: UInt32.self)
    let check = bytes.loadBigEndian(at: 4, as: UInt32.self)
    guard check != 0, Int(length) <= offset - LogFormat.headerBytes else { return nil }
    guard check == Self.check(offset: offset, length: length, segment: segment) else { return nil }
    self.init(offset: offset, batchOffset: offset - Int(length))
  }

  /// The check, which depends on the segment and the offset, so that bytes in a client's data or in a copied block are
  /// not taken as a mark.
  private static func check(offset: Int, length: UInt32, segment: Zxid) -> UInt32 {
    let bound = (
      LogFormat.markedDatabaseID.bigEndian, segment.rawValue.bigEndian, Int64(offset).bigEndian, length.bigEndian
    )
    // Without the padding at the end of the tuple.
    let byteCount = 3 * 8 + 4
    return withUnsafeBytes(of: bound) { CRC32.checksum(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) } | 1
  }
}

extension [UInt8] {
  /// Appends an integer in big-endian order, as Jute encodes it.
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}
