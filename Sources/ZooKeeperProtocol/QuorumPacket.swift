public import Jute

/// What a leader and a learner send each other.
///
/// *Shape*: type (int), zxid (long), data (buffer, null is -1), identities (vector, null is -1). Packets follow each
/// other without a length in front.
///
/// *Source*: Jute record `org.apache.zookeeper.server.quorum.QuorumPacket`; `QuorumProtocol` B.1.
public struct QuorumPacket: Hashable, Sendable {
  /// The packets' meanings, with their numbers on the wire.
  public enum Kind: Int32, Hashable, Sendable, CaseIterable {
    /// A learner forwards a client's write or sync.
    case request = 1
    /// The leader proposes a transaction.
    case proposal = 2
    /// A learner has persisted a proposal, or what was sent before.
    case ack = 3
    /// A proposal is committed.
    case commit = 4
    /// The leader asks for a sign of life; the answer has the sessions that were heard from.
    case ping = 5
    /// A learner asks whether a session is alive, and the leader answers.
    case revalidate = 6
    /// The leader answers a sync.
    case sync = 7
    /// An observer gets a committed transaction.
    case inform = 8
    /// A reconfiguration is committed.
    case commitAndActivate = 9
    /// The leader's history is complete; the learner must persist it and acknowledge.
    case newLeader = 10
    /// A follower introduces itself.
    case followerInfo = 11
    /// The learner may serve clients.
    case upToDate = 12
    /// What the learner lacks follows as proposals.
    case diff = 13
    /// The learner must cut its log.
    case trunc = 14
    /// A whole tree follows.
    case snap = 15
    /// An observer introduces itself.
    case observerInfo = 16
    /// The leader proposes its epoch.
    case leaderInfo = 17
    /// A learner has accepted the epoch, and reports the end of its history.
    case ackEpoch = 18
    /// An observer gets a committed reconfiguration.
    case informAndActivate = 19
  }

  /// The number of the packet's kind, which may be one that this program does not know.
  public var type: Int32
  /// The transaction that the packet is about; what else it can be depends on the kind.
  public var zxid: Zxid
  /// nil is null, which Java's servers keep apart from empty in a PING.
  public var data: [UInt8]?
  /// Who asked, for a REQUEST; nil is null.
  public var identities: [Identity]?

  /// The smallest packet, in bytes.
  public static let minEncodedSizeBytes = 20

  /// Makes a packet of a known kind.
  public init(_ kind: Kind, zxid: Zxid, data: [UInt8]? = nil, identities: [Identity]? = nil) {
    type = kind.rawValue
    self.zxid = zxid
    self.data = data
    self.identities = identities
  }

  /// The packet's kind, if its number is known.
  public var kind: Kind? { Kind(rawValue: type) }

  /// The first packet of `bytes` and its length there; nil while it is incomplete.
  ///
  /// - Parameter limitBytes: the upper bound on the size of the data.
  /// - Throws: `negativeLength` or `tooLarge` as soon as the length is known, and other `JuteError`s for identities
  ///   that cannot be decoded.
  public static func first(
    in bytes: UnsafeRawBufferPointer, limitBytes: Int
  ) throws(JuteError) -> (packet: QuorumPacket, lengthBytes: Int)? {
    guard bytes.count >= minEncodedSizeBytes else { return nil }
    let length = Int(bytes.loadBigEndian(at: 12, as: Int32.self))
    guard length >= -1 else { throw JuteError(.negativeLength(length), offset: 12) }
    guard length <= limitBytes else {
      throw JuteError(.tooLarge(lengthBytes: length, limitBytes: limitBytes), offset: 12)
    }
    guard bytes.count >= minEncodedSizeBytes + max(0, length) else { return nil }
    var reader = JuteReader(bytes)
    do throws(JuteError) {
      let packet = try QuorumPacket(from: &reader)
      return (packet, reader.offset)
    } catch {
      guard case .truncated = error.code else { throw error }
      guard bytes.count <= minEncodedSizeBytes + max(0, length) + Self.maxIdentitiesBytes else { throw error }
      return nil
    }
  }

  /// The upper bound on the size of the identities, in bytes. It ends the wait for the rest of a packet whose
  /// identities are never complete.
  private static let maxIdentitiesBytes = 1 << 20
}

extension QuorumPacket: JuteRecord {
  public init(from reader: inout JuteReader) throws(JuteError) {
    type = try reader.readInt()
    zxid = Zxid(rawValue: try reader.readLong())
    data = try reader.readBuffer()
    identities = try reader.readOptionalVector { (reader) throws(JuteError) in try Identity(from: &reader) }
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(type)
    writer.writeLong(zxid.rawValue)
    writer.writeBuffer(data)
    writer.writeVector(identities) { $1.encode(into: &$0) }
  }
}

extension QuorumPacket {
  /// Encodes the PROPOSAL of a transaction and its COMMIT, as they follow each other in what a learner lacks.
  ///
  /// - Parameter entry: header, body and digest of the transaction.
  public static func encodeCommitted(_ entry: UnsafeRawBufferPointer, zxid: Zxid, into writer: inout JuteWriter) {
    writer.writeInt(Kind.proposal.rawValue)
    writer.writeLong(zxid.rawValue)
    writer.writeLengthPrefixed(entry)
    writer.writeInt(-1)
    QuorumPacket(.commit, zxid: zxid).encode(into: &writer)
  }
}

/// What a learner sends first when it connects to a leader: the data of FOLLOWERINFO and OBSERVERINFO.
///
/// *Source*: Jute record `org.apache.zookeeper.server.quorum.LearnerInfo`; `QuorumProtocol` B.1.
public struct LearnerInfo: JuteRecord, Hashable, Sendable {
  /// The learner; -1 for an observer without an id.
  public var serverID: ServerID
  /// What the learner speaks; see `currentVersion`.
  public var protocolVersion: Int32
  /// The version of the committed configuration that the learner has; 0 for a static one.
  public var configurationVersion: Int64

  /// What servers send since 3.4.
  public static let currentVersion: Int32 = 0x10000

  public init(serverID: ServerID, configurationVersion: Int64 = 0) {
    self.serverID = serverID
    protocolVersion = Self.currentVersion
    self.configurationVersion = configurationVersion
  }

  /// Decodes what is there: old servers leave out the later fields.
  public init(from reader: inout JuteReader) throws(JuteError) {
    serverID = ServerID(rawValue: try reader.readLong())
    protocolVersion = reader.remainingBytes >= 4 ? try reader.readInt() : 0
    configurationVersion = reader.remainingBytes >= 8 ? try reader.readLong() : 0
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(serverID.rawValue)
    writer.writeInt(protocolVersion)
    writer.writeLong(configurationVersion)
  }
}

/// A write, a sync, or the beginning or end of a session that a learner forwards to the leader: the data of REQUEST.
///
/// *Shape*: session (long), cxid (int), operation (int), and the client's record as it came.
///
/// *Source*: `QuorumProtocol` B.1, B.11.
public struct ForwardedRequest: JuteRecord, Hashable, Sendable {
  /// The session of the client that asked.
  public var sessionID: SessionID
  /// The client's number of the request.
  public var xid: Xid
  /// The operation's number.
  public var type: Int32
  /// The client's record, not decoded.
  public var body: [UInt8]

  public init(sessionID: SessionID, xid: Xid, type: Int32, body: [UInt8]) {
    self.sessionID = sessionID
    self.xid = xid
    self.type = type
    self.body = body
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    sessionID = SessionID(rawValue: try reader.readLong())
    xid = Xid(rawValue: try reader.readInt())
    type = try reader.readInt()
    body = reader.readRemaining()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(sessionID.rawValue)
    writer.writeInt(xid.rawValue)
    writer.writeInt(type)
    writer.writeRaw(body)
  }
}

/// A session with its timeout, as PING and REVALIDATE carry it.
public struct SessionTouch: JuteRecord, Hashable, Sendable {
  /// A session of the learner's that was heard from.
  public var sessionID: SessionID
  /// The session's timeout, in milliseconds.
  public var timeoutMilliseconds: Int32

  /// The encoded size, in bytes.
  public static let encodedSizeBytes = 12

  public init(sessionID: SessionID, timeoutMilliseconds: Int32) {
    self.sessionID = sessionID
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    sessionID = SessionID(rawValue: try reader.readLong())
    timeoutMilliseconds = try reader.readInt()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(sessionID.rawValue)
    writer.writeInt(timeoutMilliseconds)
  }

  /// Decodes the table that a learner answers a PING with: entries up to the end of the data.
  ///
  /// - Throws: `truncated` if the last entry is incomplete.
  public static func table(from bytes: [UInt8]) throws(JuteError) -> [SessionTouch] {
    var touches: [SessionTouch] = []
    let failure = bytes.withUnsafeBytes { raw -> JuteError? in
      var reader = JuteReader(raw)
      do throws(JuteError) {
        while reader.remainingBytes > 0 { touches.append(try SessionTouch(from: &reader)) }
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
    return touches
  }
}

/// A leader's answer to REVALIDATE.
public struct SessionValidity: JuteRecord, Hashable, Sendable {
  /// The session that was asked about.
  public var sessionID: SessionID
  /// Whether the session is alive, and may be served by the learner.
  public var isValid: Bool

  public init(sessionID: SessionID, isValid: Bool) {
    self.sessionID = sessionID
    self.isValid = isValid
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    sessionID = SessionID(rawValue: try reader.readLong())
    isValid = try reader.readBool()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(sessionID.rawValue)
    writer.writeBool(isValid)
  }
}
