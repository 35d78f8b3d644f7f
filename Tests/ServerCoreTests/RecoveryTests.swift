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
}
