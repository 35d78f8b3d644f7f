import TestKit
import Testing
import Zab
import ZooKeeperProtocol

/// This learner sends the same packets to a leader of Apache's as Apache's learner did.
struct TranscriptTests {
  private static let configuration = QuorumConfiguration(
    members: (1...3).map {
      .init(id: ServerID(rawValue: $0), addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)])
    })
  private let link = ConnectionID(rawValue: 1)

  private func packets(_ name: String) throws -> [QuorumVectors.Transcript.Packet] {
    try #require(QuorumVectors.all.transcripts.first { $0.name.contains(name) }).packets
  }

  /// A learner that has just connected to the leader of a transcript, with the history that its first packets report.
  private func learner(_ packets: [QuorumVectors.Transcript.Packet]) throws -> (ZabPeer, [ZabAction]) {
    let info = try QuorumPacket(decoding: packets[0].bytes)
    let acknowledgement = try QuorumPacket(decoding: packets[2].bytes)
    let id = try LearnerInfo(decoding: info.data ?? []).serverID
    let epoch = Epoch(rawValue: Int64(info.zxid.epoch))
    let before = Zxid(rawValue: max(0, acknowledgement.zxid.rawValue - 1))
    var history = TxnHistory(base: before)
    if acknowledgement.zxid > .zero { history.append(.init(zxid: acknowledgement.zxid, bytes: [])) }
    var peer = ZabPeer(
      id: id, configuration: Self.configuration, settings: ZabSettings(), acceptedEpoch: epoch, currentEpoch: epoch,
      history: history)
    var actions: [ZabAction] = []
    peer.step(.started, now: 0, into: &actions)
    for voter in Self.configuration.voters where voter != id {
      let leads = voter == Self.configuration.voters.last { $0 != id }
      let leader = Self.configuration.voters.last { $0 != id } ?? voter
      peer.step(
        .notification(
          ElectionNotification(
            state: leads ? .leading : .following, leader: leader, zxid: .zero, round: 1, peerEpoch: epoch,
            configuration: nil), from: voter), now: 0, into: &actions)
    }
    actions = []
    peer.step(.leaderConnected(link), now: 0, into: &actions)
    return (peer, actions)
  }

  /// Plays a transcript against a learner with a quick disk.
  private func replay(_ name: String) throws -> (said: [QuorumPacket], expected: [QuorumPacket]) {
    let packets = try packets(name)
    var (peer, actions) = try learner(packets)
    var said: [QuorumPacket] = []
    var expected: [QuorumPacket] = []
    func settle() {
      while !actions.isEmpty {
        let action = actions.removeFirst()
        switch action {
        case .transport(.send(let packet, _)): said.append(packet)
        case .storage(.append(let entry)): peer.step(.persisted(through: entry.zxid), now: 0, into: &actions)
        case .storage(.saveAcceptedEpoch(let epoch)): peer.step(.acceptedEpochSaved(epoch), now: 0, into: &actions)
        case .storage(.saveCurrentEpoch(let epoch)): peer.step(.currentEpochSaved(epoch), now: 0, into: &actions)
        case .storage(.truncate(let zxid, _)): peer.step(.truncated(zxid), now: 0, into: &actions)
        default: break
        }
      }
    }
    settle()
    for packet in packets {
      let decoded = try QuorumPacket(decoding: packet.bytes)
      if packet.isFromLearner {
        expected.append(decoded)
      } else {
        peer.step(.received(decoded, link), now: 0, into: &actions)
        settle()
      }
    }
    #expect(peer.isServing)
    return (said, expected)
  }

  @Test(arguments: ["first start, empty DIFF", "3.9.5 follower, DIFF", "old leader returns, TRUNC"])
  func learnerSaysWhatApachesSays(_ name: String) throws {
    let (said, expected) = try replay(name)
    // Later packets are requests of clients, and a capture may end before the last answer.
    let kinds: Set<QuorumPacket.Kind> = [.followerInfo, .ackEpoch, .ack]
    let ours = said.filter { $0.kind.map(kinds.contains) == true }
    let apaches = expected.filter { $0.kind.map(kinds.contains) == true }
    #expect(apaches.count >= 4)
    #expect(Array(ours.prefix(apaches.count)) == apaches)
    #expect(ours.count - apaches.count <= 1)
  }
}
