public import Jute

/// What precedes every transaction: who asked for it, its position in the order, when, and what it is.
///
/// *Shape*: 32 bytes: session (long), cxid (int), zxid (long), time (long), type (int).
///
/// *Source*: Jute record `org.apache.zookeeper.txn.TxnHeader`; `StorageFormat` C.1.
public struct TxnHeader: JuteRecord, Hashable, Sendable {
  /// The session that asked; `none` for the deletion of containers.
  public var sessionID: SessionID
  /// The request's xid; 0 for what the server does by itself.
  public var cxid: Xid
  /// The transaction's position in the order.
  public var zxid: Zxid
  /// The leader's clock: milliseconds since 1970.
  public var timeMilliseconds: Int64
  /// The operation's number, which also says what the body is. Kept raw: see `opCode`.
  public var type: Int32

  /// The encoded size, in bytes.
  public static let encodedSizeBytes = 32

  public init(sessionID: SessionID, cxid: Xid, zxid: Zxid, timeMilliseconds: Int64, opCode: OpCode) {
    self.sessionID = sessionID
    self.cxid = cxid
    self.zxid = zxid
    self.timeMilliseconds = timeMilliseconds
    type = opCode.rawValue
  }

  /// The operation, if its number is known.
  public var opCode: OpCode? { OpCode(rawValue: type) }

  public init(from reader: inout JuteReader) throws(JuteError) {
    self.init(block: try reader.readFixedBlock(count: Self.encodedSizeBytes))
  }

  /// Reads `encodedSizeBytes`.
  init(block: UnsafeRawBufferPointer) {
    sessionID = SessionID(rawValue: block.loadBigEndian(at: 0, as: Int64.self))
    cxid = Xid(rawValue: block.loadBigEndian(at: 8, as: Int32.self))
    zxid = Zxid(rawValue: block.loadBigEndian(at: 12, as: Int64.self))
    timeMilliseconds = block.loadBigEndian(at: 20, as: Int64.self)
    type = block.loadBigEndian(at: 28, as: Int32.self)
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeBlock(byteCount: Self.encodedSizeBytes) { block in
      block.storeBigEndian(sessionID.rawValue, at: 0)
      block.storeBigEndian(cxid.rawValue, at: 8)
      block.storeBigEndian(zxid.rawValue, at: 12)
      block.storeBigEndian(timeMilliseconds, at: 20)
      block.storeBigEndian(type, at: 28)
    }
  }
}

/// The digest that the whole tree must have after a transaction, as its leader computed it.
///
/// *Shape*: 12 bytes: version (int), digest (long).
public struct TxnDigest: JuteRecord, Hashable, Sendable {
  /// How the digest is made; see `currentVersion`.
  public var version: Int32
  /// The sum of the digests of all znodes, modulo 2⁶⁴.
  public var treeDigest: UInt64

  /// The version of ZooKeeper 3.6 to 3.9: `StorageFormat` C.6.
  public static let currentVersion: Int32 = 2

  public init(version: Int32 = TxnDigest.currentVersion, treeDigest: UInt64) {
    self.version = version
    self.treeDigest = treeDigest
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    version = try reader.readInt()
    treeDigest = UInt64(bitPattern: try reader.readLong())
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(version)
    writer.writeLong(Int64(bitPattern: treeDigest))
  }
}

/// One transaction: what a request was turned into, fit to be applied any number of times.
///
/// *Source*: module `org.apache.zookeeper.txn`; `StorageFormat` C.3.
public enum Txn: Hashable, Sendable {
  case create(CreateTxn)
  case create2(CreateTxn)
  case createContainer(CreateTxn)
  case createTTL(CreateTxn, ttlMilliseconds: Int64)
  case delete(path: String)
  case deleteContainer(path: String)
  case setData(SetDataTxn)
  case reconfig(SetDataTxn)
  case setACL(SetACLTxn)
  /// The version is the one found, plus 1.
  case check(path: String, version: Int32)
  case createSession(timeoutMilliseconds: Int32)
  /// The ephemerals to delete. Servers before 3.6, and later ones with `closeSessionTxn.enabled=false`, leave the list
  /// out (nil), which means all that the session has.
  case closeSession(paths: [String]?)
  /// A request that failed its checks.
  case error(KeeperError)
  /// Transactions that share one zxid and succeed or fail together; none of them is a multi.
  case multi([Txn])

  /// The number that goes with the body, in the header or in the multi around it.
  public var opCode: OpCode {
    switch self {
    case .create: .create
    case .create2: .create2
    case .createContainer: .createContainer
    case .createTTL: .createTTL
    case .delete: .delete
    case .deleteContainer: .deleteContainer
    case .setData: .setData
    case .reconfig: .reconfig
    case .setACL: .setACL
    case .check: .check
    case .createSession: .createSession
    case .closeSession: .closeSession
    case .error: .error
    case .multi: .multi
    }
  }
}

extension Txn {
  /// Decodes the body that goes with `type`.
  ///
  /// - Throws: `JuteError` if the bytes are not such a body; `unknownValue` for an operation that makes no transaction.
  public init(type: Int32, from reader: inout JuteReader) throws(JuteError) {
    if type == OpCode.multi.rawValue {
      self = .multi(try reader.readVector { (reader) throws(JuteError) in try Txn(subTxnFrom: &reader) })
    } else {
      try self.init(simpleType: type, from: &reader)
    }
  }

  /// Appends the body, without its type.
  public func encodeBody(into writer: inout JuteWriter) {
    switch self {
    case .create(let body), .create2(let body): body.encode(into: &writer)
    case .createContainer(let body): body.encodeContainer(into: &writer)
    case .createTTL(let body, let ttl):
      body.encodeContainer(into: &writer)
      writer.writeLong(ttl)
    case .delete(let path), .deleteContainer(let path): writer.writeString(path)
    case .setData(let body), .reconfig(let body): body.encode(into: &writer)
    case .setACL(let body): body.encode(into: &writer)
    case .check(let path, let version):
      writer.writeString(path)
      writer.writeInt(version)
    case .createSession(let timeout): writer.writeInt(timeout)
    case .closeSession(let paths):
      if let paths { writer.writeVector(paths) { $0.writeString($1) } }
    case .error(let code): writer.writeInt(code.rawValue)
    case .multi(let txns): writer.writeVector(txns) { $1.encodeAsSubTxn(into: &$0) }
    }
  }

  /// A type, and a body as a buffer: its own bytes, so that a body with missing fields ends where it ends.
  private init(subTxnFrom reader: inout JuteReader) throws(JuteError) {
    let type = try reader.readInt()
    let start = reader.offset
    let length = Int(try reader.readInt())
    guard length >= 0 else { throw JuteError(.negativeLength(length), offset: start) }
    var body = JuteReader(try reader.readFixedBlock(count: length))
    try self.init(simpleType: type, from: &body)
  }

  /// Every type but multi, which does not nest: hostile bytes cannot make the decoder recurse.
  private init(simpleType type: Int32, from reader: inout JuteReader) throws(JuteError) {
    switch OpCode(rawValue: type) {
    case .create: self = .create(try CreateTxn(from: &reader, allowingV0: true))
    case .create2: self = .create2(try CreateTxn(from: &reader))
    case .createContainer: self = .createContainer(try CreateTxn(containerFrom: &reader))
    case .createTTL:
      self = .createTTL(try CreateTxn(containerFrom: &reader), ttlMilliseconds: try reader.readLong())
    case .delete: self = .delete(path: try reader.readString())
    case .deleteContainer: self = .deleteContainer(path: try reader.readString())
    case .setData: self = .setData(try SetDataTxn(from: &reader))
    case .reconfig: self = .reconfig(try SetDataTxn(from: &reader))
    case .setACL: self = .setACL(try SetACLTxn(from: &reader))
    case .check: self = .check(path: try reader.readString(), version: try reader.readInt())
    case .createSession: self = .createSession(timeoutMilliseconds: try reader.readInt())
    case .closeSession:
      // The list is absent if nothing is left. If a digest follows in its place, its version 2 reads as a count of two
      // paths, of which the first is cut off; Apache then takes the list for absent too.
      self = .closeSession(paths: try Self.readClosingPaths(from: &reader))
    case .error: self = .error(KeeperError(rawValue: try reader.readInt()))
    default: throw JuteError(.unknownValue(Int(type)), offset: reader.offset)
    }
  }

  private static func readClosingPaths(from reader: inout JuteReader) throws(JuteError) -> [String]? {
    let start = reader
    if reader.remainingBytes == 0 { return nil }
    do throws(JuteError) {
      return try reader.readOptionalVector { (reader) throws(JuteError) in try reader.readString() }
    } catch {
      guard start.remainingBytes == TxnEntry.digestSizeBytes else { throw error }
      reader = start
      return nil
    }
  }

  private func encodeAsSubTxn(into writer: inout JuteWriter) {
    writer.writeInt(opCode.rawValue)
    let start = writer.reserveFrame()
    encodeBody(into: &writer)
    writer.finishFrame(at: start)
  }
}

/// A whole transaction as it is in the log, in PROPOSAL and in INFORM: the same bytes in all three.
///
/// *Shape*: header, body, and the digest unless the leader has none.
///
/// *Source*: `StorageFormat` C.2.
public struct TxnEntry: JuteRecord, Hashable, Sendable {
  /// The session, the zxid, the time and the type.
  public var header: TxnHeader
  /// The body.
  public var txn: Txn
  /// nil when the leader computes none, and for a top-level error.
  public var digest: TxnDigest?

  /// The encoded size of a digest, in bytes.
  public static let digestSizeBytes = 12

  /// An entry whose header names the kind of `txn`, or, for a failed multi, still the multi.
  public init(header: TxnHeader, txn: Txn, digest: TxnDigest?) {
    self.header = header
    self.txn = txn
    self.digest = digest
  }

  /// Reads an entry. Bytes after it are ignored, as Apache ignores them.
  ///
  /// - Throws: `JuteError` if the bytes are not an entry.
  public init(from reader: inout JuteReader) throws(JuteError) {
    header = try TxnHeader(from: &reader)
    txn = try Txn(type: header.type, from: &reader)
    digest = reader.remainingBytes >= Self.digestSizeBytes ? try TxnDigest(from: &reader) : nil
  }

  public func encode(into writer: inout JuteWriter) {
    header.encode(into: &writer)
    txn.encodeBody(into: &writer)
    digest?.encode(into: &writer)
  }
}
