import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// A server that has made a transaction does not compute the digests of its znodes again when it applies it.
///
/// A debug build of the tree checks each digest that is known in advance; these tests make sure that it is right for
/// whatever is outstanding, and that others are still verified.
@Suite struct KnownDigestTests {
  private func next(_ random: inout SplitMix64) -> ClientRequest {
    let paths = ["/a", "/b", "/a/c", "/a/d", "/a/c/e"]
    let path = paths.randomElement(using: &random) ?? "/a"
    let data: [UInt8]? = Bool.random(using: &random) ? [UInt8](repeating: 7, count: 30) : nil
    let create = CreateRequest(
      path: path, data: data, acl: ACL.openUnsafe, flags: [0, 0, 1, 2].randomElement(using: &random) ?? 0)
    switch Int.random(in: 0..<9, using: &random) {
    case 0..<3: return .create(create)
    case 3: return .create2(create)
    case 4: return .delete(PathVersionRequest(path: path, version: -1))
    case 5: return .setACL(SetACLRequest(path: path, acl: ACL.openUnsafe, version: -1))
    case 6:
      return .multi(
        MultiRequest(operations: [
          .setData(SetDataRequest(path: path, data: data, version: -1)),
          .setData(SetDataRequest(path: path, data: [1], version: -1)),
        ]))
    default: return .setData(SetDataRequest(path: path, data: data, version: -1))
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func treeHasTheDigestOfItsZnodes(seed: UInt64) throws {
    let bench = Bench()
    let client = bench.connect()
    bench.holdsCommits = true
    var random = SplitMix64(seed: seed)
    for step in 0..<1500 {
      client.submit(next(&random))
      if step % 7 == 0 { bench.commit() }
    }
    bench.commit()
    #expect(bench.core.counters.digestMismatches == 0)
    #expect(bench.core.tree.znodeCount > 5)
    // A replica has only the transactions.
    let replica = Bench()
    for proposal in bench.proposals {
      replica.core.apply(try TxnEntry(decoding: proposal.bytes, allowingTrailingBytes: true), replica.time)
    }
    #expect(replica.core.counters.digestMismatches == 0)
    #expect(replica.core.tree.treeDigest == bench.core.tree.treeDigest)
  }

  @Test func aReplicaNoticesAnotherDigest() throws {
    let bench = Bench()
    let client = bench.connect()
    client.submit(.create(CreateRequest(path: "/a", data: [1], acl: ACL.openUnsafe, flags: 0)))
    client.submit(.setData(SetDataRequest(path: "/a", data: [2], version: -1)))
    let replica = Bench()
    for proposal in bench.proposals {
      var entry = try TxnEntry(decoding: proposal.bytes, allowingTrailingBytes: true)
      if case .setData = entry.txn { entry.digest?.treeDigest ^= 1 }
      replica.core.apply(entry, replica.time)
    }
    #expect(replica.core.counters.digestMismatches == 1)
  }
}
