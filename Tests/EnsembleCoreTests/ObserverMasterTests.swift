import EnsembleCore
import ServerCore
import Testing
import Zab
import ZnodeTree
import ZooKeeperProtocol

/// What a follower does for its observers, and what it passes on between them and the leader.
struct ObserverMasterTests {
  private static let leader = ConnectionID(rawValue: 7)
  private static let observer = ConnectionID(rawValue: 9)
  private static let time = ServerTime(monotonicMilliseconds: 1, wallMilliseconds: 1)
  private static let epoch = Epoch(rawValue: 1)
  private static let session = SessionID(rawValue: 0x300)
  private static let request = Zxid(rawValue: -1)

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

  private static func receive(
    _ member: EnsembleMember, _ packet: QuorumPacket, on link: ConnectionID = leader
  ) -> [DriverEffect] { step(member, .received(packet, link)) }

  private static func sent(_ effects: [DriverEffect], on link: ConnectionID) -> [QuorumPacket] {
    effects.compactMap { effect in
      if case .transport(.send(let packet, link)) = effect { packet } else { nil }
    }
  }

  /// Server 1, which follows server 3.
  private static func follower() throws -> EnsembleMember {
    var settings = ZabSettings()
    settings.hasObserverMasters = true
    let members = (1...4).map { id in
      QuorumConfiguration.Member(
        id: ServerID(rawValue: Int64(id)), addresses: [.init(host: "h\(id)", quorumPort: 1, electionPort: 2)],
        isObserver: id == 4)
    }
    let zab = ZabPeer(
      id: ServerID(rawValue: 1), configuration: QuorumConfiguration(members: members), settings: settings,
      acceptedEpoch: .zero, currentEpoch: .zero, history: TxnHistory(base: .zero))
    let member = EnsembleMember(
      zab, state: RecoveredState(tree: DataTree(hashSeed: 1), sessions: [session: 30_000]), settings: ServerSettings())
    _ = step(member, .started)
    for (id, state) in [(2, ElectionNotification.State.following), (3, .leading)] {
      let notification = ElectionNotification(
        state: state, leader: ServerID(rawValue: 3), zxid: .zero, round: 1, peerEpoch: epoch, configuration: nil)
      _ = step(member, .notification(notification, from: ServerID(rawValue: Int64(id))))
    }
    try #require(member.zab.role == .following(ServerID(rawValue: 3)))
    _ = step(member, .leaderConnected(leader))
    _ = receive(member, QuorumPacket(.leaderInfo, zxid: epoch.newLeaderZxid, data: [0, 1, 0, 0]))
    _ = receive(member, QuorumPacket(.diff, zxid: .zero))
    _ = receive(member, QuorumPacket(.newLeader, zxid: epoch.newLeaderZxid))
    _ = receive(member, QuorumPacket(.upToDate, zxid: request))
    try #require(member.core != nil)
    return member
  }

  /// Connects an observer whose history ends with a transaction, up to its promise.
  private static func connect(_ member: EnsembleMember, last: Zxid = .zero) -> [DriverEffect] {
    var effects = step(member, .observerConnected(observer))
    let info = LearnerInfo(serverID: ServerID(rawValue: 4), configurationVersion: 0)
    effects += receive(member, QuorumPacket(.observerInfo, zxid: .zero, data: info.encoded), on: observer)
    return effects + receive(member, QuorumPacket(.ackEpoch, zxid: last, data: [0, 0, 0, 0]), on: observer)
  }

  /// A follower that has brought an observer up to date.
  private static func master() throws -> EnsembleMember {
    let member = try follower()
    #expect(sent(connect(member), on: observer).map(\.kind) == [.leaderInfo, .diff, .newLeader])
    let packets = sent(receive(member, QuorumPacket(.ack, zxid: epoch.newLeaderZxid), on: observer), on: observer)
    #expect(packets.map(\.kind) == [.upToDate])
    try #require(member.zab.syncedLearners.observers == [ServerID(rawValue: 4)])
    return member
  }

  private static func proposal(_ counter: Int64) -> QuorumPacket {
    let zxid = Zxid(rawValue: epoch.newLeaderZxid.rawValue + counter)
    let entry = TxnEntry(
      header: TxnHeader(
        sessionID: session, cxid: Xid(rawValue: 1), zxid: zxid, timeMilliseconds: 0, opCode: .error),
      txn: .error(.noNode), digest: nil)
    return QuorumPacket(.proposal, zxid: zxid, data: entry.encoded)
  }

  @Test func observersAreToldWhatIsCommitted() throws {
    let member = try Self.master()
    let proposal = Self.proposal(1)
    #expect(Self.sent(Self.receive(member, proposal), on: Self.observer) == [])
    let told = Self.sent(Self.receive(member, QuorumPacket(.commit, zxid: proposal.zxid)), on: Self.observer)
    #expect(told == [QuorumPacket(.inform, zxid: proposal.zxid, data: proposal.data)])
  }

  @Test func anObserverThatIsAheadWaits() throws {
    let member = try Self.follower()
    let proposal = Self.proposal(1)
    #expect(Self.sent(Self.connect(member, last: proposal.zxid), on: Self.observer).map(\.kind) == [.leaderInfo])
    _ = Self.receive(member, proposal)
    let packets = Self.sent(Self.receive(member, QuorumPacket(.commit, zxid: proposal.zxid)), on: Self.observer)
    #expect(packets.map(\.kind) == [.diff, .newLeader])
  }

  @Test func requestsAndSyncsGoToTheLeaderAndBack() throws {
    let member = try Self.master()
    for type in [OpCode.create, .sync] {
      let request = ForwardedRequest(
        sessionID: Self.session, xid: Xid(rawValue: 5), type: type.rawValue, body: [1, 2])
      let packet = QuorumPacket(
        .request, zxid: Self.request, data: request.encoded, identities: [Identity(scheme: "ip", id: "::1")])
      #expect(Self.sent(Self.receive(member, packet, on: Self.observer), on: Self.leader) == [packet])
    }
    let answer = QuorumPacket(.sync, zxid: .zero)
    #expect(Self.sent(Self.receive(member, answer), on: Self.observer) == [answer])
    #expect(Self.sent(Self.receive(member, answer), on: Self.observer) == [], "this one is the follower's own")
  }

  @Test func sessionsAreAskedForAtTheLeader() throws {
    let member = try Self.master()
    let touch = SessionTouch(sessionID: Self.session, timeoutMilliseconds: 30_000)
    let question = QuorumPacket(.revalidate, zxid: Self.request, data: touch.encoded)
    #expect(Self.sent(Self.receive(member, question, on: Self.observer), on: Self.leader) == [question])
    let validity = SessionValidity(sessionID: Self.session, isValid: true)
    let answer = QuorumPacket(.revalidate, zxid: Self.request, data: validity.encoded)
    #expect(Self.sent(Self.receive(member, answer), on: Self.observer) == [answer])
  }

  @Test func theLeaderHearsOfTheSessionsOfObservers() throws {
    let member = try Self.master()
    let known = SessionTouch(sessionID: Self.session, timeoutMilliseconds: 30_000).encoded
    let unknown = SessionTouch(sessionID: SessionID(rawValue: 0x999), timeoutMilliseconds: 30_000).encoded
    _ = Self.receive(member, QuorumPacket(.ping, zxid: .zero, data: unknown + known), on: Self.observer)
    let effects = Self.receive(member, QuorumPacket(.ping, zxid: .zero))
    #expect(Self.sent(effects, on: Self.leader).map(\.data) == [known])
    #expect(Self.sent(effects, on: Self.observer).map(\.kind) == [.ping])
    let next = Self.receive(member, QuorumPacket(.ping, zxid: .zero))
    #expect(Self.sent(next, on: Self.leader).map(\.data) == [[]])
  }

  @Test(arguments: [QuorumPacket.Kind.request, .revalidate, .ping])
  func whatCannotBeReadEndsTheObserversConnection(_ kind: QuorumPacket.Kind) throws {
    let member = try Self.master()
    let effects = Self.receive(member, QuorumPacket(kind, zxid: Self.request, data: [1, 2, 3]), on: Self.observer)
    #expect(effects.contains(.transport(.close(Self.observer))))
    #expect(member.zab.learnerConnections.isEmpty)
    #expect(member.core != nil && Self.sent(effects, on: Self.leader) == [])
  }

  @Test func withoutALeaderThereAreNoObservers() throws {
    let member = try Self.master()
    #expect(Self.step(member, .disconnected(Self.leader)).contains(.transport(.close(Self.observer))))
    #expect(Self.step(member, .observerConnected(Self.observer)).contains(.transport(.close(Self.observer))))
  }
}
