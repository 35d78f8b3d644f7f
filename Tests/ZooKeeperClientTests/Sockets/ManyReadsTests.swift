import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Reads of many znodes in one round trip.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ManyReadsTests {
  @Test func manyZnodesAreReadAtOnceAndEachFailsAlone() async throws {
    try await withSharedServer { client in
      let path = uniquePath("many")
      try await client.create(path)
      try await client.create(path + "/a", data: [1, 2, 3])
      let stats = await client.stats(ofAll: [path + "/a", path + "/none", path])
      #expect(try stats[0].get().dataLength == 3)
      #expect(throws: ZooKeeperError(.server(.noNode), path: path + "/none")) { try stats[1].get() }
      #expect(try stats[2].get().numChildren == 1)
      let children = await client.getChildren2(ofAll: [path, "relative", path + "/none"])
      #expect(try children[0].get().children == ["a"])
      #expect(throws: ZooKeeperError(.badPath(.notAbsolute), path: "relative")) { try children[1].get() }
      #expect(throws: ZooKeeperError(.server(.noNode), path: path + "/none")) { try children[2].get() }
      #expect(await client.stats(ofAll: []).isEmpty)
    }
  }
}
