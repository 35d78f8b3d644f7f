import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Watches whose callers have stopped waiting by the time the server has set them.
@Suite(.timeLimit(.minutes(10)))
struct GoneWatcherTests {
  @Test(arguments: ["limit", "cancel"]) func watchOfACallerWhoHasGoneIsNotKept(_ reason: String) throws {
    var harness = try Harness.connected()
    let request = ClientRequest.addWatch(AddWatchRequest(path: "/a", mode: .persistent))
    let intent = WatchIntent(path: "/a", kind: .persistent, watcher: WatcherID(rawValue: 1))
    harness.submit(5, request, watch: intent, limit: 10)
    if reason == "limit" { harness.tick(after: 10) } else { harness.cancel(5) }
    #expect(harness.take().completed == [5])
    // The caller's watcher goes with it, before the reply comes.
    harness.machine.removeWatcher(intent.watcher)
    try harness.reply(1)
    #expect(harness.machine.watches == WatchRegistry())
  }
}
