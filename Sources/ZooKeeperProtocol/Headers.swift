public import Jute

/// What precedes the body of every request but the first, which is the ``ConnectRequest``.
public struct RequestHeader: JuteRecord, Hashable, Sendable {
  /// The number that the reply carries back.
  public var xid: Xid
  /// The operation's number. It is kept raw because a newer client may use one that ``OpCode`` does not have.
  public var type: Int32

  public init(xid: Xid, opCode: OpCode) {
    self.xid = xid
    type = opCode.rawValue
  }

  /// The operation, if its number is known.
  public var opCode: OpCode? { OpCode(rawValue: type) }

  public init(from reader: inout JuteReader) throws(JuteError) {
    xid = Xid(rawValue: try reader.readInt())
    type = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(xid.rawValue)
    writer.writeInt(type)
  }
}

/// What precedes the body of every reply but the first, which is the ``ConnectResponse``, and of every watch event.
///
/// *Shape*: 16 bytes: xid (int), zxid (long), error (int).
public struct ReplyHeader: JuteRecord, Hashable, Sendable {
  /// The number of the request, or one of the reserved ones of ``Xid``.
  public var xid: Xid
  /// The last transaction applied on the server when it built the reply.
  public var zxid: Zxid
  /// `ok`, or why the request failed; a failed request's reply has no body.
  public var error: KeeperError

  /// The encoded size, in bytes.
  public static let encodedSizeBytes = 16

  public init(xid: Xid, zxid: Zxid, error: KeeperError = .ok) {
    self.xid = xid
    self.zxid = zxid
    self.error = error
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    let block = try reader.readFixedBlock(count: Self.encodedSizeBytes)
    xid = Xid(rawValue: block.loadBigEndian(at: 0, as: Int32.self))
    zxid = Zxid(rawValue: block.loadBigEndian(at: 4, as: Int64.self))
    error = KeeperError(rawValue: block.loadBigEndian(at: 12, as: Int32.self))
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(xid.rawValue)
    writer.writeLong(zxid.rawValue)
    writer.writeInt(error.rawValue)
  }
}
