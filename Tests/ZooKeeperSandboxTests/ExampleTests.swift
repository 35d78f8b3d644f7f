import Foundation
import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The examples of the documentation, compiled and run.
@Suite(.timeLimit(.minutes(2)))
struct ExampleTests {
  // example: server
  @Test func greetingIsStored() async throws {
    let server = try await LocalEnsemble.start(LocalEnsemble.Settings())
    let client = ZooKeeperClient(.init(try ConnectString(parsing: server.connectString)))
    try await client.create("/greeting", data: Array("hello".utf8))
    #expect(try await client.getData("/greeting").data == Array("hello".utf8))
    await client.close()
    await server.stop()
  }
  // end

  // example: ensemble
  @Test func writesSurviveTheirLeader() async throws {
    let ensemble = try await LocalEnsemble.start(LocalEnsemble.Settings(size: 3))
    let client = ZooKeeperClient(.init(try ConnectString(parsing: ensemble.connectString)))
    try await client.create("/before")

    let leader = try #require(await ensemble.status().first { $0.role == "leader" })
    try await ensemble.kill(leader.id)
    #expect(await ensemble.settle())

    #expect(try await client.exists("/before") != nil)
    await client.close()
    await ensemble.stop()
  }
  // end

  // example: faults
  @Test func writeWaitsForQuorum() async throws {
    let ensemble = try await LocalEnsemble.start(LocalEnsemble.Settings(size: 3))
    let client = ZooKeeperClient(.init(try ConnectString(parsing: ensemble.connectString)))
    try await ensemble.delay(.milliseconds(50), jitter: .milliseconds(10), seed: 1)
    try await ensemble.slowDisk(.milliseconds(100))

    let time = try await ContinuousClock().measure { try await client.create("/slow") }
    #expect(time >= .milliseconds(180))
    await client.close()
    await ensemble.stop()
  }
  // end

  /// The page shows what is compiled here, and nothing else.
  @Test func documentationShowsTheseExamples() throws {
    let here = URL(filePath: #filePath)
    let page = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Sources/ZooKeeperSandbox/ZooKeeperSandbox.docc/ZooKeeperSandbox.md")
    let shown = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
      .map { String($0.components(separatedBy: "```")[0]) }
    let compiled = try String(contentsOf: here, encoding: .utf8).components(separatedBy: "\n  // example: ").dropFirst()
      .map { part in
        part.components(separatedBy: "\n").dropFirst().prefix { $0 != "  // end" }
          .map { String($0.dropFirst(2)) + "\n" }.joined()
      }
    #expect(shown.count == 3 && Array(shown) == Array(compiled))
  }
}
