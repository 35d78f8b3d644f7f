import Jute
import TestKit
import Testing
import ZooKeeperProtocol

/// The records in the data of quorum packets, against what Apache's servers sent, and against bytes written out here.
struct QuorumRecordTests {
  private static func packets(_ kind: QuorumPacket.Kind) -> [QuorumPacket] {
    // A packet that a tree follows is longer than a packet.
    QuorumVectors.all.transcripts.flatMap(\.packets).compactMap { try? QuorumPacket(decoding: $0.bytes) }
      .filter { $0.kind == kind }
  }

  @Test func leaderInfoIsThatOfApaches() throws {
    let packets = Self.packets(.leaderInfo)
    #expect(!packets.isEmpty)
    for packet in packets {
      let data = try #require(packet.data)
      #expect(try LeaderInfo(decoding: data).protocolVersion == LearnerInfo.currentVersion)
      #expect(LeaderInfo().encoded == data)
    }
    #expect(LeaderInfo().encoded == [0, 1, 0, 0])
  }

  @Test func epochAckIsThatOfApaches() throws {
    let packets = Self.packets(.ackEpoch)
    #expect(!packets.isEmpty)
    for packet in packets {
      let data = try #require(packet.data)
      #expect(try EpochAck(decoding: data).encoded == data)
    }
  }

  private static let acks: [(Int64?, [UInt8])] = [
    (nil, [0xff, 0xff, 0xff, 0xff]), (0, [0, 0, 0, 0]), (0x0102, [0, 0, 1, 2]),
  ]

  @Test(arguments: acks)
  func epochAckHasTheEpochOrNone(_ epoch: Int64?, _ bytes: [UInt8]) throws {
    let ack = EpochAck(currentEpoch: epoch.map(Epoch.init(rawValue:)))
    #expect(ack.encoded == bytes)
    #expect(try EpochAck(decoding: bytes) == ack)
    #expect(throws: JuteError.self) { try EpochAck(decoding: Array(bytes.dropLast())) }
  }

  @Test func activationHasTheLeaderAndTheTransaction() throws {
    let short = ConfigurationActivation(designatedLeader: ServerID(rawValue: 3))
    #expect(short.encoded == [0, 0, 0, 0, 0, 0, 0, 3])
    let long = ConfigurationActivation(designatedLeader: ServerID(rawValue: 258), txn: [7, 8, 9])
    #expect(long.encoded == [0, 0, 0, 0, 0, 0, 1, 2, 7, 8, 9])
    #expect(try ConfigurationActivation(decoding: short.encoded) == short)
    #expect(try ConfigurationActivation(decoding: long.encoded) == long)
    #expect(throws: JuteError.self) { try ConfigurationActivation(decoding: [0, 0, 0]) }
  }

  @Test func typeOfATransactionIsReadInPlace() {
    let header = TxnHeader(
      sessionID: SessionID(rawValue: -1), cxid: Xid(rawValue: -1), zxid: Zxid(rawValue: -1), timeMilliseconds: -1,
      opCode: .reconfig)
    #expect(TxnHeader.type(in: header.encoded) == OpCode.reconfig.rawValue)
    #expect(TxnHeader.type(in: Array(header.encoded.dropLast())) == nil)
  }
}
