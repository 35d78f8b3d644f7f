import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Reads and writes that go on when the connection under them is lost.
@Suite(.timeLimit(.minutes(10))) struct LostConnectionTests {
  private static let count = 1000

  /// Makes a znode with many children through a proxy, and runs `body`.
  private func withChildren(
    _ name: String, on server: ServerKind, _ body: @Sendable (ZooKeeperClient, TCPProxy, String) async throws -> Void
  ) async throws {
    let root = uniquePath(name)
    let proxy = try TCPProxy(to: try await server.port)
    try await withSession(proxy.connectString) { client in
      try await client.create(root, data: "0".bytes)
      var writer = TreeWriter(client: client)
      for index in 1..<Self.count {
        try await writer.add(
          .create(
            CreateRequest(path: "\(root)/\(index)", data: "\(index)".bytes, acl: ACL.openUnsafe, flags: 0)))
      }
      try await writer.finish()
      try await body(client, proxy, root)
    }
  }

  @Test(arguments: ServerKind.allCases) func aCopyGoesOnComparing(server: ServerKind) async throws {
    try await withChildren("lost-copy", on: server) { client, proxy, root in
      var copy = TreeCopy(to: client, root: root, expectsExisting: true)
      try await copy.add(TreeEntry(path: "", data: "0".bytes))
      for index in 1..<Self.count { try await copy.add(TreeEntry(path: "\(index)", data: "\(index)".bytes)) }
      proxy.dropReply(after: 3)
      try await copy.finish()
      #expect(proxy.hasDropped)
      #expect(copy.outcome.unchangedCount == Self.count && copy.outcome.failures.isEmpty)
    }
  }

  @Test(arguments: ServerKind.allCases) func anACLIsSetOnce(server: ServerKind) async throws {
    try await withChildren("lost-acl", on: server) { client, proxy, root in
      let acl = [ACL(permissions: [.read, .admin, .write], scheme: "world", id: "anyone")]
      let requests = (1..<Self.count).map { SetACLRequest(path: "\(root)/\($0)", acl: acl, version: 0) }
      proxy.dropReply(after: 3)
      let results = try await client.setACLsDespiteLoss(requests, inFlight: 8)
      #expect(proxy.hasDropped)
      for result in results { #expect(try result.get().aversion == 1) }
      // One that others have changed is still refused.
      let again = try await client.setACLsDespiteLoss([requests[0]])
      #expect(throws: ZooKeeperError(.server(.badVersion), path: "\(root)/1")) { try again[0].get() }
    }
  }

  @Test func aServerThatIsGoneEndsIt() async throws {
    let proxy = try TCPProxy(to: try await ServerKind.zkcli.port)
    try await withSession(proxy.connectString) { client in
      let client = client.withTimeLimit(.seconds(2))
      proxy.refuse()
      proxy.cut()
      await #expect(throws: ZooKeeperError.self) { try await client.statDespiteLoss("/") }
      // With a server again, so that the session can be closed.
      try proxy.accept()
    }
  }
}
