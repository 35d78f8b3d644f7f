import Jute
import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// No transaction is larger than other servers take, whatever makes it.
@Suite struct TxnSizeTests {
  private static let limit = 4096

  private func bench() -> Bench { Bench { $0.maximumTxnBytes = Self.limit } }

  /// A client with so many identities, each with a name of a fixed length.
  private func client(_ bench: Bench, identities: Int) -> Client {
    let client = bench.connect()
    for number in 0..<identities {
      let packet = AuthPacket(scheme: "digest", auth: Array("user-\(1000 + number):password".utf8))
      var writer = JuteWriter()
      writer.writeInt(-4)
      writer.writeInt(OpCode.auth.rawValue)
      packet.encode(into: &writer)
      client.send(writer.bytes)
    }
    _ = client.received()
    return client
  }

  private func expectSizes(_ bench: Bench, sourceLocation: SourceLocation = #_sourceLocation) {
    let largest = bench.proposals.map(\.bytes.count).max() ?? 0
    #expect(largest <= Self.limit, sourceLocation: sourceLocation)
    #expect(bench.core.counters.digestMismatches == 0, sourceLocation: sourceLocation)
  }

  @Test func aSessionEndsHoweverManyEphemeralsItHas() {
    let bench = bench()
    let (client, other) = (bench.connect(), bench.connect())
    client.create("/e")
    for number in 0..<1000 { client.create("/e/ephemeral-\(number)", flags: 1) }
    client.submit(.closeSession)
    #expect(client.isClosed)
    #expect(other.stat("/e")?.numChildren == 0)
    #expect(bench.core.sessionCount == 1)
    // What is decoded again, as a learner or the next start does, ends the session as well.
    expectSizes(bench)
    let replica = DataTree(extendedTypesEnabled: true)
    for proposal in bench.proposals {
      guard let entry = try? TxnEntry(decoding: proposal.bytes, allowingTrailingBytes: true) else {
        Issue.record("\(proposal.zxid) cannot be decoded")
        return
      }
      var changes: [TreeChange] = []
      _ = replica.apply(entry.header, entry.txn, changes: &changes)
    }
    #expect(replica.treeDigest == bench.core.tree.treeDigest)
    #expect(replica.ephemeralPaths(of: client.connection.sessionID).isEmpty)
  }

  @Test func anExpiredSessionEndsToo() {
    let bench = bench()
    let client = bench.connect(timeout: 4000)
    for number in 0..<500 { client.create("/ephemeral-\(number)", flags: 1) }
    bench.now += 60_000
    bench.core.expireSessions(bench.time)
    bench.settle()
    #expect(bench.core.sessionCount == 0 && bench.core.tree.find("/ephemeral-0") == nil)
    expectSizes(bench)
  }

  @Test func entriesOfSchemeAuthAreNotWrittenOutWithoutEnd() {
    let bench = bench()
    let client = client(bench, identities: 100)
    #expect(client.create("/one", acl: ACL.creatorAll) == .marshallingError)
    #expect(client.create("/one") == .ok)
    let every = (1...31).map { ACL(permissions: Permissions(rawValue: $0), scheme: "auth", id: "") }
    #expect(client.call(.setACL(SetACLRequest(path: "/one", acl: every, version: -1))) == .marshallingError)
    #expect(client.stat("/one")?.aversion == 0)
    // With few identities both are right.
    let small = self.client(bench, identities: 3)
    #expect(small.create("/two", acl: ACL.creatorAll) == .ok)
    #expect(small.call(.setACL(SetACLRequest(path: "/two", acl: Array(every.prefix(10)), version: -1))) == .ok)
    expectSizes(bench)
  }

  @Test func aMultiThatGrowsIsTakenBack() {
    let bench = bench()
    let client = client(bench, identities: 20)
    let parts = (0..<50).map { MultiOperation.create(Bench.create("/part-\($0)", acl: ACL.creatorAll)) }
    client.submit(.multi(MultiRequest(operations: parts)))
    guard case .multi(let response)? = client.received().last?.body else {
      Issue.record("no answer to the multi")
      return
    }
    let errors = response.results.map { if case .error(let error) = $0 { error } else { KeeperError?.none } }
    #expect(errors.contains(.marshallingError))
    #expect(errors.last == .runtimeInconsistency)
    #expect(client.stat("/part-0") == nil)
    #expect(client.create("/after", acl: ACL.creatorAll) == .ok)
    expectSizes(bench)
  }

  /// Whatever fits into a request fits into its transaction, as long as nothing is written out in it.
  @Test func theLargestRequestsFit() {
    let frame = 64 << 10
    let bench = Bench { $0.maximumTxnBytes = ServerSettings.maximumTxnBytes(maximumFrameBytes: frame) }
    let client = bench.connect()
    #expect(client.create("/data", String(repeating: "x", count: frame - 100)) == .ok)
    #expect(client.call(Bench.set("/data", String(repeating: "y", count: frame - 60))) == .ok)
    for flags: Int32 in [0, 1, 2] {
      let count = frame / 70
      let parts = (0..<count).map { MultiOperation.create(Bench.create("/m\(flags)-\($0)-", flags: flags)) }
      #expect(client.call(.multi(MultiRequest(operations: parts))) == .ok)
    }
    let checks = (0..<(frame / 24)).map { _ in MultiOperation.check(PathVersionRequest(path: "/data", version: 1)) }
    client.submit(.multi(MultiRequest(operations: checks)))
    guard case .multi(let response)? = client.received().last?.body else {
      Issue.record("no answer to the multi")
      return
    }
    #expect(response.results.allSatisfy { $0 == .check })
  }

  @Test func identitiesAreBounded() {
    let bench = Bench { $0.maximumIdentityBytes = 1000 }
    #expect(!client(bench, identities: 10).isClosed)
    #expect(client(bench, identities: 40).isClosed)
    #expect(bench.core.counters.authFailures == 1)
  }

  /// The use of a quota is in a znode that any client may write.
  @Test func theUseOfAQuotaMayBeAnyNumber() {
    let bench = Bench { $0.enforceQuota = true }
    let client = bench.connect()
    client.create("/q")
    client.create("/zookeeper/quota/q")
    client.create("/zookeeper/quota/q/zookeeper_limits", "count=1,bytes=1=;byteHardLimit=5;countHardLimit=5")
    client.create("/zookeeper/quota/q/zookeeper_stats", "")
    for use in [Int64.max, .min, -1, 0] {
      client.call(Bench.set("/zookeeper/quota/q/zookeeper_stats", "count=\(use),bytes=\(use)"))
      #expect(client.create("/q/n\(use)", "x") == (use == .max ? .quotaExceeded : .ok))
    }
  }
}
