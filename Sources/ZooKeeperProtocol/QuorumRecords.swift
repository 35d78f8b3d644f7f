public import Jute

/// The data of LEADERINFO: which version of the protocol the leader speaks. Its epoch is in the packet's zxid.
///
/// *Shape*: version (int).
///
/// *Source*: `LearnerHandler.run`; `QuorumProtocol` B.3.
public struct LeaderInfo: JuteRecord, Hashable, Sendable {
  /// What the leader speaks; see `LearnerInfo.currentVersion`.
  public var protocolVersion: Int32

  /// The current version, unless another one is given.
  public init(protocolVersion: Int32 = LearnerInfo.currentVersion) { self.protocolVersion = protocolVersion }

  public init(from reader: inout JuteReader) throws(JuteError) { protocolVersion = try reader.readInt() }

  public func encode(into writer: inout JuteWriter) { writer.writeInt(protocolVersion) }
}

/// The data of ACKEPOCH: a learner promises to follow an epoch. The end of its history is in the packet's zxid.
///
/// *Shape*: current epoch (int), -1 where the promise does not count.
///
/// *Source*: `Learner.registerWithLeader`; `QuorumProtocol` B.3.
public struct EpochAck: JuteRecord, Hashable, Sendable {
  /// The epoch of the history that the learner has; nil if it has promised to follow this epoch before, perhaps to
  /// another leader, so that the promise does not count a second time.
  public var currentEpoch: Epoch?

  /// A promise of a learner with the history of `currentEpoch`.
  public init(currentEpoch: Epoch?) { self.currentEpoch = currentEpoch }

  public init(from reader: inout JuteReader) throws(JuteError) {
    let epoch = try reader.readInt()
    currentEpoch = epoch == -1 ? nil : Epoch(rawValue: Int64(epoch))
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(currentEpoch.map { Int32(truncatingIfNeeded: $0.rawValue) } ?? -1)
  }
}

/// The data of COMMITANDACTIVATE and INFORMANDACTIVATE: a new configuration is committed, and active from here on.
///
/// *Shape*: the server that leads under it (long), and for INFORMANDACTIVATE the transaction, to the end.
///
/// *Source*: `Leader.commitAndActivate`, `informAndActivate`; `QuorumProtocol` B.14.
public struct ConfigurationActivation: JuteRecord, Hashable, Sendable {
  /// The server that leads under the new configuration.
  public var designatedLeader: ServerID
  /// The transaction that brings the configuration; empty for servers that have it already.
  public var txn: [UInt8]

  /// An order for a follower, which has the transaction, or with `txn` for an observer.
  public init(designatedLeader: ServerID, txn: [UInt8] = []) {
    self.designatedLeader = designatedLeader
    self.txn = txn
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    designatedLeader = ServerID(rawValue: try reader.readLong())
    txn = [UInt8](try reader.readFixedBlock(count: reader.remainingBytes))
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(designatedLeader.rawValue)
    writer.writeRaw(txn)
  }
}

extension TxnHeader {
  /// The operation's number in an encoded transaction, without decoding the rest; nil if it is too short to have one.
  public static func type(in entry: [UInt8]) -> Int32? {
    guard entry.count >= encodedSizeBytes else { return nil }
    return entry.withUnsafeBytes { $0.loadBigEndian(at: encodedSizeBytes - 4, as: Int32.self) }
  }
}

/// A step of SASL between two servers, before anything else on their connection.
///
/// Its magic number is neither the length of an election message nor the type of a packet.
///
/// *Source*: `org.apache.zookeeper.server.quorum.auth.QuorumAuth`.
public struct QuorumAuthPacket: JuteRecord, Hashable, Sendable {
  /// Where the exchange is.
  public enum Status: Int32, Sendable {
    case inProgress = 0
    case success = 1
    case error = -1
  }

  /// What every packet begins with.
  public static let magic: Int64 = 0x5f24_3501_3501_edcc

  public var status: Status
  public var token: [UInt8]?

  public init(status: Status, token: [UInt8]?) {
    self.status = status
    self.token = token
  }

  public init(from reader: inout JuteReader) throws(JuteError) {
    let magic = try reader.readLong()
    guard magic == Self.magic else { throw JuteError(.unknownValue(Int(magic)), offset: 0) }
    let number = try reader.readInt()
    guard let status = Status(rawValue: number) else { throw JuteError(.unknownValue(Int(number)), offset: 8) }
    self.status = status
    token = try reader.readBuffer()
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeLong(Self.magic)
    writer.writeInt(status.rawValue)
    writer.writeBuffer(token)
  }
}
