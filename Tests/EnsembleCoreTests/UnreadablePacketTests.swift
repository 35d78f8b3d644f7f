import EnsembleCore
import ServerCore
import Testing
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// A packet that cannot be decoded ends its connection: otherwise a client could wait for an answer indefinitely.
struct UnreadablePacketTests {
  private static let link = ConnectionID(rawValue: 7)
  private static let time = ServerTime(monotonicMilliseconds: 1, wallMilliseconds: 1)
  private static let members = (1...2).map { id in
    QuorumConfiguration.Member(
      id: ServerID(rawValue: Int64(id)), addresses: [.init(host: "h\(id)", quorumPort: 1, electionPort: 2)],
      isObserver: id == 2)
  }

  private static func member(_ id: Int64) -> EnsembleMember {
    let zab = ZabPeer(
      id: ServerID(rawValue: id), configuration: QuorumConfiguration(members: members), settings: ZabSettings(),
      acceptedEpoch: .zero, currentEpoch: .zero, history: TxnHistory(base: .zero))
    return EnsembleMember(
      zab, state: RecoveredState(tree: DataTree(hashSeed: 1), sessions: [:]), settings: ServerSettings())
  }

  /// Handles an event with a disk that never fails, and returns the other effects.
  private static func step(_ member: EnsembleMember, _ event: ZabEvent) -> [DriverEffect] {
    member.step(event, time)
    var (others, effects): ([DriverEffect], [MemberEffect]) = ([], [])
    while member.takeEffects(into: &effects) {
      for effect in effects {
        switch effect {
        case .storage(.saveAcceptedEpoch(let epoch)): member.step(.acceptedEpochSaved(epoch), time)
        case .storage(.saveCurrentEpoch(let epoch)): member.step(.currentEpochSaved(epoch), time)
        case .storage(.append(let entry)): member.step(.persisted(through: entry.zxid), time)
        case .driver(let effect): others.append(effect)
        default: break
        }
      }
    }
    return others
  }

  private static func receive(_ member: EnsembleMember, _ packet: QuorumPacket) -> [DriverEffect] {
    step(member, .received(packet, link))
  }

  /// A leader that has brought one observer up to date.
  private static func leader() throws -> EnsembleMember {
    let member = member(1)
    _ = step(member, .started)
    try #require(member.zab.role == .leading && member.core != nil)
    _ = step(member, .learnerConnected(link))
    let info = LearnerInfo(serverID: ServerID(rawValue: 2), configurationVersion: 0)
    _ = receive(member, QuorumPacket(.observerInfo, zxid: .zero, data: info.encoded))
    _ = receive(member, QuorumPacket(.ackEpoch, zxid: .zero, data: [0, 0, 0, 0]))
    let epoch = try #require(member.zab.servingEpoch)
    _ = receive(member, QuorumPacket(.ack, zxid: epoch.newLeaderZxid))
    try #require(member.zab.syncedLearners.observers == [ServerID(rawValue: 2)])
    return member
  }

  @Test(arguments: [QuorumPacket.Kind.request, .revalidate, .ping])
  func whatALearnerSaysEndsItsConnection(_ kind: QuorumPacket.Kind) throws {
    let member = try Self.leader()
    let effects = Self.receive(member, QuorumPacket(kind, zxid: Zxid(rawValue: -1), data: [1, 2, 3]))
    #expect(effects.contains(.transport(.close(Self.link))))
    #expect(member.zab.learnerConnections.isEmpty)
    #expect(member.zab.role == .leading && member.core != nil, "nobody else is harmed")
  }

  @Test func whatCanBeReadDoesNot() throws {
    let member = try Self.leader()
    let effects = Self.receive(member, QuorumPacket(.ping, zxid: .zero, data: []))
    #expect(!effects.contains(.transport(.close(Self.link))))
    #expect(member.zab.learnerConnections == [Self.link])
  }

  /// An observer that has received all that it lacks, and expects NEWLEADER.
  private static func learner(of epoch: Epoch) -> EnsembleMember {
    let member = member(2)
    _ = step(member, .started)
    let notification = ElectionNotification(
      state: .leading, leader: ServerID(rawValue: 1), zxid: .zero, round: 1, peerEpoch: epoch, configuration: nil)
    _ = step(member, .notification(notification, from: ServerID(rawValue: 1)))
    _ = step(member, .leaderConnected(link))
    _ = receive(member, QuorumPacket(.leaderInfo, zxid: epoch.newLeaderZxid, data: [0, 1, 0, 0]))
    _ = receive(member, QuorumPacket(.diff, zxid: .zero))
    return member
  }

  @Test func aConfigurationThatCannotBeReadEndsTheConnection() throws {
    let epoch = Epoch(rawValue: 1)
    let member = Self.learner(of: epoch)
    try #require(member.zab.leaderConnection == Self.link)
    let packet = QuorumPacket(.newLeader, zxid: epoch.newLeaderZxid, data: Array("server.1=nowhere".utf8))
    #expect(Self.receive(member, packet).contains(.transport(.close(Self.link))))
    #expect(member.zab.role == .looking)
  }

  @Test func whatALeaderSaysEndsTheConnection() throws {
    let epoch = Epoch(rawValue: 1)
    let member = Self.learner(of: epoch)
    _ = Self.receive(member, QuorumPacket(.newLeader, zxid: epoch.newLeaderZxid))
    _ = Self.receive(member, QuorumPacket(.upToDate, zxid: Zxid(rawValue: -1)))
    weak let core = member.core
    try #require(core != nil)
    let effects = Self.receive(member, QuorumPacket(.revalidate, zxid: Zxid(rawValue: -1), data: [1]))
    #expect(core == nil, "whoever serves no more keeps nothing of it")
    #expect(effects.contains(.transport(.close(Self.link))))
    #expect(member.zab.role == .looking)
  }
}
