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

  /// A learner that is early is heard when this server leads, and what it is answered leaves with the end of that turn.
  /// Without that, its synchronization would wait for whatever ends a turn next.
  @Test func whatWasHeldIsHandledInATurn() throws {
    let log = Log()
    let reports = QuorumConnection.Reports(
      onPacket: { packet, _ in log.entries.append("packet \(packet.type)") }, onTree: { _, _ in },
      onReadComplete: { log.entries.append("end of turn") }, onClosed: { _ in }, onBadBytes: { _, _ in },
      onUnreadableLog: { _, _, _ in }, onError: { _, _ in })
    let id = ServerID(rawValue: 1)
    let connection = QuorumConnection(
      ConnectionID(rawValue: 1), .caller, links: FaultyLinks(of: id), establishedMilliseconds: 0, isHeld: true,
      mayBeEncrypted: true, maxRequestBytes: 1 << 20, reports)
    let channel = EmbeddedChannel()
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.pipeline.syncOperations.addHandler(connection)
    var packet = JuteWriter()
    QuorumPacket(.followerInfo, zxid: .zero, data: []).encode(into: &packet)
    try channel.writeInbound(ByteBuffer(bytes: packet.takeBytes()))
    #expect(log.entries == ["end of turn"])
    connection.isHeld = false
    connection.readHeldPackets()
    #expect(log.entries == ["end of turn", "packet \(QuorumPacket.Kind.followerInfo.rawValue)", "end of turn"])
  }
}
