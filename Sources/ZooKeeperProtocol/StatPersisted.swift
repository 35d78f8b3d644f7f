public import Jute

/// A znode's counters and times as they are stored: `Stat` without what is computed.
///
/// *Shape*: 60 bytes: czxid, mzxid, ctime, mtime (long), version, cversion, aversion (int),
/// ephemeralOwner, pzxid (long).
///
/// *Source*: Jute record `org.apache.zookeeper.data.StatPersisted`; `StorageFormat` D.4.
public struct StatPersisted: JuteRecord, Hashable, Sendable {
  /// The transaction that created the znode.
  public var czxid: Zxid
  /// The transaction that last set its data.
  public var mzxid: Zxid
  /// When it was created: milliseconds since 1970, on the leader's clock.
  public var ctimeMilliseconds: Int64
  /// When its data was last set: milliseconds since 1970, on the leader's clock.
  public var mtimeMilliseconds: Int64
  /// Changes of the data.
  public var version: Int32
  /// The number of creates of children. Unlike in `Stat.cversion`, deletes are not counted.
  public var cversion: Int32
  /// Changes of the ACL.
  public var aversion: Int32
  /// A session, or a mark for containers and TTL znodes: see `StorageFormat` C.7.
  public var ephemeralOwner: Int64
  /// The transaction that last changed the set of children.
  public var pzxid: Zxid

  /// The encoded size, in bytes.
  public static let encodedSizeBytes = 60

  public init(
    czxid: Zxid, mzxid: Zxid, ctimeMilliseconds: Int64, mtimeMilliseconds: Int64, version: Int32, cversion: Int32,
    aversion: Int32, ephemeralOwner: Int64, pzxid: Zxid
  ) {
    self.czxid = czxid
    self.mzxid = mzxid
    self.ctimeMilliseconds = ctimeMilliseconds
    self.mtimeMilliseconds = mtimeMilliseconds
    self.version = version
    self.cversion = cversion
    self.aversion = aversion
    self.ephemeralOwner = ephemeralOwner
    self.pzxid = pzxid
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    let block = try reader.readFixedBlock(count: Self.encodedSizeBytes)
    czxid = Zxid(rawValue: block.loadBigEndian(at: 0, as: Int64.self))
    mzxid = Zxid(rawValue: block.loadBigEndian(at: 8, as: Int64.self))
    ctimeMilliseconds = block.loadBigEndian(at: 16, as: Int64.self)
    mtimeMilliseconds = block.loadBigEndian(at: 24, as: Int64.self)
    version = block.loadBigEndian(at: 32, as: Int32.self)
    cversion = block.loadBigEndian(at: 36, as: Int32.self)
    aversion = block.loadBigEndian(at: 40, as: Int32.self)
    ephemeralOwner = block.loadBigEndian(at: 44, as: Int64.self)
    pzxid = Zxid(rawValue: block.loadBigEndian(at: 52, as: Int64.self))
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeBlock(byteCount: Self.encodedSizeBytes) { block in
      block.storeBigEndian(czxid.rawValue, at: 0)
      block.storeBigEndian(mzxid.rawValue, at: 8)
      block.storeBigEndian(ctimeMilliseconds, at: 16)
      block.storeBigEndian(mtimeMilliseconds, at: 24)
      block.storeBigEndian(version, at: 32)
      block.storeBigEndian(cversion, at: 36)
      block.storeBigEndian(aversion, at: 40)
      block.storeBigEndian(ephemeralOwner, at: 44)
      block.storeBigEndian(pzxid.rawValue, at: 52)
    }
  }
}
