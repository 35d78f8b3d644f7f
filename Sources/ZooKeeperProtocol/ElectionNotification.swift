public import Jute

/// A vote of an election: the leader that a server proposes or, once it has one, the leader that it has.
///
/// *Shape*: 44 bytes and the configuration as text; older servers send 28 or 40 bytes.
///
/// *Source*: `org.apache.zookeeper.server.quorum.FastLeaderElection.buildMsg`; `QuorumProtocol` A.3.
public struct ElectionNotification: Hashable, Sendable {
  /// What the sender is doing.
  public enum State: Int32, Hashable, Sendable {
    /// It has no leader, and proposes one.
    case looking = 0
    /// It follows the leader that it names.
    case following = 1
    /// It leads, and names itself.
    case leading = 2
    /// It has no vote, and learns from the leader that it names.
    case observing = 3
  }

  /// What the sender is doing.
  public var state: State
  /// The leader that the sender proposes or has.
  public var leader: ServerID
  /// The last transaction of that leader when the sender learned of it.
  public var zxid: Zxid
  /// The sender's logical clock: the number of its election.
  public var round: Int64
  /// The epoch of that leader's history.
  public var peerEpoch: Epoch
  /// 2 today, 0 for messages of servers before 3.5.
  public var version: Int32
  /// The sender's committed configuration as text; nil from old servers.
  public var configuration: String?

  /// The version that this program sends.
  public static let currentVersion: Int32 = 2
  /// The largest message, in bytes, without its length.
  public static let maxLengthBytes = 524_288

  /// A message of today's form.
  public init(
    state: State, leader: ServerID, zxid: Zxid, round: Int64, peerEpoch: Epoch, configuration: String?
  ) {
    self.state = state
    self.leader = leader
    self.zxid = zxid
    self.round = round
    self.peerEpoch = peerEpoch
    version = Self.currentVersion
    self.configuration = configuration
  }
}

extension ElectionNotification: JuteRecord {
  private static let shortLengthBytes = 28
  private static let middleLengthBytes = 40
  private static let longLengthBytes = 44

  /// Decodes a whole message. Which of the three forms it has follows from its length.
  ///
  /// - Throws: `unknownValue` for an unknown state; `truncated` for a length that no server sends.
  public init(from reader: inout JuteReader) throws(JuteError) {
    let length = reader.remainingBytes
    let number = try reader.readInt()
    guard let state = State(rawValue: number) else {
      throw JuteError(.unknownValue(Int(number)), offset: reader.offset)
    }
    self.state = state
    leader = ServerID(rawValue: try reader.readLong())
    zxid = Zxid(rawValue: try reader.readLong())
    round = try reader.readLong()
    version = 0
    configuration = nil
    guard length != Self.shortLengthBytes else {
      peerEpoch = Epoch(rawValue: zxid.rawValue >> 32)
      return
    }
    peerEpoch = Epoch(rawValue: try reader.readLong())
    let found = try reader.readInt()
    guard length != Self.middleLengthBytes else { return }
    version = found
    guard length >= Self.longLengthBytes else {
      throw JuteError(.truncated(missingBytes: Self.longLengthBytes - length), offset: reader.offset)
    }
    if version > 1 { configuration = try reader.readString() }
  }

  /// Appends a message of today's form, without its length.
  public func encode(into writer: inout JuteWriter) {
    writer.writeInt(state.rawValue)
    writer.writeLong(leader.rawValue)
    writer.writeLong(zxid.rawValue)
    writer.writeLong(round)
    writer.writeLong(peerEpoch.rawValue)
    writer.writeInt(version)
    writer.writeString(configuration ?? "")
  }
}

/// The first bytes of a connection between two servers' election ports: who opened it, and where that server listens.
///
/// *Shape*: version (long), server (long), addresses (string of UTF-8, `host:port`, several with `|` between).
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumCnxManager.InitialMessage`; `QuorumProtocol` A.2.
public struct ElectionGreeting: Hashable, Sendable {
  /// The server that opened the connection.
  public var serverID: ServerID
  /// Where that server accepts connections for elections. Empty from servers before 3.5, which do not say it, and if
  /// all that was sent are wildcards.
  public var addresses: [ServerAddress]

  /// One address, since 3.5.
  public static let versionOne: Int64 = -65536
  /// Several addresses, since 3.6.
  public static let versionTwo: Int64 = -65535
  private static let maxAddressBytes = 2048
  private static let fixedLengthBytes = 20

  /// A greeting of the form that has as many addresses.
  public init(serverID: ServerID, addresses: [ServerAddress]) {
    self.serverID = serverID
    self.addresses = addresses
  }

  /// The bytes to send, in one go.
  public var encoded: [UInt8] {
    var writer = JuteWriter()
    writer.writeLong(addresses.count > 1 ? Self.versionTwo : Self.versionOne)
    writer.writeLong(serverID.rawValue)
    writer.writeString(addresses.map(\.description).joined(separator: "|"))
    return writer.takeBytes()
  }

  /// The greeting at the start of `bytes` and its length; nil while it is incomplete.
  ///
  /// - Throws: `unknownValue` for an unknown version, `tooLarge` for a length of addresses outside 1 to 2,048.
  public static func first(
    in bytes: UnsafeRawBufferPointer
  ) throws(JuteError) -> (greeting: ElectionGreeting, lengthBytes: Int)? {
    guard bytes.count >= 8 else { return nil }
    let version = bytes.loadBigEndian(at: 0, as: Int64.self)
    // Servers before 3.5 send their id alone.
    if version >= 0 { return (ElectionGreeting(serverID: ServerID(rawValue: version), addresses: []), 8) }
    guard version == versionOne || version == versionTwo else {
      throw JuteError(.unknownValue(Int(version)), offset: 0)
    }
    guard bytes.count >= fixedLengthBytes else { return nil }
    let id = ServerID(rawValue: bytes.loadBigEndian(at: 8, as: Int64.self))
    let length = Int(bytes.loadBigEndian(at: 16, as: Int32.self))
    guard length > 0, length <= maxAddressBytes else {
      throw JuteError(.tooLarge(lengthBytes: length, limitBytes: maxAddressBytes), offset: 16)
    }
    guard bytes.count >= fixedLengthBytes + length else { return nil }
    let text = String(
      decoding: UnsafeRawBufferPointer(rebasing: bytes[fixedLengthBytes..<(fixedLengthBytes + length)]), as: UTF8.self)
    // A wildcard says which addresses the server listens on, and is no address to connect to.
    let addresses = text.split(separator: "|").compactMap { ServerAddress(parsing: String($0)) }
      .filter { !$0.isWildcard }
    return (ElectionGreeting(serverID: id, addresses: addresses), fixedLengthBytes + length)
  }
}
