import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// A client whose root is a znode somewhere below.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ChrootTests {
  @Test(arguments: [nil, "/app", "/a/b", "/\u{301}x"]) func pathsGoInAndOutOfAChroot(root: String?) {
    let chroot = Chroot(path: root)
    for path in ["/", "/x", "/x/y", "/\u{301}x"] {
      let absolute = chroot.absolute(path)
      #expect(absolute.utf8.starts(with: (root ?? "").utf8))
      #expect(chroot.relative(absolute).utf8.elementsEqual(path.utf8))
    }
    #expect(chroot.absolute("/") == root ?? "/")
    #expect(chroot.relative("/zookeeper/config") == "/zookeeper/config")
    #expect(chroot.relative("/apple") == "/apple")
    let event = WatchEvent.session(.expired)
    #expect(chroot.relative(event) == event)
  }

  @Test func everythingHappensBelowTheChroot() async throws {
    let root = uniquePath("chroot")
    let log = EventLog()
    try await withSharedServer { outside in
      try await outside.create(root)
      try await withSharedServer(chroot: root) {
        $0.defaultWatcher = log.handler
      } _: { client in
        #expect(try await client.create("/a") == "/a")
        #expect(try await client.create2("/s-", mode: .persistentSequential).path == "/s-0000000001")
        #expect(try await outside.getChildren(root).sorted() == ["a", "s-0000000001"])
        #expect(try await client.getChildren("/").sorted() == ["a", "s-0000000001"])
        let results = try await client.multi([
          .create(CreateRequest(path: "/m", data: nil, acl: ACL.openUnsafe, flags: 0)),
          .createTTL(
            CreateTTLRequest(
              create: CreateRequest(path: "/t", data: nil, acl: ACL.openUnsafe, flags: 5), ttlMilliseconds: 60_000)),
          .delete(PathVersionRequest(path: "/m", version: 0)),
        ])
        #expect(results.first == .create(path: "/m"))
        let error = await expectRefusal(.noNode) { try await client.getData("/none") }
        #expect(error?.path == "/none")
        // Membership is above all roots.
        _ = try await client.getConfig()

        _ = try await client.getChildren("/", watch: true)
        _ = try await client.getData("/a", watch: true)
        let watch = try await client.addWatch("/", mode: .persistentRecursive)
        try await client.setData("/a", data: [1])
        try await client.create("/a/b")
        try await client.sync()
        #expect(log.events.first == "NodeDataChanged /a")
        var iterator = watch.makeAsyncIterator()
        #expect(try await watch.nextChange(&iterator) == "NodeDataChanged /a")
        #expect(try await watch.nextChange(&iterator) == "NodeCreated /a/b")
      }
    }
  }

  @Test func eventOfTheChrootItselfIsTheRoots() async throws {
    let root = uniquePath("chroot")
    try await withSharedServer { outside in
      try await outside.create(root)
      try await withSharedServer(chroot: root) { client in
        let (_, _, data) = try await client.watchData("/")
        let (_, children) = try await client.watchChildren("/")
        try await outside.setData(root, data: [1])
        try await outside.create(root + "/x")
        #expect(try await data.changes() == ["NodeDataChanged /"])
        #expect(try await children.changes() == ["NodeChildrenChanged /"])
      }
    }
  }

  @Test func missingChrootIsNoNode() async throws {
    try await withSharedServer(chroot: uniquePath("missing")) { client async throws in
      await expectRefusal(.noNode) { try await client.create("/x") }
      #expect(try await client.exists("/") == nil)
    }
  }
}
