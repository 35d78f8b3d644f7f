import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Every operation, against Apache's server.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct OperationTests {
  static let modes: [(CreateMode, suffix: String)] = [
    (.persistent, ""), (.ephemeral, ""), (.persistentSequential, "0000000000"), (.ephemeralSequential, "0000000000"),
    (.container, ""), (.persistentTTL(milliseconds: 60_000), ""),
    (.persistentSequentialTTL(milliseconds: 60_000), "0000000000"),
  ]

  @Test(arguments: modes) func everyKindOfZnodeIsMade(mode: CreateMode, suffix: String) async throws {
    try await withSharedServer { client in
      let parent = uniquePath("modes")
      try await client.create(parent)
      let path = try await client.create(parent + "/x", data: [1, 2], mode: mode)
      #expect(path == parent + "/x" + suffix)
      let (data, stat) = try await client.getData(path)
      #expect(data == [1, 2])
      let session = await client.snapshot().sessionID
      let owner = stat.ephemeralOwner
      #expect(mode.isEphemeral ? owner == session : owner != session)
      let (second, secondStat) = try await client.create2(parent + "/y", mode: mode)
      #expect(second == parent + "/y" + (suffix.isEmpty ? "" : "0000000001"))
      #expect(secondStat.dataLength == 0)
      #expect(secondStat.czxid > stat.czxid)
    }
  }

  @Test func dataIsWrittenReadAndKeptApartFromNull() async throws {
    try await withSharedServer { client in
      let path = uniquePath("data")
      try await client.create(path)
      #expect(try await client.getData(path).data == nil)
      var stat = try await client.setData(path, data: [])
      #expect(stat.version == 1)
      #expect(try await client.getData(path).data == [])
      stat = try await client.setData(path, data: [0, 255], version: 1)
      #expect(stat.version == 2)
      #expect(try await client.exists(path) == stat)
      await expectRefusal(.badVersion) { try await client.setData(path, data: nil, version: 1) }
      let error = await expectRefusal(.noNode) { try await client.getData(path + "/missing") }
      #expect(error?.path == path + "/missing")
      #expect(error?.keeperError == .noNode)
      #expect(try await client.exists(path + "/missing") == nil)
    }
  }

  @Test func createAndDeleteAreRefusedAsServersDo() async throws {
    try await withSharedServer { client in
      let path = uniquePath("tree")
      try await client.create(path)
      await expectRefusal(.nodeExists) { try await client.create(path) }
      await expectRefusal(.noNode) { try await client.create(path + "/a/b") }
      await expectRefusal(.invalidACL) { try await client.create(path + "/a", acl: []) }
      try await client.create(path + "/e", mode: .ephemeral)
      await expectRefusal(.noChildrenForEphemerals) { try await client.create(path + "/e/x") }
      await expectRefusal(.notEmpty) { try await client.delete(path) }
      await expectRefusal(.badVersion) { try await client.delete(path + "/e", version: 7) }
      try await client.delete(path + "/e", version: 0)
      try await client.delete(path)
      await expectRefusal(.noNode) { try await client.delete(path) }
    }
  }

  @Test func mistakesAreFoundBeforeAnythingIsSent() async throws {
    try await withSharedServer { client in
      let path = uniquePath("local")
      let error = await expectFailure(.badPath(.notAbsolute)) { try await client.create("relative") }
      #expect(error?.path == "relative")
      await expectFailure(.badPath(.trailingSlash)) { try await client.getData(path + "/") }
      await expectFailure(.badPath(.emptyComponent(offset: 1))) {
        try await client.multi([.delete(.init(path: "//a", version: -1))])
      }
      for ttl in [0, -1, CreateMode.maximumTTLMilliseconds + 1] as [Int64] {
        let code = ZooKeeperError.Code.badArgument("a time to live is 1 to 1099511627775 ms, not \(ttl)")
        await expectFailure(code) { try await client.create(path, mode: .persistentTTL(milliseconds: ttl)) }
      }
      let big = [UInt8](repeating: 0, count: 0xfffff)
      do {
        try await client.create(path, data: big)
        Issue.record("a frame over the limit was sent")
      } catch let error as ZooKeeperError {
        guard case .requestTooLarge(let length, 0xfffff) = error.code else { throw error }
        #expect(length > 0xfffff)
      }
      #expect(try await client.exists(path) == nil)
      #expect(await client.snapshot().state == .syncConnected)
    }
  }

  @Test func largestFrameIsAccepted() async throws {
    try await withSharedServer { client in
      let path = uniquePath("large")
      // The request: header 8, path 4 and its bytes, data 4, ACL 31, flags 4.
      let data = [UInt8](repeating: 7, count: 0xfffff - 8 - 4 - path.utf8.count - 4 - 31 - 4)
      try await client.create(path, data: data)
      #expect(try await client.exists(path)?.dataLength == Int32(data.count))
      // The answer is longer than the request was: header 16, data 4, stat 68.
      await expectFailure(.replyTooLarge(lengthBytes: 16 + 4 + data.count + 68, limitBytes: 0xfffff)) {
        try await client.getData(path)
      }
      try await client.withTimeLimit(.seconds(30)).connected(failsFast: false)
      try await client.delete(path)
    }
  }

  @Test func accessIsControlled() async throws {
    try await withSharedServer { client in
      let path = uniquePath("acl")
      try await client.create(path)
      #expect(try await client.getACL(path).acl == ACL.openUnsafe)
      await expectRefusal(.badVersion) { try await client.setACL(path, acl: ACL.readUnsafe, version: 3) }
      let stat = try await client.setACL(path, acl: ACL.readUnsafe, version: 0)
      #expect(stat.aversion == 1)
      await expectRefusal(.noAuth) { try await client.setACL(path, acl: ACL.openUnsafe) }
      await expectRefusal(.noAuth) { try await client.create(path + "/x") }
      #expect(try await client.getACL(path).acl == ACL.readUnsafe)
    }
  }

  @Test func identityOpensWhatIsClosedToOthers() async throws {
    let path = uniquePath("auth")
    try await withSharedServer { client in
      try await client.addAuth(scheme: "digest", auth: Array("user:pass".utf8))
      try await client.create(path, data: [1], acl: ACL.creatorAll)
      let identity = try await client.whoAmI()
      #expect(identity.contains(ClientInfo(scheme: "digest", user: "user")))
      #expect(
        try await client.getACL(path).acl == [
          ACL(permissions: .all, scheme: "digest", id: "user:smGaoVKd/cQkjm7b88GyorAUz20=")
        ])
    }
    try await withSharedServer { client in
      await expectRefusal(.noAuth) { try await client.getData(path) }
      try await client.addAuth(scheme: "digest", auth: Array("user:pass".utf8))
      #expect(try await client.getData(path).data == [1])
    }
  }

  @Test func unknownSchemeEndsTheSession() async throws {
    let log = EventLog()
    try await withSharedServer {
      $0.defaultWatcher = log.handler
    } _: { client in
      await expectFailure(.authFailed) { try await client.addAuth(scheme: "nosuch", auth: []) }
      await expectFailure(.authFailed) { try await client.sync() }
      await expectFailure(.authFailed) { try await client.connected() }
      #expect(await client.snapshot().state == .authFailed)
      #expect(log.states == [.syncConnected, .authFailed])
    }
  }

  @Test func childrenAndEphemeralsAreListed() async throws {
    try await withSharedServer { client in
      let path = uniquePath("list")
      try await client.create(path)
      for name in ["a", "b", "c"] {
        try await client.create(path + "/" + name, mode: name == "b" ? .ephemeral : .persistent)
      }
      try await client.create(path + "/a/deep", mode: .ephemeral)
      #expect(try await client.getChildren(path).sorted() == ["a", "b", "c"])
      let (children, stat) = try await client.getChildren2(path)
      #expect(children.sorted() == ["a", "b", "c"])
      #expect(stat.numChildren == 3)
      #expect(try await client.getAllChildrenNumber(path) == 4)
      #expect(try await client.getEphemerals(path).sorted() == [path + "/a/deep", path + "/b"])
      #expect(try await client.getEphemerals().sorted() == [path + "/a/deep", path + "/b"])
      #expect(try await client.getChildren(path + "/c") == [])
      await expectRefusal(.noNode) { try await client.getChildren(path + "/none") }
      await expectRefusal(.noNode) { try await client.getAllChildrenNumber(path + "/none") }
    }
  }

  @Test func syncAndCheckAnswer() async throws {
    try await withSharedServer { client in
      let path = uniquePath("check")
      try await client.create(path)
      try await client.sync(path)
      try await client.sync()
      try await client.check(path)
      try await client.check(path, version: 0)
      let error = await expectRefusal(.badVersion) { try await client.check(path, version: 3) }
      #expect(error?.path == path)
      await expectRefusal(.noNode) { try await client.check(path + "/none") }
    }
  }

  @Test func multiDoesAllOrNothing() async throws {
    try await withSharedServer { client in
      let path = uniquePath("multi")
      #expect(try await client.multi([]) == [])
      let results = try await client.multi([
        .create(CreateRequest(path: path, data: [1], acl: ACL.openUnsafe, flags: 0)),
        .create2(CreateRequest(path: path + "/s-", data: nil, acl: ACL.openUnsafe, flags: 2)),
        .setData(SetDataRequest(path: path, data: [2], version: 0)),
        .check(PathVersionRequest(path: path, version: 1)),
      ])
      #expect(results.count == 4)
      #expect(results.first == .create(path: path))
      #expect(results.last == .check)
      guard case .setData(let stat) = results[2] else { return #expect(Bool(false)) }
      #expect(stat.version == 1)

      let failed: [MultiResult] = [.error(.ok), .error(.badVersion), .error(.runtimeInconsistency)]
      let error = await expectFailure(.rolledBack(failed)) {
        try await client.multi([
          .setData(SetDataRequest(path: path, data: [9], version: -1)),
          .check(PathVersionRequest(path: path, version: 77)),
          .delete(PathVersionRequest(path: path + "/none", version: -1)),
        ])
      }
      #expect(error?.keeperError == .badVersion)
      #expect(try await client.getData(path).data == [2])

      let reads = try await client.multiRead([
        .getData(PathWatchRequest(path: path)), .getData(PathWatchRequest(path: path + "/none")),
        .getChildren(PathWatchRequest(path: path)),
      ])
      guard case .getData(let read) = reads[0] else { return #expect(Bool(false)) }
      #expect(read.data == [2])
      #expect(reads[1] == .error(.noNode))
      #expect(reads[2] == .getChildren(["s-0000000000"]))
    }
  }

  @Test func membershipIsReadAndNotChangedOnALoneServer() async throws {
    try await withSharedServer { client in
      #expect(try await client.getConfig().stat.version >= -1)
      let request = ReconfigRequest(joiningServers: nil, leavingServers: "9", newMembers: nil, configVersion: -1)
      do {
        _ = try await client.reconfig(request)
        Issue.record("a lone server has no members to change")
      } catch let error as ZooKeeperError {
        #expect(error.keeperError == .unimplemented || error.keeperError == .reconfigDisabled)
      }
    }
  }

  @Test func readsArePipelinedInOrder() async throws {
    try await withSharedServer { client in
      let path = uniquePath("pipeline")
      try await client.create(path)
      for index in 0..<10 { try await client.create(path + "/\(index)", data: [UInt8(index)]) }
      let requests = (0..<10_000).map { ClientRequest.getData(PathWatchRequest(path: path + "/\($0 % 10)")) }
      let replies = await client.callAll(requests, in: RequestWindow(10_000)) { _, bytes throws(ZooKeeperError) in
        try GetDataResponse(reply: bytes)
      }
      #expect(replies.count == 10_000)
      let wrong = replies.enumerated().first { index, reply in (try? reply.get().data) != [UInt8(index % 10)] }
      #expect(wrong == nil)
    }
  }
}
