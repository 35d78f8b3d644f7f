import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// Sessions that only one server knows, on a leader with id 1 and on a follower of it with id 2.
@Suite struct LocalSessionTests {
  private let leader: Bench
  private let follower: Bench

  init() { (leader, follower) = Self.ensemble(upgrades: true) }

  private static func ensemble(upgrades: Bool) -> (leader: Bench, follower: Bench) {
    let make = { (role: ServerRole, id: Int64) in
      Bench(role: role) {
        $0.serverID = id
        $0.hasLocalSessions = true
        $0.upgradesLocalSessions = upgrades
      }
    }
    return (make(.leader(Epoch(rawValue: 1)), 1), make(.learner, 2))
  }

  /// Passes the follower's requests to the leader, and the leader's transactions to the follower.
  private func exchange(_ leader: Bench, _ follower: Bench) throws {
    for question in follower.core.takeQuestions() {
      switch question {
      case .request(let request, let identities):
        leader.core.receive(
          request, identities: identities ?? [], from: ServerID(rawValue: 2), leader.time)
      case .session(let touch):
        let isValid = leader.core.checkSession(touch, from: ServerID(rawValue: 2), leader.time)
        follower.core.onSessionChecked(
          SessionValidity(sessionID: touch.sessionID, isValid: isValid), follower.time)
      }
    }
    leader.commit()
    for proposal in leader.proposals where proposal.zxid > follower.core.lastProcessedZxid {
      follower.core.apply(try TxnEntry(decoding: proposal.bytes), follower.time)
    }
  }

  private func exchange() throws { try exchange(leader, follower) }

  private func create(_ path: String, flags: Int32 = 0) -> ClientRequest {
    .create(CreateRequest(path: path, data: [], acl: ACL.openUnsafe, flags: flags))
  }

  @Test(arguments: [false, true]) func aSessionTakesNoTransaction(isOnLeader: Bool) throws {
    let bench = isOnLeader ? leader : follower
    let client = bench.connect()
    #expect(client.connection.state == .open && client.connection.sessionID != .none)
    #expect(bench.core.localSessionCount == 1 && bench.core.committedSessions.isEmpty)
    client.submit(create("/a"))
    try exchange()
    #expect(client.received().last?.error == .ok)
    #expect(follower.core.tree.find("/a") != nil)
    #expect(client.call(.closeSession) == .ok && client.isClosed)
    try exchange()
    #expect(bench.core.localSessionCount == 0)
    #expect(leader.proposals.count == 1)
  }

  @Test func theEndOfASessionWaitsForItsWrites() throws {
    let client = follower.connect()
    client.submit(create("/a"))
    client.submit(.closeSession)
    #expect(client.received().isEmpty && !client.isClosed)
    #expect(follower.core.localSessionCount == 0)
    try exchange()
    #expect(client.received().map(\.error) == [.ok, .ok] && client.isClosed)
    #expect(follower.core.counters.outstandingRequests == 0)
  }

  @Test func theEndOfASessionWaitsForRoomInTheOutput() {
    let client = leader.connect()
    client.create("/big", String(repeating: "x", count: 600_000))
    for _ in 0..<2 { client.submit(.getData(PathWatchRequest(path: "/big"))) }
    client.submit(.closeSession)
    #expect(client.connection.hasHeldReads)
    #expect(client.received().map(\.error) == [.ok, .ok])
    leader.core.resumeReads(client.connection, leader.time)
    #expect(client.received().map(\.error) == [.ok] && client.isClosed)
  }

  @Test func aSilentSessionEndsOnItsServer() throws {
    let client = follower.connect()
    let id = client.connection.sessionID
    follower.now += 9_000
    client.submit(.ping)
    #expect(follower.core.takeTouchedSessions().isEmpty)
    follower.now += 9_000
    #expect(follower.core.expireSessions(follower.time).isEmpty)
    follower.now += 20_000
    #expect(follower.core.expireSessions(follower.time) == [id] && client.isClosed)
    #expect(follower.core.localSessionCount == 0 && leader.proposals.isEmpty)
  }

  @Test func aSessionIsResumedOnItsServerOnly() throws {
    let first = follower.connect()
    let id = first.connection.sessionID
    let second = Client(follower)
    second.connect(session: id, password: SessionCredentials.password(of: id))
    #expect(first.isClosed && second.connection.state == .open && second.connection.sessionID == id)
    let other = Client(leader)
    other.connect(session: id, password: SessionCredentials.password(of: id))
    #expect(other.isClosed)
    // Nor does another follower, or this one once the session has ended.
    #expect(second.call(.closeSession) == .ok)
    let third = Client(follower)
    third.connect(session: id, password: SessionCredentials.password(of: id))
    try exchange()
    #expect(third.isClosed)
  }

  @Test(arguments: [false, true]) func anEphemeralUpgradesItsSession(isOnLeader: Bool) throws {
    let bench = isOnLeader ? leader : follower
    let client = bench.connect()
    let id = client.connection.sessionID
    client.submit(create("/e", flags: 1))
    try exchange()
    #expect(client.received().map(\.error) == [.ok])
    #expect(bench.core.localSessionCount == 0)
    #expect(leader.core.committedSessions[id] == 10_000 && follower.core.committedSessions[id] == 10_000)
    #expect(leader.proposals.count == 2)
    // It is like any other session now: it moves to another server, and its end takes the ephemeral along.
    let moved = Client(isOnLeader ? follower : leader)
    moved.connect(session: id, password: SessionCredentials.password(of: id))
    try exchange()
    _ = moved.takeConnectResponse()
    #expect(moved.connection.state == .open)
    moved.submit(.closeSession)
    try exchange()
    #expect(moved.received().map(\.error) == [.ok] && moved.isClosed)
    #expect(leader.core.tree.find("/e") == nil && follower.core.tree.find("/e") == nil)
    #expect(leader.core.committedSessions.isEmpty && leader.core.sessionCount == 0)
  }

  @Test func anUpgradedSessionIsReportedToTheLeader() throws {
    let client = follower.connect()
    client.submit(create("/e", flags: 1))
    try exchange()
    client.submit(.ping)
    #expect(follower.core.takeTouchedSessions().map(\.sessionID) == [client.connection.sessionID])
    // Its leader ends it.
    follower.now += 60_000
    #expect(follower.core.expireSessions(follower.time).isEmpty)
    leader.now += 60_000
    #expect(leader.core.expireSessions(leader.time) == [client.connection.sessionID])
    try exchange()
    #expect(client.isClosed && follower.core.tree.find("/e") == nil)
  }

  @Test func anEphemeralInAMultiUpgradesItsSession() throws {
    let client = follower.connect()
    let ephemeral = CreateRequest(path: "/e", data: [], acl: ACL.openUnsafe, flags: 1)
    client.submit(.multi(MultiRequest(operations: [.create(ephemeral)])))
    try exchange()
    #expect(client.received().map(\.error) == [.ok])
    #expect(leader.core.tree.find("/e") != nil && follower.core.localSessionCount == 0)
  }

  @Test(arguments: [false, true]) func withoutUpgradesAnEphemeralIsRefused(isOnLeader: Bool) throws {
    let (leader, follower) = Self.ensemble(upgrades: false)
    let bench = isOnLeader ? leader : follower
    let client = bench.connect()
    client.submit(create("/e", flags: 3))
    client.submit(create("/p", flags: 2))
    let ephemeral = CreateRequest(path: "/f", data: [], acl: ACL.openUnsafe, flags: 1)
    client.submit(.multi(MultiRequest(operations: [.create(ephemeral)])))
    try exchange(leader, follower)
    let received = client.received()
    #expect(received.map(\.error) == [.ephemeralOnLocalSession, .ok, .ok])
    // As from Apache's servers.
    let expected: KeeperError = isOnLeader ? .ephemeralOnLocalSession : .sessionExpired
    #expect(received.last?.body == .multi(MultiResponse(results: [.error(expected)])))
    #expect(bench.core.localSessionCount == 1 && leader.core.tree.ephemeralCount == 0)
  }

  /// A session that the leader would have to know cannot write, so that a forgotten one of the leader's own does not.
  @Test func theLeaderKnowsItsOwnSessions() throws {
    let own = SessionID(rawValue: 1 << 56 | 5)
    let other = SessionID(rawValue: 3 << 56 | 5)
    let body = CreateRequest(path: "/a", data: [], acl: ACL.openUnsafe, flags: 0).encoded
    for (session, error) in [(own, KeeperError.sessionExpired), (other, .ok)] {
      leader.core.receive(
        ForwardedRequest(sessionID: session, xid: Xid(rawValue: 1), type: OpCode.create.rawValue, body: body),
        identities: [], from: ServerID(rawValue: 3), leader.time)
      leader.commit()
      let last = try #require(leader.proposals.last)
      let entry = try TxnEntry(decoding: last.bytes)
      if error == .ok {
        #expect(entry.header.opCode == .create)
      } else {
        #expect(entry.txn == .error(error))
      }
    }
  }

  @Test func standaloneServersHaveNone() {
    let bench = Bench { $0.hasLocalSessions = true }
    let client = bench.connect()
    #expect(bench.core.localSessionCount == 0 && bench.core.committedSessions.count == 1)
    #expect(client.call(create("/e", flags: 1)) == .ok)
  }
}
