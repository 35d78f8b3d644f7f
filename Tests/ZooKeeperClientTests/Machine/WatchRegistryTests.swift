import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Which watchers get which events, and which no longer do.
@Suite(.timeLimit(.minutes(10)))
struct WatchRegistryTests {
  /// One watcher for each kind, on one path; the default one has none.
  static func full(_ path: String) -> WatchRegistry {
    var registry = WatchRegistry()
    for kind in WatchKind.allCases { registry.add(Self.intent(kind, path)) }
    return registry
  }

  static func intent(_ kind: WatchKind, _ path: String, _ watcher: Int? = nil) -> WatchIntent {
    WatchIntent(path: path, kind: kind, watcher: WatcherID(rawValue: watcher ?? kind.rawValue + 1))
  }

  /// Watchers: 1 data, 2 exist, 3 child, 4 persistent, 5 recursive.
  static let rules: [(EventType, served: [Int], left: [Int])] = [
    (.nodeCreated, [1, 2, 4, 5], [3, 4, 5]), (.nodeDataChanged, [1, 2, 4, 5], [3, 4, 5]),
    (.nodeChildrenChanged, [3, 4], [1, 2, 4, 5]), (.nodeDeleted, [1, 2, 3, 4, 5], [4, 5]),
  ]

  @Test(arguments: rules) func eventGoesToThoseItIsFor(type: EventType, served: [Int], left: [Int]) {
    var registry = Self.full("/a")
    #expect(registry.take(type, path: "/a").map(\.rawValue) == served)
    #expect(registry.watchers.map(\.rawValue) == left)
    // What was used up is not served again.
    let again = registry.take(type, path: "/a").map(\.rawValue)
    #expect(again == served.filter { $0 > 3 })
  }

  @Test(arguments: [EventType.nodeCreated, .nodeDataChanged, .nodeDeleted, .nodeChildrenChanged])
  func otherPathsAreNotConcerned(type: EventType) {
    var registry = Self.full("/a")
    #expect(registry.take(type, path: "/ab") == [])
    #expect(registry.take(type, path: "/") == [])
    // Only the recursive one looks below.
    let below = registry.take(type, path: "/a/b/c").map(\.rawValue)
    #expect(below == (type == .nodeChildrenChanged ? [] : [5]))
    #expect(registry == Self.full("/a"))
  }

  @Test func recursiveWatchOfTheRootSeesEverything() {
    var registry = WatchRegistry()
    registry.add(Self.intent(.persistentRecursive, "/"))
    for path in ["/", "/a", "/a/b"] {
      #expect(registry.take(.nodeDataChanged, path: path).map(\.rawValue) == [5])
      #expect(registry.take(.nodeChildrenChanged, path: path) == [])
    }
  }

  @Test func eachWatcherIsToldOncePerEvent() {
    var registry = WatchRegistry()
    for kind in WatchKind.allCases { registry.add(Self.intent(kind, "/a/b", 7)) }
    registry.add(Self.intent(.persistentRecursive, "/a", 7))
    registry.add(Self.intent(.data, "/a/b", 2))
    registry.add(WatchIntent(path: "/a/b", kind: .data, watcher: .default))
    #expect(registry.take(.nodeDataChanged, path: "/a/b").map(\.rawValue) == [0, 2, 7])
    #expect(!registry.isRegistered(WatcherID(rawValue: 2)))
    #expect(registry.isRegistered(WatcherID(rawValue: 7)))
  }

  /// Watchers: 1 data, 2 exist, 3 child, 4 persistent, 5 recursive.
  static let removals: [(WatcherType, events: [String], left: [Int])] = [
    (.children, ["ChildWatchRemoved [3]"], [1, 2, 4, 5]), (.data, ["DataWatchRemoved [1, 2]"], [3, 4, 5]),
    (.persistent, ["PersistentWatchRemoved [4]"], [1, 2, 3, 5]),
    (.persistentRecursive, ["PersistentWatchRemoved [5]"], [1, 2, 3, 4]),
    (.any, ["ChildWatchRemoved [3]", "DataWatchRemoved [1, 2]", "PersistentWatchRemoved [4, 5]"], []),
  ]

  @Test(arguments: removals) func removalTellsThoseItMeans(type: WatcherType, events: [String], left: [Int]) {
    var registry = Self.full("/a")
    #expect(registry.remove(path: "/b", type: type).isEmpty)
    let told = registry.remove(path: "/a", type: type).map { "\($0.event.name) \($0.watchers.map(\.rawValue))" }
    #expect(told == events)
    #expect(registry.watchers.map(\.rawValue) == left)
  }

  @Test func watcherThatGoesAwayLeavesNothing() {
    var registry = WatchRegistry()
    for kind in WatchKind.allCases { registry.add(Self.intent(kind, "/a", 7)) }
    registry.add(Self.intent(.data, "/a", 8))
    registry.remove(WatcherID(rawValue: 7))
    registry.remove(WatcherID(rawValue: 99))
    #expect(registry.setWatches(relativeZxid: .zero) == [SetWatches(relativeZxid: .zero, dataWatches: ["/a"])])
    registry.remove(WatcherID(rawValue: 8))
    #expect(registry == WatchRegistry())
  }

  @Test func everythingIsNamedAgainInOrder() {
    var registry = Self.full("/b")
    for kind in WatchKind.allCases { registry.add(Self.intent(kind, "/a", 9)) }
    #expect(
      registry.setWatches(relativeZxid: Zxid(rawValue: 5)) == [
        SetWatches(
          relativeZxid: Zxid(rawValue: 5), dataWatches: ["/a", "/b"], existWatches: ["/a", "/b"],
          childWatches: ["/a", "/b"], persistentWatches: ["/a", "/b"], persistentRecursiveWatches: ["/a", "/b"])
      ])
    #expect(WatchRegistry().setWatches(relativeZxid: .zero) == [])
  }

  @Test(arguments: [0, 1]) func pieceIsAsLongAsAllowedAndNoLonger(over: Int) {
    var registry = WatchRegistry()
    // With its four bytes of length each, two of these fill a piece.
    let half = WatchRegistry.setWatchesChunkBytes / 2 - 4
    registry.add(Self.intent(.data, "/" + String(repeating: "a", count: half - 1)))
    registry.add(Self.intent(.child, "/" + String(repeating: "b", count: half - 1 + over)))
    #expect(registry.setWatches(relativeZxid: .zero).count == 1 + over)
  }

  @Test func pathLongerThanAPieceIsSentAlone() {
    var registry = WatchRegistry()
    let long = "/" + String(repeating: "a", count: WatchRegistry.setWatchesChunkBytes)
    registry.add(Self.intent(.data, long))
    registry.add(Self.intent(.data, "/b"))
    #expect(registry.setWatches(relativeZxid: .zero).map(\.dataWatches) == [[long], ["/b"]])
  }
}
