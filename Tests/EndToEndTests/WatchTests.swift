import Foundation
import TestKit
import Testing

/// Watches of single commands: the event is the answer.
@Suite(.timeLimit(.minutes(10)))
struct WatchTests {
  /// Waits until the server holds a watch on `path`.
  private func watchOn(_ path: String) async throws {
    let server = try await ApacheServer.shared()
    try await eventually("a watch on \(path)", within: .seconds(90)) {
      try server.fourLetterWord("wchp").split(separator: "\n").contains { $0 == path }
    }
  }

  @Test func getWaitsForTheNextChange() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("waits")
    try await #expect(zkcli("create", path, "v\n").exitStatus == 0)
    let watching = try zkcli.start("get", "-w", path)
    try await watchOn(path)
    #expect(try await watching.nextLine() == "v")
    #expect(watching.ending == nil)
    expect(try await zkcli("set", path, "w"))
    #expect(try await watching.nextLine() == "event: NodeDataChanged \(path)")
    #expect(try await watching.waitForEnd(within: .seconds(90)) == .exited(0))
    #expect(watching.bytes(of: .error).isEmpty)
  }

  @Test func existsWaitsForTheCreationAndListForAChild() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("appears")
    let waiting = try zkcli.start("exists", "-w", "-o", "json", path)
    try await watchOn(path)
    try await #expect(zkcli("create", path).exitStatus == 0)
    // One document: what was found, and the event that was waited for.
    let document = try jsonObject(try #require(try await waiting.nextLine()))
    #expect(document["exists"] as? Bool == false)
    let event = try #require(document["event"] as? [String: Any])
    #expect(event["event"] as? String == "NodeCreated")
    #expect(event["path"] as? String == path)
    #expect(try await waiting.waitForEnd(within: .seconds(90)) == .exited(1))
    try await #expect(zkcli("create", "\(path)/first").exitStatus == 0)
    let listing = try zkcli.start("ls", "-w", path)
    #expect(try await listing.nextLine() == "first")
    try await #expect(zkcli("create", "\(path)/second").exitStatus == 0)
    #expect(try await listing.nextLine() == "event: NodeChildrenChanged \(path)")
    #expect(try await listing.waitForEnd(within: .seconds(90)) == .exited(0))
  }

  @Test func addWatchStreamsUntilItsTimeIsOver() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("stream")
    try await #expect(zkcli("create", path).exitStatus == 0)
    let watching = try zkcli.start("addWatch", path, "-o", "jsonl", "--timeout", "20s")
    try await watchOn(path)
    let run = try await zkcli.script("create \(path)/a\nset \(path)/a v\ndelete \(path)/a\nset \(path) v\n")
    #expect(run.exitStatus == 0)
    for (type, place) in [
      ("NodeCreated", "\(path)/a"), ("NodeDataChanged", "\(path)/a"), ("NodeDeleted", "\(path)/a"),
      ("NodeDataChanged", path),
    ] {
      let event = try jsonObject(try #require(try await watching.nextLine()))
      #expect(event["event"] as? String == type)
      #expect(event["path"] as? String == place)
    }
    #expect(try await watching.waitForEnd(within: .seconds(90)) == .exited(8))
  }

  @Test func persistentWatchSeesTheZnodeAndItsChildrensNames() async throws {
    let zkcli = try await Zkcli.shared()
    let path = uniquePath("persistent")
    try await #expect(zkcli("create", path).exitStatus == 0)
    let watching = try zkcli.start("addWatch", "-m", "persistent", path)
    try await watchOn(path)
    let run = try await zkcli.script("create \(path)/a\nset \(path)/a v\nset \(path) v\n")
    #expect(run.exitStatus == 0)
    #expect(try await watching.nextLine() == "event: NodeChildrenChanged \(path)")
    #expect(try await watching.nextLine() == "event: NodeDataChanged \(path)")
    watching.send(signal: SIGINT)
    #expect(try await watching.waitForEnd(within: .seconds(90)) == .exited(130))
  }
}
