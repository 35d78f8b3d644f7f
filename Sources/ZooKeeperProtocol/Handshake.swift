public import Jute

/// The first frame of a connection: asks for a new session or resumes an old one.
///
/// *Source*: `ClientProtocol` 2.1, 2.2.
public struct ConnectRequest: JuteRecord, Hashable, Sendable {
  /// 0 in every version.
  public var protocolVersion: Int32
  /// The newest transaction that the client has seen. A server that has not applied it yet refuses the client, so that
  /// no client goes back in time when it changes servers.
  public var lastZxidSeen: Zxid
  /// The session timeout asked for, in milliseconds.
  public var timeoutMilliseconds: Int32
  /// `none` asks for a new session.
  public var sessionID: SessionID
  /// 16 bytes; zeros for a new session.
  public var password: [UInt8]?
  /// Whether a read-only server will do; nil when the trailing byte is absent (clients before 3.4).
  public var readOnly: Bool?

  /// The size of a session password, in bytes.
  public static let passwordLengthBytes = 16

  public init(
    lastZxidSeen: Zxid, timeoutMilliseconds: Int32, sessionID: SessionID, password: [UInt8], readOnly: Bool?
  ) {
    protocolVersion = 0
    self.lastZxidSeen = lastZxidSeen
    self.timeoutMilliseconds = timeoutMilliseconds
    self.sessionID = sessionID
    self.password = password
    self.readOnly = readOnly
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    protocolVersion = try reader.readInt()
    lastZxidSeen = Zxid(rawValue: try reader.readLong())
    timeoutMilliseconds = try reader.readInt()
    sessionID = SessionID(rawValue: try reader.readLong())
    password = try reader.readBuffer()
    readOnly = reader.remainingBytes > 0 ? try reader.readBool() : nil
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(protocolVersion)
    writer.writeLong(lastZxidSeen.rawValue)
    writer.writeInt(timeoutMilliseconds)
    writer.writeLong(sessionID.rawValue)
    writer.writeBuffer(password)
    if let readOnly { writer.writeBool(readOnly) }
  }
}

/// The server's answer to `ConnectRequest`.
///
/// A timeout of 0 or less refuses the session: it is unknown, has expired, or the password was wrong.
public struct ConnectResponse: JuteRecord, Hashable, Sendable {
  /// 0 in every version.
  public var protocolVersion: Int32
  /// The session timeout as negotiated, in milliseconds; 0 or less refuses the session.
  public var timeoutMilliseconds: Int32
  /// The session, new or resumed; 0 if it was refused.
  public var sessionID: SessionID
  /// 16 bytes, with which the session can be resumed on another connection.
  public var password: [UInt8]?
  /// Whether the server is read-only; nil when the request had no such byte.
  public var readOnly: Bool?

  /// The smallest answer, without the last byte. A shorter first frame is not a `ConnectResponse`:
  /// read-only servers from 3.7 on send a bare reply header to a client they refuse (2.9).
  public static let minimumSizeBytes = 36

  public init(timeoutMilliseconds: Int32, sessionID: SessionID, password: [UInt8], readOnly: Bool?) {
    protocolVersion = 0
    self.timeoutMilliseconds = timeoutMilliseconds
    self.sessionID = sessionID
    self.password = password
    self.readOnly = readOnly
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    protocolVersion = try reader.readInt()
    timeoutMilliseconds = try reader.readInt()
    sessionID = SessionID(rawValue: try reader.readLong())
    password = try reader.readBuffer()
    readOnly = reader.remainingBytes > 0 ? try reader.readBool() : nil
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(protocolVersion)
    writer.writeInt(timeoutMilliseconds)
    writer.writeLong(sessionID.rawValue)
    writer.writeBuffer(password)
    if let readOnly { writer.writeBool(readOnly) }
  }
}

/// What a client proves about itself: scheme and secret (operation `auth`).
public struct AuthPacket: JuteRecord, Hashable, Sendable {
  /// Always 0; servers ignore it.
  public var type: Int32
  /// The authentication scheme, such as `digest`.
  public var scheme: String
  /// The secret in the form that the scheme prescribes: `user:password` for `digest`.
  public var auth: [UInt8]?

  public init(scheme: String, auth: [UInt8]?) {
    type = 0
    self.scheme = scheme
    self.auth = auth
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    type = try reader.readInt()
    scheme = try reader.readString()
    auth = try reader.readBuffer()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(type)
    writer.writeString(scheme)
    writer.writeBuffer(auth)
  }
}
