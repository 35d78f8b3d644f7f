import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Many writes: each is carried out once, in order, and a failure concerns one znode.
@Suite(.timeLimit(.minutes(10))) struct TreeWriterTests {
  private func create(_ path: String, _ data: [UInt8]? = nil) -> MultiOperation {
    .create(CreateRequest(path: path, data: data, acl: ACL.openUnsafe, flags: 0))
  }

  @Test(arguments: ServerKind.allCases) func aFailureConcernsOneZnode(server: ServerKind) async throws {
    let root = uniquePath("writer")
    try await withSession(try await server.connectString) { client in
      try await client.create(root)
      try await client.create("\(root)/7")
      var writer = TreeWriter(client: client, limits: .init(batchCount: 5, batchBytes: 4096, inFlight: 3))
      for index in 0..<50 { try await writer.add(create("\(root)/\(index)")) }
      // Larger than a transaction is to be, and so one of its own.
      try await writer.add(create("\(root)/large", Array(repeating: 1, count: 100_000)))
      try await writer.add(create("\(root)/missing/child"))
      try await writer.finish()
      #expect(writer.doneCount == 50)
      #expect(writer.failures.map(\.operation.path) == ["\(root)/7", "\(root)/missing/child"])
      #expect(writer.failures.map(\.error.code) == [.server(.nodeExists), .server(.noNode)])
      #expect(try await client.getChildren(root).count == 51)
      #expect(try await client.getData("\(root)/large").data?.count == 100_000)
    }
  }

  static let cases = ServerKind.allCases.flatMap { server in (0..<4).map { (server, $0) } }

  @Test(arguments: cases) func aLostReplyIsNoFailure(server: ServerKind, count: Int) async throws {
    let root = uniquePath("lost-write")
    let proxy = try TCPProxy(to: try await server.port)
    try await withSession(proxy.connectString) { client in
      try await client.create(root)
      try await client.create("\(root)/set", data: "old".bytes)
      try await client.create("\(root)/gone")
      proxy.dropReply(after: count)
      var writer = TreeWriter(client: client, limits: .init(batchCount: 2, batchBytes: 4096, inFlight: 1))
      let set = SetDataRequest(path: "\(root)/set", data: "new".bytes, version: 0)
      try await writer.add(create("\(root)/1", "one".bytes))
      try await writer.add(.setData(set))
      try await writer.add(.delete(PathVersionRequest(path: "\(root)/gone", version: 0)))
      for index in 2..<12 { try await writer.add(create("\(root)/\(index)")) }
      try await writer.finish()
      #expect(proxy.hasDropped)
      #expect(writer.failures.isEmpty)
      #expect(writer.doneCount == 13)
      #expect(try await client.getData("\(root)/set").stat.version == 1)
      #expect(try await client.exists("\(root)/gone") == nil)
      #expect(try await client.getChildren(root).count == 12)
    }
  }
}
