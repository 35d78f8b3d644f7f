import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Transactions that are larger than the requests they come from, and those that other limits allowed.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct LargeTransactionTests {
  /// ZOOKEEPER-4306: the names of 300 ephemerals are more than servers with such a limit read from each other.
  @Test func aSessionWithManyEphemeralsEnds() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.tickTimeMilliseconds = 1000
    configuration.extraLines = ["jute.maxbuffer=65536"]
    let ensemble = try await ServerEnsemble.start(configuration)
    let leader = try await ensemble.waitForLeader()
    let name = String(repeating: "n", count: 800)
    // Both ways for a session to end: asked for, and by its time.
    for closes in [true, false] {
      let client = try session(ensemble.connectString, timeout: .seconds(6))
      try await client.connected(failsFast: false)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<300 {
          group.addTask { _ = try await client.create("/\(name)\(10_000 + number)", mode: .ephemeral) }
        }
        try await group.waitForAll()
      }
      await client.close(limit: closes ? .seconds(30) : .zero)
      try await leader.withClient { other in
        try await eventually("the end of the ephemerals", within: .seconds(40), every: .milliseconds(100)) {
          try await other.exists("/")?.numChildren == 1
        }
      }
    }
    #expect(leader.mode == "leader")
    try await ensemble.writeThroughEach("/after")
    try await ensemble.expectIdenticalTrees()
    try await ensemble.kill()
  }

  /// A member takes what its leader sends, whatever it would take from a client itself: by DIFF, as a proposal and in a
  /// tree; and it starts on a log with that.
  @Test func aLearnerHasALowerLimitThanItsLeader() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.ownLines = [3: ["jute.maxbuffer=10485760"]]
    let ensemble = try await ServerEnsemble.start(configuration, first: [2, 3])
    #expect(try await ensemble.waitForLeader().id == 3)
    let follower = ensemble[1]
    func write(_ path: String) async throws {
      var settings = ZooKeeperClient.Configuration(try ConnectString(parsing: ensemble[3].connectString))
      settings.maximumFrameBytes = 10 << 20
      let client = ZooKeeperClient(settings)
      try await client.connected(failsFast: false)
      _ = try await client.create(path, data: [UInt8](repeating: 7, count: 6 << 20))
      await client.close()
    }
    try await write("/proposed")
    try await follower.withClient { client in
      try await client.sync("/")
      #expect(try await client.exists("/proposed")?.dataLength == 6 << 20)
    }
    try await follower.kill()
    try await write("/away")
    try await follower.rejoin(by: .diff)
    // More than the leader keeps in memory to bring others up to date with.
    for number in 0..<4 { try await write("/more-\(number)") }
    try await follower.kill()
    try follower.wipe()
    try await follower.rejoin(by: .snap)
    try await write("/again")
    try await follower.stop()
    try await follower.launch()
    try await ensemble.waitUntilServing()
    try await follower.withClient { client in
      try await client.sync("/")
      let more = (0..<4).map { "more-\($0)" }
      #expect(try await client.getChildren("/").sorted() == ["again", "away"] + more + ["proposed", "zookeeper"])
    }
    try await ensemble.kill()
  }
}
