import Jute
import NIOCore
import NIOEmbedded
import Testing
import Zab
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// One connection between a leader and a learner.
struct QuorumConnectionTests {
  /// What a connection has reported, in order.
  private final class Log {
    var entries: [String] = []
  }

  /// A connection on which nothing has arrived, and what it will report.
  private static func connection(
    _ peer: QuorumConnection.Peer, isHeld: Bool
  ) throws -> (QuorumConnection, EmbeddedChannel, Log) {
    let log = Log()
    let reports = QuorumConnection.Reports(
      onPacket: { packet, _ in log.entries.append("packet \(packet.type)") },
      onPackets: { packets, _ in log.entries.append("packets \(packets.map(\.zxid.rawValue))") }, onTree: { _, _ in },
      onReadComplete: { log.entries.append("end of turn") }, onClosed: { _ in },
      onBadBytes: { _, _ in log.entries.append("bad bytes") }, onUnreadableLog: { _, _, _ in }, onError: { _, _ in })
    let connection = QuorumConnection(
      ConnectionID(rawValue: 1), peer, links: FaultyLinks(of: ServerID(rawValue: 1)), establishedMilliseconds: 0,
      isHeld: isHeld, mayBeEncrypted: true, maxRequestBytes: 1 << 20, reports)
    let channel = EmbeddedChannel()
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.pipeline.syncOperations.addHandler(connection)
    return (connection, channel, log)
  }

  private static func bytes(_ packets: [(QuorumPacket.Kind, Int64)]) -> ByteBuffer {
    var writer = JuteWriter()
    for (kind, zxid) in packets { QuorumPacket(kind, zxid: Zxid(rawValue: zxid), data: [7]).encode(into: &writer) }
    return ByteBuffer(bytes: writer.takeBytes())
  }

  /// A learner that is early is heard when this server leads, and what it is answered leaves with the end of that turn.
  /// Without that, its synchronization would wait for whatever ends a turn next.
  @Test func whatWasHeldIsHandledInATurn() throws {
    let (connection, channel, log) = try Self.connection(.caller, isHeld: true)
    try channel.writeInbound(Self.bytes([(.followerInfo, 0)]))
    #expect(log.entries == ["end of turn"])
    connection.isHeld = false
    connection.readHeldPackets()
    #expect(log.entries == ["end of turn", "packet \(QuorumPacket.Kind.followerInfo.rawValue)", "end of turn"])
  }

  /// PROPOSALs and COMMITs of a leader are reported together, in their order among the other packets, and before
  /// something invalid that follows them.
  @Test func whatALeaderSendsTogetherIsReportedTogether() throws {
    let (_, channel, log) = try Self.connection(.leader, isHeld: false)
    try channel.writeInbound(
      Self.bytes([
        (.diff, 3), (.proposal, 1), (.commit, 1), (.proposal, 2), (.newLeader, 3), (.commit, 2), (.ping, 4),
      ]))
    let (diff, newLeader) = (QuorumPacket.Kind.diff.rawValue, QuorumPacket.Kind.newLeader.rawValue)
    let (commit, ping) = (QuorumPacket.Kind.commit.rawValue, QuorumPacket.Kind.ping.rawValue)
    let expected = ["packet \(diff)", "packets [1, 1, 2]", "packet \(newLeader)", "packet \(commit)", "packet \(ping)"]
    #expect(log.entries == expected + ["end of turn"])
    log.entries = []
    var last = Self.bytes([(.proposal, 5), (.commit, 5)])
    last.writeBytes([UInt8](repeating: 0xfe, count: 40))
    try channel.writeInbound(last)
    #expect(log.entries == ["packets [5, 5]", "bad bytes", "end of turn"])
  }

  /// A learner's packets are reported one by one: each may be refused because of the one before.
  @Test func whatALearnerSendsIsReportedOneByOne() throws {
    let (_, channel, log) = try Self.connection(.caller, isHeld: false)
    try channel.writeInbound(Self.bytes([(.proposal, 1), (.commit, 1)]))
    #expect(log.entries.count == 3 && !log.entries[0].hasPrefix("packets"))
  }
}
