import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct WatchTests {
  private func events(_ client: Client) -> [String] { client.received().compactMap(\.event) }

  @Test func ownEventsComeBeforeTheReply() {
    let client = Bench().connect()
    client.call(.exists(PathWatchRequest(path: "/a", watch: true)))
    client.call(.getChildren(PathWatchRequest(path: "/", watch: true)))
    client.submit(.create(Bench.create("/a")))
    let received = client.received()
    #expect(received.map(\.event) == ["NodeCreated /a 2", "NodeChildrenChanged / 2", nil])
    client.submit(Bench.set("/a", "1"))
    #expect(client.received().map(\.event) == [nil])
  }

  @Test func standardWatchesFireOnce() {
    let bench = Bench()
    let watcher = bench.connect()
    let client = bench.connect()
    client.create("/a")
    watcher.call(.getData(PathWatchRequest(path: "/a", watch: true)))
    watcher.call(.getChildren2(PathWatchRequest(path: "/a", watch: true)))
    client.call(Bench.set("/a", "1"))
    client.call(Bench.set("/a", "2"))
    #expect(events(watcher) == ["NodeDataChanged /a 4"])
    watcher.call(.getData(PathWatchRequest(path: "/a", watch: true)))
    client.call(Bench.delete("/a"))
    #expect(events(watcher) == ["NodeDeleted /a 6"])
    #expect(bench.core.watchCount == 0)
    #expect(watcher.call(.getData(PathWatchRequest(path: "/a", watch: true))) == .noNode)
    #expect(bench.core.watchCount == 0)
  }

  @Test func persistentAndRecursiveWatchesStayAndCoexist() {
    let bench = Bench()
    let watcher = bench.connect()
    let client = bench.connect()
    client.create("/a")
    watcher.call(.addWatch(AddWatchRequest(path: "/a", mode: .persistent)))
    watcher.call(.addWatch(AddWatchRequest(path: "/", mode: .persistentRecursive)))
    watcher.call(.getData(PathWatchRequest(path: "/a", watch: true)))
    client.call(Bench.set("/a", "1"))
    client.create("/a/b")
    client.call(Bench.set("/a/b", "1"))
    client.call(Bench.delete("/a/b"))
    #expect(
      events(watcher) == [
        "NodeDataChanged /a 4", "NodeCreated /a/b 5", "NodeChildrenChanged /a 5", "NodeDataChanged /a/b 6",
        "NodeDeleted /a/b 7", "NodeChildrenChanged /a 7",
      ])
    func check(_ path: String, _ type: WatcherType) -> KeeperError? {
      watcher.call(.checkWatches(WatchesRequest(path: path, type: type)))
    }
    #expect(check("/a", .data) == .noWatcher && check("/a", .persistent) == .ok)
    #expect(check("/", .persistentRecursive) == .ok && check("/a", .any) == .ok && check("/b", .any) == .noWatcher)
    #expect(watcher.call(.removeWatches(WatchesRequest(path: "/a", type: .persistent))) == .ok)
    #expect(watcher.call(.removeWatches(WatchesRequest(path: "/a", type: .any))) == .noWatcher)
    client.call(Bench.set("/a", "2"))
    #expect(events(watcher) == ["NodeDataChanged /a 8"])
    bench.core.disconnected(watcher.connection)
    #expect(bench.core.watchCount == 0)
  }

  @Test func setWatchesMakesUpForLostTime() {
    let bench = Bench()
    let client = bench.connect()
    client.create("/old")
    client.create("/new")
    client.create("/changed")
    client.call(Bench.set("/changed", "1"))
    client.submit(
      .setWatches2(
        SetWatches(
          relativeZxid: Zxid(rawValue: 4), dataWatches: ["/gone", "/changed", "/old"], existWatches: ["/new", "/none"],
          childWatches: ["/gone", "/old"], persistentWatches: ["/p"], persistentRecursiveWatches: ["/r"])))
    let received = client.received()
    #expect(
      received.map(\.event) == [
        "NodeDeleted /gone -1", "NodeDataChanged /changed -1", "NodeCreated /new -1", "NodeDeleted /gone -1", nil,
      ])
    #expect(received.last?.error == .ok && bench.core.watchCount == 6)
  }

  @Test func eventsAreKeptFromWhoMayNotRead() {
    let bench = Bench()
    let owner = bench.connect()
    owner.call(.auth(AuthPacket(scheme: "digest", auth: Array("a:b".utf8))))
    let other = bench.connect()
    for client in [owner, other] { client.call(.exists(PathWatchRequest(path: "/x", watch: true))) }
    owner.submit(.create(Bench.create("/x", acl: ACL.creatorAll)))
    #expect(events(owner) == ["NodeCreated /x 3"] && events(other) == [])
    #expect(bench.core.counters.eventsFiltered == 1 && bench.core.watchCount == 0)
  }

  @Test func multiFiresPartByPartAndAFailedOneNothing() {
    let client = Bench().connect()
    client.create("/a")
    client.call(.addWatch(AddWatchRequest(path: "/", mode: .persistentRecursive)))
    let good: [MultiOperation] = [
      .create(Bench.create("/a/b")), .setData(SetDataRequest(path: "/a", data: nil, version: -1)),
      .delete(PathVersionRequest(path: "/a/b", version: -1)),
    ]
    client.submit(.multi(MultiRequest(operations: good + [.check(PathVersionRequest(path: "/a", version: 9))])))
    #expect(events(client) == [])
    client.submit(.multi(MultiRequest(operations: good)))
    #expect(events(client) == ["NodeCreated /a/b 4", "NodeDataChanged /a 4", "NodeDeleted /a/b 4"])
  }

  @Test func watchesHaveALimit() {
    let client = Bench { $0.maxWatchesPerConnection = 2 }.connect()
    for path in ["/a", "/b"] {
      #expect(client.call(.exists(PathWatchRequest(path: path, watch: true))) == .noNode)
    }
    #expect(client.call(.exists(PathWatchRequest(path: "/c", watch: true))) == .badArguments)
    #expect(client.call(.exists(PathWatchRequest(path: "/c"))) == .noNode)
  }

  @Test func multiReadFailsPartByPart() {
    let client = Bench().connect()
    client.create("/a", "x")
    let operations: [MultiOperation] = [
      .getData(PathWatchRequest(path: "/a", watch: true)), .getData(PathWatchRequest(path: "/no")),
      .getChildren(PathWatchRequest(path: "/")),
    ]
    guard case .multi(let response)? = client.body(.multiRead(MultiRequest(operations: operations))) else {
      Issue.record("no answer")
      return
    }
    #expect(response.results[1] == .error(.noNode) && response.results.count == 3)
    #expect(client.connection.watchCount == 0)
    #expect(
      client.call(.multiRead(MultiRequest(operations: [.delete(PathVersionRequest(path: "/a", version: -1))])))
        == .marshallingError)
  }
}
