import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// A server that is killed loses nothing that it has acknowledged.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct CrashTests {
  /// How often the server is killed; the full proof takes 100 (`ZKCLI_KILL_ROUNDS`).
  static let roundCount =
    ProcessInfo.processInfo.environment["ZKCLI_KILL_ROUNDS"].flatMap { Int($0) } ?? 100

  @Test func killedAtRandomMomentsUnderLoad() async throws {
    var random = SeededGenerator()
    // Snapshots every few dozen transactions, so that kills hit them too.
    let server = try ServerUnderTest(["snapCount=150", "autopurge.purgeInterval=1"])
    var acknowledged = 0
    try await server.start()
    for round in 0..<Self.roundCount {
      let load = Load(root: "/round-\(round)", writerCount: 3)
      try await server.withClient { try await load.prepare($0) }
      let delay = Duration.microseconds(Int.random(in: 5_000...150_000, using: &random))
      try await Self.run(load, on: server, killingAfter: delay)
      try await server.start()
      try await server.withClient { try await load.check($0) }
      acknowledged += load.acknowledgedCount
      if round % 10 == 9 { try await Self.expectSameTreeAfterRestart(server, signal: SIGKILL) }
      #expect(!server.errorOutput.contains("digest differs"), "\(server.errorOutput)")
    }
    #expect(acknowledged > Self.roundCount)
    print("\(Self.roundCount) kills, \(acknowledged) acknowledged writes")
  }

  @Test func terminatedUnderLoadKeepsWhatItAcknowledged() async throws {
    // Snapshots follow each other directly, and never overlap.
    let server = try ServerUnderTest(["snapCount=20"])
    try await server.start()
    let load = Load(root: "/term", writerCount: 3)
    try await server.withClient { try await load.prepare($0) }
    let ending = try await Self.run(load, on: server, killingAfter: .milliseconds(300), signal: SIGTERM)
    #expect(ending == .exited(0), "\(server.errorOutput)")
    try await server.start()
    try await server.withClient { try await load.check($0) }
    #expect(load.acknowledgedCount > 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: "\(server.dataDirectory)/version-2")
    #expect(files.count { $0.hasPrefix("snapshot.") } > 3)
    try await Self.expectSameTreeAfterRestart(server, signal: SIGTERM)
  }

  /// Runs all writers, and ends the server while they write.
  @discardableResult
  static func run(
    _ load: Load, on server: ServerUnderTest, killingAfter delay: Duration, signal: Int32 = SIGKILL
  ) async throws -> RunningCommand.Ending? {
    var clients: [ZooKeeperClient] = []
    for _ in 0..<3 {
      let client = try server.client()
      try await client.connected(failsFast: false)
      clients.append(client)
    }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for (writer, client) in clients.enumerated() {
        group.addTask {
          await load.run(writer: writer, client)
          await client.close(limit: .zero)
        }
      }
      // The moment itself is what is drawn at random: there is no fact to wait for.
      let moment = ContinuousClock.now + delay
      try await eventually("the moment of the end", within: .seconds(90)) { ContinuousClock.now >= moment }
      let ending = try await server.end(by: signal)
      group.cancelAll()
      try await group.waitForAll()
      return ending
    }
  }

  /// The tree's digest is the same after another restart.
  static func expectSameTreeAfterRestart(_ server: ServerUnderTest, signal: Int32) async throws {
    let before = try digest(server)
    try await server.end(by: signal)
    try await server.start()
    #expect(try digest(server) == before)
  }

  /// The digest without the zxid, which changes when abandoned sessions end.
  private static func digest(_ server: ServerUnderTest) throws -> Substring? {
    try server.ask("hash").split(separator: " ").last
  }
}
