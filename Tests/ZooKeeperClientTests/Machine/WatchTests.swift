import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Watches as requests set them and replies allow them.
@Suite(.timeLimit(.minutes(10)))
struct WatchTests {
  static let replies: [(WatchKind, KeeperError, served: [String])] = [
    (.data, .ok, ["[1] NodeDataChanged /a"]), (.data, .noNode, []), (.child, .noNode, []), (.child, .noAuth, []),
    (.exist, .ok, ["[1] NodeDataChanged /a"]), (.exist, .noNode, ["[1] NodeDataChanged /a"]), (.exist, .noAuth, []),
    (.persistent, .ok, ["[1] NodeDataChanged /a"]), (.persistent, .noNode, ["[1] NodeDataChanged /a"]),
    (.persistentRecursive, .ok, ["[1] NodeDataChanged /a"]), (.persistent, .noAuth, []),
  ]

  @Test(arguments: replies) func watchCountsOnceTheReplyAllowsIt(
    kind: WatchKind, error: KeeperError, served: [String]
  ) throws {
    var harness = try Harness.connected()
    try harness.watch(kind, "/a", 1, error)
    try harness.notify(.nodeDataChanged, "/a")
    #expect(harness.take().events == served)
  }

  @Test func existsOfAZnodeThatIsThereWatchesItsData() throws {
    var harness = try Harness.connected()
    try harness.watch(.exist, "/there", 1)
    try harness.watch(.exist, "/missing", 2, .noNode)
    harness.disconnect()
    harness.open()
    _ = harness.frames()
    try harness.connect()
    guard case .setWatches(let request)? = harness.frames().first?.request else { return #expect(Bool(false)) }
    #expect(request.dataWatches == ["/there"])
    #expect(request.existWatches == ["/missing"])
  }

  @Test func oneShotWatchIsOverAfterItsEventAndAPersistentOneIsNot() throws {
    var harness = try Harness.connected()
    try harness.watch(.data, "/a", 1)
    try harness.watch(.persistent, "/a", 2)
    try harness.watch(.persistentRecursive, "/", 3)
    _ = harness.take()
    try harness.notify(.nodeDataChanged, "/a", zxid: 7)
    let first = harness.take()
    #expect(first.events == ["[1, 2, 3] NodeDataChanged /a"])
    #expect(first.finished == [1])
    try harness.notify(.nodeDeleted, "/a")
    try harness.notify(.nodeChildrenChanged, "/a")
    try harness.notify(.nodeChildrenChanged, "/")
    let second = harness.take()
    #expect(second.events == ["[2, 3] NodeDeleted /a", "[2] NodeChildrenChanged /a"])
    #expect(second.finished == [])
  }

  @Test func eventHasTheTransactionWhenTheServerTells() throws {
    for (zxid, told) in [(-1, nil), (0, nil), (9, Zxid(rawValue: 9))] as [(Int64, Zxid?)] {
      var harness = try Harness.connected()
      try harness.watch(.data, "/a", 1)
      _ = harness.take()
      try harness.notify(.nodeDataChanged, "/a", zxid: zxid)
      guard case .notify(_, let event)? = harness.take().first else { return #expect(Bool(false)) }
      #expect(event == WatchEvent(type: .nodeDataChanged, state: .syncConnected, path: "/a", zxid: told))
    }
  }

  @Test func stateChangesGoToEveryWatcher() throws {
    var harness = try Harness.connected()
    try harness.watch(.data, "/a", 1)
    try harness.watch(.persistent, "/b", 2)
    _ = harness.take()
    harness.disconnect()
    try harness.connect()
    let told = harness.take().compactMap { action -> String? in
      if case .notify(let watchers, let event) = action { "\(watchers.map(\.rawValue)) \(event.state)" } else { nil }
    }
    #expect(told == ["[0, 1, 2] disconnected", "[0, 1, 2] syncConnected"])
  }

  @Test func removedWatchesTellTheirWatchers() throws {
    var harness = try Harness.connected()
    try harness.watch(.data, "/a", 1)
    try harness.watch(.persistent, "/a", 1)
    try harness.watch(.child, "/a", 2)
    try harness.watch(.data, "/a", 0)
    _ = harness.take()
    harness.machine.removeWatches(path: "/a", type: .data, into: &harness.actions)
    let data = harness.take()
    #expect(data.events == ["[0, 1] DataWatchRemoved /a"])
    #expect(data.finished == [])
    harness.machine.removeWatches(path: "/a", type: .any, into: &harness.actions)
    let rest = harness.take()
    #expect(rest.events == ["[2] ChildWatchRemoved /a", "[1] PersistentWatchRemoved /a"])
    #expect(rest.finished == [2, 1])
  }

  @Test func watcherThatIsGoneGetsNothing() throws {
    var harness = try Harness.connected()
    try harness.watch(.persistent, "/a", 1)
    harness.machine.removeWatcher(WatcherID(rawValue: 1))
    _ = harness.take()
    try harness.notify(.nodeDataChanged, "/a")
    #expect(harness.take().isEmpty)
  }
}

/// Servers that can only read, and the way back from them.
@Suite(.timeLimit(.minutes(10)))
struct ReadOnlyTests {
  static func readOnly(servers: Int = 3) throws -> Harness {
    var harness = Harness(servers: servers) { $0.allowsReadOnly = true }
    harness.start()
    try harness.connect(readOnly: true)
    _ = harness.frames()
    return harness
  }

  @Test func sessionOfAReadOnlyServerIsItsOwn() throws {
    var harness = try Self.readOnly()
    #expect(harness.machine.state == .connectedReadOnly)
    #expect(harness.take().states == [.connectedReadOnly])
    harness.submit(1)
    try harness.reply(1, zxid: 33)
    harness.disconnect()
    _ = harness.frames()
    harness.open()
    guard case .connect(let request)? = harness.frames().first else { return #expect(Bool(false)) }
    // It is not taken along, what was seen is.
    #expect(request.sessionID == .none)
    #expect(request.password == [UInt8](repeating: 0, count: 16))
    #expect(request.lastZxidSeen == Zxid(rawValue: 33))
    // Its refusal is no expiry.
    try harness.respond(ConnectResponse(timeoutMilliseconds: 0, sessionID: .none, password: [], readOnly: true).padded)
    #expect(harness.machine.phase == .connecting)
  }

  @Test func sessionOfAReadWriteServerIsKeptOnAReadOnlyOne() throws {
    var harness = Harness(servers: 2) { $0.allowsReadOnly = true }
    harness.start()
    try harness.connect()
    harness.disconnect()
    try harness.connect(readOnly: true)
    harness.disconnect()
    _ = harness.frames()
    harness.open()
    guard case .connect(let request)? = harness.frames().first else { return #expect(Bool(false)) }
    #expect(request.sessionID == Harness.session)
  }

  @Test func otherServersAreAskedForAReadWriteOne() throws {
    var harness = try Self.readOnly()
    _ = harness.take()
    var pause: Int64 = 100
    var asked: [String] = []
    for _ in 0..<6 {
      harness.tick(after: pause - 1)
      #expect(harness.take().probes == [])
      harness.tick(after: 1)
      asked += harness.take().probes
      pause *= 2
      try harness.reply(-2)
    }
    let own = harness.machine.servers[0].host
    #expect(asked.count == 6)
    #expect(!asked.contains(own))
    #expect(Set(asked).count == 2)
  }

  @Test func readWriteServerThatIsFoundIsTaken() throws {
    var harness = try Self.readOnly()
    let attempt = harness.machine.attempt
    _ = harness.take()
    let found = harness.machine.servers[2]
    harness.machine.onProbe(harness.machine.servers[1], isReadWrite: false, now: harness.now, into: &harness.actions)
    #expect(harness.take().isEmpty)
    harness.machine.onProbe(found, isReadWrite: true, now: harness.now, into: &harness.actions)
    let actions = harness.take()
    #expect(actions.disconnects == [attempt])
    #expect(actions.connects == [found.host])
    try harness.connect()
    #expect(harness.machine.state == .syncConnected)
    #expect(harness.machine.nextProbe == nil)
    // A late answer changes nothing.
    _ = harness.take()
    harness.machine.onProbe(found, isReadWrite: true, now: harness.now, into: &harness.actions)
    #expect(harness.take().isEmpty)
  }

  @Test func onlyServerHasNobodyToAskFor() throws {
    var harness = try Self.readOnly(servers: 1)
    _ = harness.take()
    harness.tick(after: 1_000)
    #expect(harness.take().probes == [])
  }
}
