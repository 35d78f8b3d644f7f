import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct RecoveryTests {
  @Test func replayOfWhatWasProposedIsTheSameServer() throws {
    let bench = Bench()
    let client = bench.connect()
    let gone = bench.connect()
    gone.create("/gone", flags: 1)
    client.create("/a", "1")
    client.create("/a/s", flags: 3)
    client.call(Bench.set("/a", "2", 7))
    client.call(
      .multi(
        MultiRequest(operations: [.create(Bench.create("/m")), .delete(PathVersionRequest(path: "/no", version: -1))])))
    gone.submit(.closeSession)
    var state = RecoveredState(tree: DataTree(extendedTypesEnabled: true))
    for proposal in bench.proposals { state.apply(try TxnEntry(decoding: proposal.bytes)) }
    #expect(state.tree.treeDigest == bench.core.tree.treeDigest && state.digestMismatches == 0)
    #expect(state.sessions == bench.core.committedSessions)
    #expect(state.tree.lastProcessedZxid == bench.core.lastProcessedZxid)
    let again = ServerCore(
      settings: ServerSettings(), tree: state.tree, sessions: state.sessions, time: bench.time)
    #expect(again.sessionCount == 1 && again.tree.ephemeralCount == 1)
  }

  /// Entries that are applied together leave what the same entries leave one by one, in a tree in which it pays to look
  /// ahead. Some delete what others, announced with them, would have changed.
  @Test(arguments: [1, 2, 3] as [UInt64]) func entriesThatAreAppliedTogether(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var entries: [TxnEntry] = []
    func add(_ txn: Txn, session: Int64 = 7) {
      let header = TxnHeader(
        sessionID: SessionID(rawValue: session), cxid: Xid(rawValue: 0), zxid: Zxid(rawValue: Int64(entries.count) + 1),
        timeMilliseconds: 5, opCode: txn.opCode)
      entries.append(TxnEntry(header: header, txn: txn, digest: nil))
    }
    func create(_ path: String) {
      add(.create(CreateTxn(path: path, data: [1], acl: ACL.openUnsafe, isEphemeral: false, parentCVersion: -1)))
    }
    let count = 20_000
    for number in 0..<count { create("/n\(number)") }
    let use = "/zookeeper/quota/n97/zookeeper_stats"
    for path in ["/zookeeper/quota/n97", "/zookeeper/quota/n97/zookeeper_limits", use] { create(path) }
    var (together, single) = (RecoveredState(tree: DataTree()), RecoveredState(tree: DataTree()))
    try together.apply(entries.map(\.encoded)[...])
    for entry in entries { single.apply(entry) }
    #expect(together.tree.isWorthLookingAhead)
    let built = entries.count
    for _ in 0..<3000 {
      // Few of them, so that the same ones come again soon.
      let path = "/n\(Int.random(in: 0..<200, using: &random) * 97)"
      switch Int.random(in: 0..<10, using: &random) {
      case 0: add(.delete(path: path))
      case 1: create(path)
      case 2: add(.createSession(timeoutMilliseconds: 4000), session: Int64.random(in: 1..<20, using: &random))
      case 3: add(.setData(SetDataTxn(path: "/none", data: nil, version: 1)))
      case 4: create("/ü\(Int.random(in: 0..<9, using: &random))")
      case 5:
        add(.setData(SetDataTxn(path: "/ü\(Int.random(in: 0..<9, using: &random))", data: nil, version: 2)))
      default:
        let data = [UInt8](repeating: 7, count: Int.random(in: 0..<40, using: &random))
        add(.setData(SetDataTxn(path: path, data: data, version: 3)))
      }
    }
    var next = built
    while next < entries.count {
      let end = min(entries.count, next + Int.random(in: 1...90, using: &random))
      try together.apply(entries[next..<end].map(\.encoded)[...])
      for entry in entries[next..<end] { single.apply(entry) }
      #expect(together.tree.treeDigest == single.tree.treeDigest, "after \(end)")
      next = end
    }
    #expect(together.sessions == single.sessions)
    #expect(together.tree.lastProcessedZxid == single.tree.lastProcessedZxid)
    #expect(together.tree.znodeCount == single.tree.znodeCount)
    #expect(together.tree.approximateDataSizeBytes == single.tree.approximateDataSizeBytes)
    #expect(try contents(together.tree) == contents(single.tree))
    // The quota counted what was changed.
    let id = try #require(single.tree.find(use))
    #expect(single.tree.data(of: id) != [1])
  }

  /// What each znode holds, without its path, in the order of the paths.
  private func contents(_ tree: DataTree) throws -> [Content] {
    var walk = try #require(OrderedWalk(tree, from: "/"))
    var result: [Content] = []
    while let id = walk.next() { result.append(Content(data: tree.data(of: id), stat: tree.stat(of: id))) }
    return result
  }

  private struct Content: Equatable {
    let data: [UInt8]?
    let stat: Stat
  }
}
