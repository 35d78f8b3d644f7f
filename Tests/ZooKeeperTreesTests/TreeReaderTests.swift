import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Subtrees are read whole, in order, and through failures of single znodes and of connections.
@Suite(.timeLimit(.minutes(10))) struct TreeReaderTests {
  /// Names whose order by bytes is not the order of their paths as text.
  private static let names = ["a", "a-b", "a/b", "a/b/c", "aa", "b", "b/\u{e9}", "c d"]

  private func makeTree(_ root: String, _ client: ZooKeeperClient) async throws {
    try await client.create(root)
    for name in Self.names { try await client.create("\(root)/\(name)", data: name.bytes) }
  }

  private func paths(_ reader: TreeReader) async throws -> [String] {
    var reader = reader
    var paths: [String] = []
    while let item = try await reader.next() { paths.append(item.path) }
    return paths
  }

  @Test(arguments: ServerKind.allCases) func comesInOrderWithDataAndACL(server: ServerKind) async throws {
    let root = uniquePath("reader")
    try await withSession(try await server.connectString) { client in
      try await makeTree(root, client)
      let expected = [root] + ["a", "a/b", "a/b/c", "a-b", "aa", "b", "b/\u{e9}", "c d"].map { "\(root)/\($0)" }
      #expect(try await paths(TreeReader(client: client, root: root)) == expected)
      #expect(expected.sorted(by: ZnodePath.precedes) == expected)
      var reader = TreeReader(client: client, root: root, reading: [.data, .acl], inFlight: 2)
      var nodes: [TreeNode] = []
      while case .node(let node)? = try await reader.next() { nodes.append(node) }
      #expect(nodes.map(\.path) == expected)
      #expect(nodes.dropFirst().allSatisfy { "\(root)/".bytes + ($0.data ?? []) == $0.path.bytes })
      #expect(nodes[0].data == nil)
      #expect(nodes.allSatisfy { $0.acl == ACL.openUnsafe })
      #expect(nodes.map(\.stat.numChildren) == [5, 1, 1, 0, 0, 0, 1, 0, 0])
    }
  }

  @Test(arguments: [TreeReader.Details.data, []]) func stopsAtTheDepth(details: TreeReader.Details) async throws {
    let root = uniquePath("depth")
    try await withSession(try await ServerKind.zkcli.connectString) { client in
      try await makeTree(root, client)
      let levels = [1, 6, 8, 9, 9]
      for (depth, count) in levels.enumerated() {
        let reader = TreeReader(client: client, root: root, reading: details, maximumDepth: depth)
        #expect(try await paths(reader).count == count)
      }
    }
  }

  @Test(arguments: ServerKind.allCases) func goesOnAfterWhatMayNotBeRead(server: ServerKind) async throws {
    let root = uniquePath("noauth")
    try await withSession(try await server.connectString) { client in
      try await makeTree(root, client)
      let writeOnly = [ACL(permissions: [.create, .delete, .write, .admin], scheme: "world", id: "anyone")]
      try await client.setACL("\(root)/a", acl: writeOnly)
      var reader = TreeReader(client: client, root: root, reading: .data)
      var failed: [String] = []
      var count = 0
      while let item = try await reader.next() {
        if case .failed(let path, let error) = item {
          failed.append(path)
          #expect(error.code == .server(.noAuth))
        }
        count += 1
      }
      #expect(failed == ["\(root)/a"])
      #expect(count == 7)
      var missing = TreeReader(client: client, root: "\(root)/missing")
      await #expect(throws: ZooKeeperError(.server(.noNode), path: "\(root)/missing")) { try await missing.next() }
    }
  }

  @Test(arguments: ServerKind.allCases) func aLostConnectionLosesNothing(server: ServerKind) async throws {
    let root = uniquePath("lost")
    let proxy = try TCPProxy(to: try await server.port)
    try await withSession(proxy.connectString) { client in
      try await client.create(root)
      var writer = TreeWriter(client: client)
      for index in 0..<3000 {
        try await writer.add(.create(CreateRequest(path: "\(root)/\(index)", data: nil, acl: ACL.openUnsafe, flags: 0)))
      }
      try await writer.finish()
      #expect(writer.doneCount == 3000)
      var reader = TreeReader(client: client, root: root, reading: .data, inFlight: 8)
      var count = 0
      while let item = try await reader.next() {
        guard case .node = item else {
          Issue.record("\(item)")
          return
        }
        count += 1
        if count == 1 { proxy.dropReply(after: 3) }
      }
      #expect(proxy.hasDropped)
      #expect(count == 3001)
    }
  }
}
