import Jute
import Testing
import Zab
import ZooKeeperProtocol

/// How a server handles configurations in a leader's tree, in NEWLEADER and in transactions.
struct ConfigurationTests {
  private let link = ConnectionID(rawValue: 1)
  private var peer: ZabPeer
  private var actions: [ZabAction] = []

  private static func configuration(_ voters: ClosedRange<Int64>, version: Int64) -> QuorumConfiguration {
    let members = voters.map { id in
      QuorumConfiguration.Member(
        id: ServerID(rawValue: id), addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)])
    }
    return QuorumConfiguration(members: members, version: version)
  }

  /// Server 3 of 1 to 3 follows server 2, whose epoch is 2; the synchronization is about to begin.
  init() throws {
    peer = ZabPeer(
      id: ServerID(rawValue: 3), configuration: Self.configuration(1...3, version: 0), settings: ZabSettings(),
      acceptedEpoch: Epoch(rawValue: 1), currentEpoch: Epoch(rawValue: 1), history: TxnHistory(base: .zero))
    step(.started)
    for voter: Int64 in [1, 2] {
      let notification = ElectionNotification(
        state: voter == 2 ? .leading : .following, leader: ServerID(rawValue: 2), zxid: .zero, round: 1,
        peerEpoch: Epoch(rawValue: 1), configuration: nil)
      step(.notification(notification, from: ServerID(rawValue: voter)))
    }
    step(.leaderConnected(link))
    receive(QuorumPacket(.leaderInfo, zxid: Epoch(rawValue: 2).newLeaderZxid, data: [0, 1, 0, 0]))
    step(.acceptedEpochSaved(Epoch(rawValue: 2)))
    try #require(peer.role == .following(ServerID(rawValue: 2)))
  }

  private mutating func step(_ event: ZabEvent, now: Int64 = 0) { peer.step(event, now: now, into: &actions) }

  private mutating func receive(_ packet: QuorumPacket) { step(.received(packet, link)) }

  /// A vote for server 3, the round and history as server 3 itself has them.
  private mutating func vote(from server: Int64, round: Int64) {
    let notification = ElectionNotification(
      state: .looking, leader: ServerID(rawValue: 3), zxid: peer.history.last, round: round,
      peerEpoch: peer.currentEpoch, configuration: nil)
    step(.notification(notification, from: ServerID(rawValue: server)), now: 100)
  }

  private var round: Int64? {
    actions.lazy.compactMap { action in
      if case .transport(.sendNotification(let notification, _)) = action { notification.round } else { nil }
    }.first
  }

  /// A leader's tree can contain a configuration that is not committed. A server that is elected with that tree needs a
  /// quorum of that configuration too.
  @Test mutating func aSnapshotBringsAProposedConfiguration() throws {
    let zxid = Zxid(rawValue: 0x1_0000_0009)
    receive(QuorumPacket(.snap, zxid: zxid))
    step(.snapshotInstalled(zxid, Self.configuration(1...4, version: 0x1_0000_0007)))
    #expect(peer.hasPendingConfiguration)
    actions = []
    step(.disconnected(link))
    let round = try #require(round)
    vote(from: 1, round: round)
    step(.tick, now: 1000)
    #expect(peer.role == .looking, "two of the three old voters are no quorum of the four new ones")
    vote(from: 4, round: round)
    step(.tick, now: 2000)
    #expect(peer.role == .leading)
  }

  /// A configuration in a tree that is already committed is not treated as proposed.
  @Test mutating func aSnapshotOfTheSameConfigurationChangesNothing() {
    let zxid = Zxid(rawValue: 0x1_0000_0009)
    receive(QuorumPacket(.snap, zxid: zxid))
    step(.snapshotInstalled(zxid, Self.configuration(1...3, version: 0)))
    #expect(!peer.hasPendingConfiguration)
  }

  /// The first configuration has no version. If reconfiguration is enabled, the first leader gives it one.
  @Test(arguments: [(0, true, 0x1_0000_0000), (0, false, 0), (7, true, 7)] as [(Int64, Bool, Int64)])
  func theFirstConfigurationGetsAVersion(_ version: Int64, _ isReconfigEnabled: Bool, _ expected: Int64) {
    var settings = ZabSettings()
    settings.isReconfigEnabled = isReconfigEnabled
    var peer = ZabPeer(
      id: ServerID(rawValue: 1), configuration: Self.configuration(1...1, version: version), settings: settings,
      acceptedEpoch: .zero, currentEpoch: .zero, history: TxnHistory(base: .zero))
    var actions: [ZabAction] = []
    var activated: [Int64] = []
    peer.step(.started, now: 0, into: &actions)
    while !actions.isEmpty {
      switch actions.removeFirst() {
      case .storage(.saveAcceptedEpoch(let epoch)): peer.step(.acceptedEpochSaved(epoch), now: 0, into: &actions)
      case .storage(.saveCurrentEpoch(let epoch)): peer.step(.currentEpochSaved(epoch), now: 0, into: &actions)
      case .activate(let configuration): activated.append(configuration.version)
      default: break
      }
    }
    #expect(peer.isServing && peer.configuration.version == expected)
    #expect(activated == (expected == version ? [] : [expected]))
    #expect(!peer.hasPendingConfiguration)
  }

  /// A server that does not know which votes count must stop, and must not acknowledge the transaction.
  @Test mutating func aConfigurationThatCannotBeReadEndsTheServer() throws {
    receive(QuorumPacket(.diff, zxid: .zero))
    actions = []
    let header = TxnHeader(
      sessionID: SessionID(rawValue: 1), cxid: Xid(rawValue: 1), zxid: Zxid(rawValue: 0x2_0000_0001),
      timeMilliseconds: 1, opCode: .reconfig)
    let body = SetDataTxn(path: "/zookeeper/config", data: Array("server.1=nonsense".utf8), version: -1)
    var writer = JuteWriter()
    header.encode(into: &writer)
    body.encode(into: &writer)
    receive(QuorumPacket(.proposal, zxid: header.zxid, data: writer.bytes))
    let failure = try #require(actions.firstIndex { if case .failed = $0 { true } else { false } })
    let append = actions.firstIndex { if case .storage(.append) = $0 { true } else { false } }
    #expect(append == nil || failure < append!)
    guard case .failed(let reason) = actions[failure] else { return }
    #expect(reason.contains("0x200000001") && reason.contains("configuration"))
  }
}
