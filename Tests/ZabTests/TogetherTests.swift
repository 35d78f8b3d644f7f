import Testing
import Zab
import ZooKeeperProtocol

/// Packets that have arrived together are handled as if they had arrived one by one.
@Suite struct TogetherTests {
  private let link = ConnectionID(rawValue: 1)

  private func zxid(_ counter: Int64) -> Zxid { Zxid(rawValue: 1 << 32 | counter) }

  private func packets(_ text: String) -> [QuorumPacket] {
    text.split(separator: " ").map { word in
      let zxid = zxid(Int64(word.dropFirst()) ?? 0)
      return word.first == "p" ? QuorumPacket(.proposal, zxid: zxid, data: [1]) : QuorumPacket(.commit, zxid: zxid)
    }
  }

  /// A learner that the leader has begun to bring up to date.
  private func learner() -> ZabPeer {
    let voters = [1, 2, 3].map { ServerID(rawValue: $0) }
    let configuration = QuorumConfiguration(
      members: voters.map { .init(id: $0, addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)]) })
    let epoch = Epoch(rawValue: 1)
    var peer = ZabPeer(
      id: voters[0], configuration: configuration, settings: ZabSettings(), acceptedEpoch: epoch, currentEpoch: epoch,
      history: TxnHistory(base: .zero))
    var actions: [ZabAction] = []
    peer.step(.started, now: 0, into: &actions)
    for voter in voters[1...] {
      let notification = ElectionNotification(
        state: voter == voters[2] ? .leading : .following, leader: voters[2], zxid: .zero, round: 1, peerEpoch: epoch,
        configuration: nil)
      peer.step(.notification(notification, from: voter), now: 0, into: &actions)
    }
    peer.step(.leaderConnected(link), now: 0, into: &actions)
    let info = QuorumPacket(.leaderInfo, zxid: epoch.newLeaderZxid, data: [0, 1, 0, 0])
    peer.step(.received(info, link), now: 0, into: &actions)
    peer.step(.received(QuorumPacket(.diff, zxid: zxid(9)), link), now: 0, into: &actions)
    return peer
  }

  /// A leader with two followers, one of which writes slowly, so that its acknowledgements come together.
  private func cluster(together: Bool) -> Cluster {
    var cluster = Cluster()
    let lines = ["servers 3", "quiet", "start 1 2 3", "run", "hold 1", "hold 3"]
    for line in (together ? ["options together"] : []) + lines { _ = cluster.execute(line) }
    return cluster
  }

  /// The last of several acknowledgements includes the others: a leader that skips these commits and delivers the same.
  @Test func acknowledgementsIncludeEarlierOnes() throws {
    var (together, single) = (cluster(together: true), cluster(together: false))
    let leader = try #require(single.leader)
    let (some, more) = ("propose \(leader) 7", "propose \(leader) 5")
    for line in [some, "run", "sync 1", "run", more, "sync 1", "sync 3", "run", "status"] {
      #expect(together.execute(line) == single.execute(line), "\(line)")
    }
    #expect(together.delivered == single.delivered)
    #expect(together.delivered[leader]?.count == 12)
  }

  @Test(arguments: [
    "p1 c1 p2 c2 p3 c3", "p1 p2 p3 c3 p4", "c1", "p1 c2", "p1 c1 p3 c3 p4", "p1 p1 c1 c1 p2",
    // After a hole the leader is left, and what follows is ignored.
    "p1 p2 p9 c2 p3",
  ])
  func theSameAsOneByOne(_ text: String) {
    var (together, single) = (learner(), learner())
    #expect(together.leaderConnection == link)
    var (actions, expected) = ([] as [ZabAction], [] as [ZabAction])
    together.step(.receivedTogether(packets(text), link), now: 5, into: &actions)
    for packet in packets(text) { single.step(.received(packet, link), now: 5, into: &expected) }
    #expect(actions == expected && !actions.isEmpty)
    #expect(together == single)
    (actions, expected) = ([], [])
    together.step(.persisted(through: zxid(9)), now: 6, into: &actions)
    single.step(.persisted(through: zxid(9)), now: 6, into: &expected)
    #expect(actions == expected)
  }
}
