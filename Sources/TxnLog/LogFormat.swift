import Zlib
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
  /// Checksum and length.
  static let recordPrefixBytes = 12
  /// Prefix and terminator.
  static let recordOverheadBytes = 13
  static let terminator: UInt8 = 0x42
  /// No entry is shorter than its header.
  static let minEntryBytes = TxnHeader.encodedSizeBytes
  /// No entry is longer, whatever a file says: 256 times what a client may send by default.
  static let maxEntryBytes = 256 << 20
  /// A batch that a sync makes durable is written out when it has this size, so that no more than this and one entry
  /// can be torn at once.
  static let maxBatchBytes = 8 << 20

  /// Written as the dbid, which no reader looks at, by a writer that marks the ends of its batches: "zkcli".
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
/// Apache's format cannot tell a batch that a power cut left half written from durable entries that were damaged
/// later: in both cases something unreadable stands before something readable. So a mark follows each batch, where the
/// next record will be, and says where that batch begins. Everything before that place was durable before the batch
/// was written; only what follows may be missing. Readers of Apache's format see a record of length 0, which is how the
/// log ends for them. The next batch overwrites the mark, so it costs no write of its own.
///
/// *Shape*: 12 bytes: batch length (int), check (int), and a record length of 0 (int).
struct BatchMark: Equatable {
  static let encodedSizeBytes = 12
  /// The place in a mark of a byte that is never 0: the last of the check.
  static let nonzeroByte = 7

  /// Where the mark stands: the end of its batch.
  let offset: Int
  /// Where the batch begins.
  let batchOffset: Int

  /// Hands the mark's bytes in the segment that begins with `segment` to `body`.
  func withBytes<Result>(segment: Zxid, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let length = UInt32(truncatingIfNeeded: offset - batchOffset)
    let check = Self.check(offset: offset, length: length, segment: segment)
    return withUnsafeBytes(of: (length.bigEndian, check.bigEndian, UInt32(0)), body)
  }

  /// The mark's bytes in the segment that begins with `segment`.
  func bytes(segment: Zxid) -> [UInt8] { withBytes(segment: segment) { [UInt8]($0) } }

  /// The mark at `offset` of the batch from `batchOffset`.
  init(offset: Int, batchOffset: Int) {
    self.offset = offset
    self.batchOffset = batchOffset
  }

  /// The mark in the first 12 of `bytes`, which stand at `offset`; nil if they are no mark.
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, segment: Zxid) {
    guard bytes.count >= Self.encodedSizeBytes, bytes.loadBigEndian(at: 8, as: UInt32.self) == 0 else { return nil }
    let length = bytes.loadBigEndian(at: 0, as: UInt32.self)
    let check = bytes.loadBigEndian(at: 4, as: UInt32.self)
    guard check != 0, Int(length) <= offset - LogFormat.headerBytes else { return nil }
    guard check == Self.check(offset: offset, length: length, segment: segment) else { return nil }
    self.init(offset: offset, batchOffset: offset - Int(length))
  }

  /// Binds the mark to its place, so that one in a client's data or a copied block is none.
  private static func check(offset: Int, length: UInt32, segment: Zxid) -> UInt32 {
    let bound = (
      LogFormat.markedDatabaseID.bigEndian, segment.rawValue.bigEndian, Int64(offset).bigEndian, length.bigEndian
    )
    // Up to the last part: what a tuple of these has behind it is padding.
    let byteCount = 3 * 8 + 4
    return withUnsafeBytes(of: bound) { CRC32.checksum(UnsafeRawBufferPointer(rebasing: $0[..<byteCount])) } | 1
  }
}

extension [UInt8] {
  /// Appends an integer as Jute writes it.
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}
