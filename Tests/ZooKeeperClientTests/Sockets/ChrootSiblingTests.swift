import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Znodes whose paths begin like the chroot's.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ChrootSiblingTests {
  @Sendable private func path(number: Int, reply: [UInt8]) throws(ZooKeeperError) -> PathResponse {
    try PathResponse(reply: reply)
  }

  @Test func siblingsOfTheChrootAreNotInIt() async throws {
    let root = uniquePath("chroot")
    try await withSharedServer(chroot: root) { client in
      // The same session, from outside: only the paths differ.
      let outside = [root, root + "-sibling"].map {
        ClientRequest.create(CreateRequest(path: $0, data: nil, acl: ACL.openUnsafe, flags: 0))
      }
      _ = await client.callAll(outside, in: RequestWindow(2), decode: path)
      let ephemerals = [root + "/e", root + "-sibling/e"].map {
        ClientRequest.create(CreateRequest(path: $0, data: nil, acl: ACL.openUnsafe, flags: 1))
      }
      for reply in await client.callAll(ephemerals, in: RequestWindow(2), decode: path) { _ = try reply.get() }
      // Servers compare the beginning of the text.
      #expect(try await client.getEphemerals() == ["/e"])
    }
  }
}
