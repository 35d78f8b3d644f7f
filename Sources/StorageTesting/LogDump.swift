internal import Checksums
internal import Jute
package import TxnLog
package import ZooKeeperProtocol

/// The content of one segment of a log as values, for tests and for tools that print a log.
package struct LogDump: Hashable, Sendable {
  /// A record and its offset.
  package struct Record: Hashable, Sendable {
    package let offset: Int
    package let lengthBytes: Int
    package let checksum: UInt32
    package let header: TxnHeader
    /// The decoded entry; nil if the type of the transaction is unknown.
    package let entry: TxnEntry?
  }

  package private(set) var records: [Record] = []
  /// Where the records end, and what is torn after them; nil if the segment is damaged.
  package private(set) var end: SegmentEnd?
  /// Why reading stopped before the end.
  package private(set) var damage: TxnLogError?

  /// Reads the segment `log.<segment>` at `path`, as far as it can be read.
  ///
  /// Throws: `.badHeader`; the failure of a call to open the file.
  package init(_ files: some FileSystem, path: String, segment: Zxid) throws(TxnLogError) {
    var reader = try LogReader(files, path: path, segment: segment)
    do throws(TxnLogError) {
      while let record = try reader.next() {
        if let dumped = Self.dump(record) { records.append(dumped) }
      }
      end = reader.end
    } catch {
      damage = error
    }
  }

  private static func dump(_ record: LogRecord) -> Record? {
    var reader = JuteReader(record.entry)
    guard let header = try? TxnHeader(from: &reader) else { return nil }
    var whole = JuteReader(record.entry)
    return Record(
      offset: record.offset, lengthBytes: record.entry.count, checksum: Adler32.checksum(record.entry), header: header,
      entry: try? TxnEntry(from: &whole))
  }
}
