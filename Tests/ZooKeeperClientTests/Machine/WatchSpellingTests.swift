import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Two spellings of é are one text to Swift and two znodes to servers.
@Suite(.timeLimit(.minutes(10)))
struct WatchSpellingTests {
  @Test func spellingsAreWatchedApart() {
    let (composed, decomposed) = ("/\u{e9}", "/e\u{301}")
    var registry = WatchRegistry()
    registry.add(WatchRegistryTests.intent(.data, composed, 1))
    registry.add(WatchRegistryTests.intent(.data, decomposed, 2))
    registry.add(WatchRegistryTests.intent(.data, decomposed, 1))
    let named = registry.setWatches(relativeZxid: .zero).flatMap(\.dataWatches).map { Array($0.utf8) }
    #expect(named == [Array(decomposed.utf8), Array(composed.utf8)])
    #expect(registry.take(.nodeDataChanged, path: composed).map(\.rawValue) == [1])
    #expect(registry.isRegistered(WatcherID(rawValue: 1)))
    #expect(registry.take(.nodeDataChanged, path: decomposed).map(\.rawValue) == [1, 2])
    #expect(registry == WatchRegistry())
  }
}
