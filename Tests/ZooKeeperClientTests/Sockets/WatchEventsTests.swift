import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Watches against Apache's server: as sequences of events, and through the default watcher.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct WatchEventsTests {
  @Test func oneShotWatchesTellOnceAndEnd() async throws {
    try await withSharedServer { client in
      let path = uniquePath("watch")
      let (missing, created) = try await client.watchExists(path)
      #expect(missing == nil)
      try await client.create(path, data: [1])
      #expect(try await created.changes() == ["NodeCreated \(path)"])

      let (data, stat, changed) = try await client.watchData(path)
      #expect(data == [1])
      #expect(stat.version == 0)
      let (children, listed) = try await client.watchChildren(path)
      #expect(children == [])
      try await client.setData(path, data: [2])
      try await client.setData(path, data: [3])
      try await client.create(path + "/a")
      try await client.create(path + "/b")
      #expect(try await changed.changes() == ["NodeDataChanged \(path)"])
      #expect(try await listed.changes() == ["NodeChildrenChanged \(path)"])

      let (present, deleted) = try await client.watchExists(path + "/a")
      #expect(present != nil)
      try await client.delete(path + "/a")
      #expect(try await deleted.changes() == ["NodeDeleted \(path)/a"])
    }
  }

  @Test func lastingWatchesGoOn() async throws {
    try await withSharedServer { client in
      let path = uniquePath("watch")
      let flat = try await client.addWatch(path, mode: .persistent)
      var iterator = flat.makeAsyncIterator()
      try await client.create(path)
      try await client.setData(path, data: [1])
      try await client.setData(path, data: [2])
      try await client.create(path + "/a")
      try await client.delete(path + "/a")
      try await client.delete(path)
      var events: [String] = []
      for _ in 0..<6 { events.append(try #require(try await flat.nextChange(&iterator))) }
      #expect(
        events == [
          "NodeCreated \(path)", "NodeDataChanged \(path)", "NodeDataChanged \(path)", "NodeChildrenChanged \(path)",
          "NodeChildrenChanged \(path)", "NodeDeleted \(path)",
        ])
    }
  }

  @Test func recursiveWatchSeesDescendantsAndNoLists() async throws {
    try await withSharedServer { client in
      let path = uniquePath("watch")
      try await client.create(path)
      let deep = try await client.addWatch(path, mode: .persistentRecursive)
      var iterator = deep.makeAsyncIterator()
      let (_, listed) = try await client.watchChildren(path + "")
      try await client.create(path + "/a")
      try await client.create(path + "/a/b")
      try await client.setData(path + "/a/b", data: [1])
      try await client.delete(path + "/a/b")
      var events: [String] = []
      for _ in 0..<4 { events.append(try #require(try await deep.nextChange(&iterator))) }
      #expect(
        events == [
          "NodeCreated \(path)/a", "NodeCreated \(path)/a/b", "NodeDataChanged \(path)/a/b",
          "NodeDeleted \(path)/a/b",
        ])
      _ = listed
    }
  }

  @Test func defaultWatcherIsToldBeforeTheReply() async throws {
    let log = EventLog()
    try await withSharedServer {
      $0.defaultWatcher = log.handler
    } _: { client in
      let path = uniquePath("default")
      _ = try await client.exists(path, watch: true)
      try await client.create(path)
      // The reply is here, so the event was.
      #expect(log.events == ["NodeCreated \(path)"])
      _ = try await client.getData(path, watch: true)
      _ = try await client.getChildren(path, watch: true)
      try await client.create(path + "/a")
      try await client.setData(path, data: [])
      _ = try await client.getChildren2(path, watch: true)
      try await client.delete(path + "/a")
      try await client.addDefaultWatch(path, mode: .persistent)
      try await client.setData(path, data: [1])
      try await client.setData(path, data: [2])
      #expect(
        log.events.dropFirst() == [
          "NodeChildrenChanged \(path)", "NodeDataChanged \(path)", "NodeChildrenChanged \(path)",
          "NodeDataChanged \(path)", "NodeDataChanged \(path)",
        ])
      #expect(log.states == [.syncConnected])
    }
    try await eventually("last event") { log.states == [.syncConnected, .closed] ? () : nil }
  }

  @Test func failedReadSetsNoWatch() async throws {
    try await withSharedServer { client async throws in
      let path = uniquePath("watch")
      await expectRefusal(.noNode) { try await client.watchData(path) }
      await expectRefusal(.noNode) { try await client.watchChildren(path) }
      #expect(try await client.checkWatches(path, type: .any) == false)
    }
  }

  @Test func removedWatchesSayGoodbye() async throws {
    try await withSharedServer { client in
      let path = uniquePath("watch")
      try await client.create(path)
      let (_, _, data) = try await client.watchData(path)
      let (_, children) = try await client.watchChildren(path)
      #expect(try await client.checkWatches(path, type: .data))
      #expect(try await client.checkWatches(path, type: .children))
      try await client.removeWatches(path, type: .data)
      #expect(try await data.changes() == ["DataWatchRemoved \(path)"])
      #expect(try await client.checkWatches(path, type: .data) == false)
      try await client.removeWatches(path)
      #expect(try await children.changes() == ["ChildWatchRemoved \(path)"])
      await expectRefusal(.noWatcher) { try await client.removeWatches(path) }
    }
  }

  @Test func localRemovalNeedsNoServer() async throws {
    let proxy = try TCPProxy(to: try await ApacheServer.shared().port)
    try await withClient(proxy.connectString) { client in
      let path = uniquePath("watch")
      try await client.create(path)
      let (_, _, events) = try await client.watchData(path)
      proxy.stall()
      let quick = client.withTimeLimit(.milliseconds(50))
      await expectFailure(.timedOut(outcomeUnknown: true)) { try await quick.removeWatches(path) }
      try await quick.removeWatches(path, local: true)
      #expect(try await events.changes() == ["DataWatchRemoved \(path)"])
      proxy.resume()
    }
  }

  @Test func severalConsumersShareAWatch() async throws {
    try await withSharedServer { client in
      let path = uniquePath("watch")
      try await client.create(path)
      let first = try await client.watchData(path).events
      let second = try await client.watchExists(path).events
      var dropped: WatchEvents? = try await client.watchData(path).events
      #expect(dropped != nil)
      dropped = nil
      try await client.setData(path, data: [1])
      #expect(try await first.changes() == ["NodeDataChanged \(path)"])
      #expect(try await second.changes() == ["NodeDataChanged \(path)"])
    }
  }

  @Test func watchEndsWithTheSession() async throws {
    let path = uniquePath("watch")
    let events = try await withSharedServer { client in try await client.addWatch(path, mode: .persistent) }
    var states: [KeeperState] = []
    for try await event in events { states.append(event.state) }
    #expect(states == [.closed])
  }

  @Test func consumerThatIsTooSlowIsTold() async throws {
    let (events, sink) = WatchEvents.make()
    for _ in 0..<WatchEvents.limit + 1 { sink.send(.init(type: .nodeCreated, state: .syncConnected, path: "/a")) }
    var count = 0
    await expectFailure(.eventOverflow(limit: WatchEvents.limit)) {
      for try await _ in events { count += 1 }
    }
    #expect(count == WatchEvents.limit)
  }
}
