import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct WriteTests {
  private let locked = [ACL(permissions: .read, scheme: "world", id: "anyone")]

  @Test func createRefusesInApachesOrder() {
    let bench = Bench()
    let client = bench.connect()
    client.create("/locked", acl: locked)
    client.create("/e", flags: 1)
    let badACL = [ACL(permissions: .all, scheme: "nosuch", id: "x")]
    let table: [(CreateRequest, KeeperError)] = [
      (Bench.create("", flags: 9), .badArguments), (Bench.create("/a", flags: 5), .badArguments),
      (Bench.create("abc", acl: badACL), .badArguments), (Bench.create("/no/x", acl: badACL), .invalidACL),
      (Bench.create("/no/x", acl: []), .invalidACL), (Bench.create("/a//b"), .noNode),
      (Bench.create("/locked/.."), .noAuth), (Bench.create("/.."), .badArguments), (Bench.create("/x/"), .noNode),
      (Bench.create("/"), .nodeExists), (Bench.create("/locked"), .nodeExists),
      (Bench.create("/e/c"), .noChildrenForEphemerals), (Bench.create("/zookeeper/quota"), .nodeExists),
    ]
    for (request, expected) in table {
      #expect(client.call(.create(request)) == expected, "\(request)")
    }
    #expect(bench.core.lastProcessedZxid == Zxid(rawValue: Int64(3 + table.count)))
    #expect(bench.core.counters.digestMismatches == 0)
  }

  @Test(arguments: [(0, -1), (4, -1), (1, 5), (5, 0), (5, -1), (6, 0x100_0000_0000)] as [(Int32, Int64)])
  func poisonousTTLsAreRefused(flags: Int32, ttl: Int64) {
    let client = Bench().connect()
    let request = CreateTTLRequest(create: Bench.create("/t", flags: flags), ttlMilliseconds: ttl)
    #expect(client.call(.createTTL(request)) == .badArguments)
  }

  @Test func ttlNeedsExtendedTypes() {
    let client = Bench(extended: false).connect()
    let request = CreateTTLRequest(create: Bench.create("/t", flags: 5), ttlMilliseconds: 5)
    #expect(client.call(.createTTL(request)) == .unimplemented)
    #expect(client.create("/a") == .ok)
  }

  @Test func sequenceNumbersCountCreatesOnly() {
    let client = Bench().connect()
    client.create("/s")
    for _ in 0..<2 { client.create("/s/n", flags: 2) }
    client.call(Bench.delete("/s/n0000000000"))
    #expect(client.body(.create(Bench.create("/s/", flags: 3))) == .path(PathResponse(path: "/s/0000000002")))
  }

  @Test func pipelinedWritesSeeEachOther() {
    let bench = Bench()
    let client = bench.connect()
    bench.holdsCommits = true
    client.submit(.create(Bench.create("/a", "1")))
    client.submit(.create(Bench.create("/a/n", flags: 2)))
    client.submit(.create(Bench.create("/a/n", flags: 2)))
    client.submit(Bench.set("/a", "2", 0))
    client.submit(Bench.set("/a", "3", 0))
    client.submit(Bench.delete("/a"))
    client.submit(.getData(PathWatchRequest(path: "/a")))
    #expect(client.received().isEmpty && bench.core.counters.outstandingRequests == 7)
    bench.commit()
    let replies = client.received()
    #expect(replies.map(\.error) == [.ok, .ok, .ok, .ok, .badVersion, .notEmpty, .ok])
    #expect(replies[2].body == .path(PathResponse(path: "/a/n0000000001")))
    guard case .data(let data)? = replies[6].body else { Issue.record("no data"); return }
    #expect(data.data == Array("2".utf8) && data.stat.version == 1 && data.stat.numChildren == 2)
    #expect(bench.core.counters.digestMismatches == 0 && bench.core.counters.outstandingRequests == 0)
  }

  @Test func deleteRefusesInApachesOrder() {
    let client = Bench().connect()
    client.create("/p")
    client.create("/p/c")
    let table: [(String, Int32, KeeperError)] = [
      ("/", -1, .badArguments), ("/zookeeper/config", -1, .badArguments), ("x", -1, .badArguments),
      ("/no/x", -1, .noNode), ("/x", -1, .noNode), ("/p", 3, .badVersion), ("/p", -2, .badVersion),
      ("/p", 0, .notEmpty),
      ("/p/c", 0, .ok), ("/p", -1, .ok),
    ]
    for (path, version, expected) in table { #expect(client.call(Bench.delete(path, version)) == expected, "\(path)") }
  }

  @Test func aclsAreCheckedFixedUpAndMasked() {
    let bench = Bench()
    let owner = bench.connect()
    #expect(owner.create("/x", acl: ACL.creatorAll) == .invalidACL)
    owner.call(.auth(AuthPacket(scheme: "digest", auth: Array("user:pass".utf8))))
    #expect(owner.create("/x", acl: ACL.creatorAll + [ACL(permissions: .read, scheme: "ip", id: "10.0.0.0/8")]) == .ok)
    let other = bench.connect()
    #expect(other.call(.getData(PathWatchRequest(path: "/x"))) == .noAuth)
    #expect(other.call(.exists(PathWatchRequest(path: "/x"))) == .noAuth)
    #expect(other.call(Bench.set("/x", "1")) == .noAuth)
    #expect(other.call(.setACL(SetACLRequest(path: "/x", acl: ACL.openUnsafe, version: -1))) == .noAuth)
    let near = Client(bench, address: "10.1.2.3")
    near.connect()
    guard case .acl(let seen)? = near.body(.getACL(PathRequest(path: "/x"))) else { Issue.record("no ACL"); return }
    #expect(seen.acl.map(\.id) == ["user:x", "10.0.0.0/8"])
    guard case .acl(let own)? = owner.body(.getACL(PathRequest(path: "/x"))) else { Issue.record("no ACL"); return }
    #expect(own.acl[0].id == "user:smGaoVKd/cQkjm7b88GyorAUz20=")
    #expect(owner.call(.setACL(SetACLRequest(path: "/x", acl: ACL.openUnsafe, version: 0))) == .ok)
    #expect(other.call(Bench.set("/x", "1")) == .ok)
    #expect(bench.core.counters.digestMismatches == 0)
  }

  @Test func superuserMayDoAnything() {
    let bench = Bench { $0.superDigest = "user:smGaoVKd/cQkjm7b88GyorAUz20=" }
    let client = bench.connect()
    client.create("/locked", acl: locked)
    #expect(client.create("/locked/a") == .noAuth)
    client.call(.auth(AuthPacket(scheme: "digest", auth: Array("user:pass".utf8))))
    #expect(client.create("/locked/a") == .ok)
    guard case .identities(let who)? = client.body(.whoAmI) else { Issue.record("no answer"); return }
    #expect(Set(who.identities.map { "\($0.scheme)=\($0.user)" }) == ["ip=127.0.0.1", "super=", "digest=user"])
  }

  /// The digests are of `user:pass`, by `openssl dgst -binary | base64`.
  @Test(arguments: [
    ("MD5", "IaOShYhKJo1kWOP96wi+rA=="), ("SHA-256", "70yRTFkWmLJo2zxkFj6v2nIJpjDyNuvw7r8EVGDfcjo="),
    ("sha-512", "byB8hNs+LzOYofjeMGiIfR/jKrcms8i5ls17owJgMPc/97CxZ1nTVHmKawnszYHC8bu9VMh6GIu6lFZ1BXBL3Q=="),
  ]) func digestsAreOfTheConfiguredAlgorithm(_ name: String, _ digest: String) {
    let bench = Bench { settings in
      let isKnown = settings.setDigestAlgorithm(javaName: name)
      #expect(isKnown)
      settings.superDigest = "user:\(digest)"
    }
    let client = bench.connect()
    client.create("/locked", acl: locked)
    client.call(.auth(AuthPacket(scheme: "digest", auth: Array("user:pass".utf8))))
    #expect(client.create("/locked/a") == .ok)
    #expect(client.create("/own", acl: ACL.creatorAll) == .ok)
    let body = client.body(.getACL(PathRequest(path: "/own")))
    guard case .acl(let answer)? = body else { Issue.record("no answer"); return }
    #expect(answer.acl == [ACL(permissions: .all, scheme: "digest", id: "user:\(digest)")])
  }

  @Test func clientOfAnotherEnsembleIsSentAway() {
    let bench = Bench { $0.ensembleNames = ["prod", "prod-eu"] }
    for name in ["prod", "prod-eu", ""] {
      let client = bench.connect()
      #expect(client.call(.auth(AuthPacket(scheme: "ensemble", auth: Array(name.utf8)))) == .ok)
      #expect(!client.isClosed && client.connection.identities.count == 1)
      #expect(client.create("/x", acl: [ACL(permissions: .all, scheme: "ensemble", id: "prod")]) == .invalidACL)
    }
    let client = bench.connect()
    client.submit(.auth(AuthPacket(scheme: "ensemble", auth: Array("test".utf8))))
    // An error would be final for the client, which is to try the next server.
    #expect(client.received().isEmpty && client.isClosed)
    let nameless = Bench { $0.ensembleNames = [] }.connect()
    #expect(nameless.call(.auth(AuthPacket(scheme: "ensemble", auth: Array("any".utf8)))) == .ok)
    let without = Bench().connect()
    #expect(without.call(.auth(AuthPacket(scheme: "ensemble", auth: Array("prod".utf8)))) == .authFailed)
  }

  @Test func unknownSchemeClosesTheConnection() {
    let client = Bench().connect()
    #expect(client.call(.auth(AuthPacket(scheme: "nosuch", auth: []))) == .authFailed)
    #expect(client.isClosed)
  }

  @Test func failedMultiRollsBackAndReportsEachPart() {
    let bench = Bench()
    let client = bench.connect()
    client.create("/s")
    let parts: [MultiOperation] = [
      .create(Bench.create("/s/n", flags: 2)), .delete(PathVersionRequest(path: "/s", version: 7)),
      .check(PathVersionRequest(path: "/s", version: 0)),
    ]
    bench.holdsCommits = true
    client.submit(Bench.set("/s", "x"))
    client.submit(.multi(MultiRequest(operations: parts)))
    client.submit(.create(Bench.create("/s/n", flags: 2)))
    client.submit(.multi(MultiRequest(operations: [])))
    bench.commit()
    let replies = client.received()
    #expect(replies.map(\.error) == [.ok, .ok, .ok, .ok])
    #expect(
      replies[1].body
        == .multi(MultiResponse(results: [.error(.ok), .error(.badVersion), .error(.runtimeInconsistency)])))
    #expect(replies[2].body == .path(PathResponse(path: "/s/n0000000000")))
    #expect(replies[3].body == .multi(MultiResponse(results: [])))
    #expect(bench.core.counters.digestMismatches == 0)
  }

  @Test func multiAnswersWithTheStatOfEachPart() {
    let bench = Bench()
    let client = bench.connect()
    let operations: [MultiOperation] = [
      .create(Bench.create("/a")), .create2(Bench.create("/b")), .create(Bench.create("/c", flags: 4)),
      .setData(SetDataRequest(path: "/a", data: [1], version: 0)),
      .setData(SetDataRequest(path: "/a", data: [2], version: 1)), .check(PathVersionRequest(path: "/a", version: 2)),
      .delete(PathVersionRequest(path: "/b", version: -1)),
    ]
    guard case .multi(let response)? = client.body(.multi(MultiRequest(operations: operations))) else {
      Issue.record("no multi")
      return
    }
    guard case .setData(let first) = response.results[3], case .setData(let second) = response.results[4],
      case .create2(let path, _) = response.results[2]
    else { Issue.record("\(response)"); return }
    #expect((first.version, second.version, path) == (1, 2, "/c"))
    #expect(response.results[0] == .create(path: "/a") && response.results[6] == .delete)
    #expect(bench.core.tree.find("/c").map { bench.core.tree.owner(of: $0) } == .container)
    #expect(bench.core.counters.digestMismatches == 0)
  }

  @Test func undecodableWritesAnswerInTheirPlace() {
    let bench = Bench()
    let client = bench.connect()
    let before = bench.core.lastProcessedZxid.rawValue
    client.submitRaw(type: OpCode.create.rawValue, body: [0, 0, 0, 9])
    #expect(client.received().map(\.error) == [.marshallingError])
    #expect(bench.core.lastProcessedZxid.rawValue == before)
    client.submitRaw(type: OpCode.multi.rawValue, body: [0, 0, 0, 9])
    #expect(client.received().map(\.error) == [.marshallingError])
    #expect(bench.core.lastProcessedZxid.rawValue == before + 1)
    client.submitRaw(type: OpCode.getData.rawValue)
    #expect(client.received().map(\.error) == [.marshallingError])
    #expect(!client.isClosed)
  }

  /// The leader alone asks for it; a client gets an error, and keeps its connection.
  @Test func deletingAContainerIsNotForClients() {
    let bench = Bench()
    let client = bench.connect()
    client.call(.createContainer(Bench.create("/c", flags: 4)))
    client.create("/p")
    client.create("/p/x")
    client.create("/e", flags: 1)
    for (path, error) in [
      ("/c", KeeperError.noAuth), ("/p", .notEmpty), ("/p/x", .noAuth), ("/e", .badVersion), ("/none", .noNode),
    ] {
      let body = [0, 0, 0, UInt8(path.utf8.count)] + Array(path.utf8)
      client.submitRaw(type: 20, body: body)
      #expect(client.received().map(\.error) == [error], "\(path)")
    }
    client.submitRaw(type: 20, body: [0, 0, 0, 9])
    #expect(client.received().map(\.error) == [.marshallingError] && !client.isClosed)
    for path in ["/c", "/p", "/p/x", "/e"] { #expect(client.stat(path) != nil) }
  }

  @Test(arguments: [13, -10, 0, 99, -1] as [Int32]) func whatIsNotForClientsClosesTheConnection(type: Int32) {
    let client = Bench().connect()
    client.submitRaw(type: type)
    guard case .reply(let header, _)? = client.received().first else { Issue.record("no reply"); return }
    #expect((header.error, header.zxid.rawValue) == (.unimplemented, -1))
    #expect(client.isClosed)
  }

  @Test func hardQuotasRefuseWhenEnforced() {
    let bench = Bench { $0.enforceQuota = true }
    let client = bench.connect()
    for path in ["/q", "/zookeeper/quota/q"] { client.create(path) }
    client.create("/zookeeper/quota/q/zookeeper_limits", "count=-1,bytes=-1=;byteHardLimit=4;countHardLimit=2")
    client.create("/zookeeper/quota/q/zookeeper_stats", "count=0,bytes=0")
    #expect(client.create("/q/a", "12345") == .quotaExceeded)
    #expect(client.create("/q/a", "1234") == .ok)
    #expect(client.create("/q/b") == .quotaExceeded)
    #expect(client.call(Bench.set("/q/a", "12345")) == .quotaExceeded)
    #expect(client.call(Bench.delete("/q/a")) == .ok)
    #expect(bench.core.counters.digestMismatches == 0)
  }

  /// A reply that must not overtake others is not forgotten while the client does not take its answers.
  @Test func anErrorWaitsForRoomInTheOutput() {
    let bench = Bench()
    let client = bench.connect()
    client.create("/big", String(repeating: "x", count: 600_000))
    for _ in 0..<2 { client.submit(.getData(PathWatchRequest(path: "/big"))) }
    client.submitRaw(type: OpCode.create.rawValue, body: [1])
    #expect(client.connection.hasHeldReads)
    #expect(client.received().map(\.error) == [.ok, .ok])
    bench.core.resumeReads(client.connection, bench.time)
    #expect(client.received().map(\.error) == [.marshallingError])
  }

  @Test func reconfigIsRefusedStandalone() {
    let request = ClientRequest.reconfig(
      ReconfigRequest(joiningServers: nil, leavingServers: nil, newMembers: nil, configVersion: -1))
    #expect(Bench().connect().call(request) == .reconfigDisabled)
    #expect(Bench { $0.reconfigEnabled = true }.connect().call(request) == .unimplemented)
  }

  @Test func reaperDeletesWhatIsOutOfUse() {
    let bench = Bench()
    let client = bench.connect()
    client.call(.createContainer(Bench.create("/c", flags: 4)))
    client.create("/c/x")
    client.call(Bench.delete("/c/x"))
    client.call(.createTTL(CreateTTLRequest(create: Bench.create("/t", flags: 5), ttlMilliseconds: 10)))
    bench.now += 11
    bench.core.reap(bench.time, limit: 10)
    bench.settle()
    #expect(client.stat("/c") == nil && client.stat("/t") == nil)
    #expect(bench.core.counters.digestMismatches == 0)
  }
}
