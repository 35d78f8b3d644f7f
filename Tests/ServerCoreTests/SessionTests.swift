import Jute
import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct SessionTests {
  @Test func passwordsAreThoseOfEveryServer() {
    let samples: [(Int64, [UInt8])] = [
      (0x1, [0x05, 0x4c, 0xc7, 0x4a, 0x37, 0x32, 0x7d, 0xb2, 0x15, 0xe7, 0x02, 0xe2, 0x0c, 0x73, 0xf0, 0x05]),
      (
        0x1_0000_16c6_360000,
        [0x48, 0x5d, 0xe9, 0x97, 0x35, 0x99, 0x20, 0x93, 0x66, 0xa5, 0x63, 0xc9, 0x06, 0x59, 0xb1, 0xc9]
      ),
    ]
    for (session, password) in samples {
      #expect(SessionCredentials.password(of: SessionID(rawValue: session)) == password)
    }
    #expect(SessionCredentials.firstID(serverID: 2, milliseconds: 0x123_4567_89ab).rawValue == 0x0223_4567_89ab_0000)
  }

  @Test(arguments: [(0, 6000), (-1, 6000), (10_000, 10_000), (90_000, 60_000)] as [(Int32, Int32)])
  func timeoutsAreNegotiated(asked: Int32, given: Int32) {
    let bench = Bench()
    bench.holdsCommits = true
    let client = Client(bench)
    client.connect(timeout: asked)
    bench.commit()
    let response = client.takeConnectResponse()
    #expect(response?.timeoutMilliseconds == given && response?.readOnly == false)
    #expect(response?.password == SessionCredentials.password(of: client.connection.sessionID))
  }

  @Test func requestsBeforeTheSessionWait() {
    let bench = Bench()
    bench.holdsCommits = true
    let client = Client(bench)
    client.connect()
    client.submit(.ping)
    client.submit(.auth(AuthPacket(scheme: "digest", auth: [1])))
    #expect(client.received().isEmpty)
    bench.commit()
    let bytes = client.connection.output.bytes
    #expect(bytes[3] == 37 && bytes.count == 41 + 20 + 20)
  }

  @Test func clientThatKnowsMoreIsClosed() {
    let client = Client(Bench())
    client.connect(lastZxid: 1)
    #expect(client.isClosed && client.connection.output.isEmpty)
  }

  @Test func sessionMovesToANewConnection() {
    let bench = Bench()
    let first = bench.connect()
    first.create("/e", flags: 1)
    let id = first.connection.sessionID
    let thief = Client(bench)
    thief.connect(session: id, password: [UInt8](repeating: 9, count: 16))
    #expect(thief.isClosed && first.isClosed)
    #expect(thief.takeConnectResponse()?.timeoutMilliseconds == 0)
    let second = Client(bench)
    second.connect(timeout: 20_000, session: id, password: SessionCredentials.password(of: id))
    #expect(!second.isClosed && second.connection.sessionTimeoutMilliseconds == 20_000)
    #expect(second.body(.getEphemerals(PathRequest(path: "/"))) == .strings(StringsResponse(strings: ["/e"])))
  }

  @Test func closeDeletesEphemeralsAndEndsTheConnection() throws {
    let bench = Bench()
    let watcher = bench.connect()
    let client = bench.connect()
    client.create("/e1", flags: 1)
    client.create("/e2", flags: 1)
    for path in ["/e1", "/e2"] { watcher.call(.exists(PathWatchRequest(path: path, watch: true))) }
    bench.holdsCommits = true
    client.submit(.create(Bench.create("/e3", flags: 1)))
    client.submit(Bench.delete("/e2"))
    client.submit(.closeSession)
    client.submit(.ping)
    let last = try #require(bench.proposals.last)
    guard case .closeSession(let paths) = try TxnEntry(decoding: last.bytes).txn else {
      Issue.record("no close")
      return
    }
    #expect(paths == ["/e1", "/e3"])
    bench.commit()
    #expect(client.received().map(\.error) == [.ok, .ok, .ok] && client.isClosed)
    #expect(
      watcher.received().compactMap(\.event).map { String($0.prefix(15)) } == ["NodeDeleted /e2", "NodeDeleted /e1"])
    #expect(bench.core.committedSessions.count == 1 && bench.core.tree.ephemeralCount == 0)
    #expect(bench.core.counters.digestMismatches == 0)
  }

  /// What is proposed after the end of a session, and before that is committed, finds none of its ephemerals: neither
  /// those of the tree nor those that had changes under way.
  @Test func endedSessionHidesItsEphemeralsFromWhatFollows() {
    let bench = Bench()
    let other = bench.connect()
    let client = bench.connect()
    for path in ["/p", "/q"] { other.create(path) }
    for path in ["/p/a", "/p/b", "/p/c"] { client.create(path, flags: 1) }
    bench.holdsCommits = true
    client.submit(.setData(SetDataRequest(path: "/p/b", data: [2], version: -1)))
    client.submit(Bench.delete("/p/c"))
    client.submit(.create(Bench.create("/q/d", flags: 1)))
    client.submit(.closeSession)
    other.submit(.setData(SetDataRequest(path: "/p/a", data: [1], version: -1)))
    other.submit(Bench.delete("/p/b"))
    other.submit(.create(Bench.create("/p/a")))
    other.submit(Bench.delete("/p"))
    other.submit(Bench.delete("/q"))
    bench.commit()
    #expect(other.received().map(\.error) == [.noNode, .noNode, .ok, .notEmpty, .ok])
    #expect(other.stat("/p")?.numChildren == 1 && other.stat("/p/a")?.ephemeralOwner == SessionID.none)
    #expect(other.stat("/p/b") == nil && other.stat("/q") == nil)
    #expect(bench.core.counters.digestMismatches == 0 && bench.core.tree.ephemeralCount == 0)
  }

  /// Once the end is committed, nothing is left that could hide znodes of the same numbers.
  @Test func endedSessionIsForgottenOnceItIsCommitted() {
    let bench = Bench()
    for round in 0..<3 {
      let client = bench.connect()
      for index in 0..<50 { client.create("/e\(index)", flags: 1) }
      #expect(bench.core.tree.ephemeralCount == 50, "round \(round)")
      client.submit(.closeSession)
      #expect(bench.core.tree.ephemeralCount == 0, "round \(round)")
    }
    #expect(bench.core.counters.digestMismatches == 0)
  }

  @Test func silentSessionDiesBetweenItsTimeoutAndOneTickMore() {
    let bench = Bench()
    let silent = bench.connect(timeout: 6000)
    let noisy = bench.connect(timeout: 6000)
    silent.create("/e", flags: 1)
    for _ in 0..<6 {
      bench.now += 1000
      noisy.submit(.ping)
      bench.core.expireSessions(bench.time)
      bench.settle()
    }
    #expect(!silent.isClosed)
    bench.now += 3000
    bench.core.expireSessions(bench.time)
    bench.settle()
    #expect(silent.isClosed && !noisy.isClosed && silent.received().map(\.error) == [])
    #expect(noisy.stat("/e") == nil && bench.core.counters.sessionsExpired == 1)
    let again = Client(bench)
    again.connect(
      session: silent.connection.sessionID,
      password: SessionCredentials.password(of: silent.connection.sessionID))
    #expect(again.isClosed)
  }

  @Test func requiredSchemesRefuseEverythingElse() {
    let bench = Bench { $0.requiredSchemes = ["digest"] }
    let client = bench.connect()
    client.call(.auth(AuthPacket(scheme: "digest", auth: [65])))
    #expect(client.call(.ping) == .ok)
    let other = bench.connect()
    #expect(other.call(.ping) == .sessionClosedRequireSaslAuth && other.isClosed)
  }

  @Test func randomFramesHarmNobody() {
    let bench = Bench()
    var random = SystemRandomNumberGenerator()
    let seed = UInt64.random(in: 0 ... .max, using: &random)
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
    for _ in 0..<2000 {
      let client = bench.connect()
      var frame = (0..<Int(next() % 60)).map { _ in next() % 3 == 0 ? UInt8(truncatingIfNeeded: next()) : 0 }
      if frame.count >= 8 {
        frame.replaceSubrange(4..<8, with: [0, 0, 0, UInt8(next() % 24 + (next() % 3 == 0 ? 90 : 0))])
      }
      client.send(frame)
      bench.core.disconnected(client.connection)
    }
    #expect(bench.core.counters.digestMismatches == 0 && bench.core.counters.outstandingRequests == 0, "seed \(seed)")
  }
}
