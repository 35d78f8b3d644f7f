import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// Slow and broken links, slow disks, wrong clocks, and sessions that end.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct FaultTests {
  private func measure(_ body: () async throws -> Void) async rethrows -> Duration {
    try await ContinuousClock().measure { try await body() }
  }

  @Test func messageArrivesLaterByTheDelay() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await withClient(ensemble.connectString) { client in
        try await client.create("/a")
        try await ensemble.delay(.milliseconds(150))
        // A proposal to the nearer of two followers and its acknowledgement, whichever server the client is on.
        let slow = try await measure { try await client.setData("/a", data: [1]) }
        #expect(slow >= .milliseconds(300))
        let members = await ensemble.status()
        #expect(members.allSatisfy { $0.faultyLinks.map(\.delay) == [.milliseconds(150), .milliseconds(150)] })
        // A server that starts again has the same links.
        try await ensemble.restart(1)
        #expect(await ensemble.settle())
        let restarted = try await measure { try await client.setData("/a", data: [2]) }
        #expect(restarted >= .milliseconds(300))
        await ensemble.heal()
        #expect(await ensemble.status().allSatisfy { $0.faultyLinks == [] })
        #expect(try await client.getData("/a").data == [2])
      }
    }
  }

  @Test func onlyNamedServersAreSlow() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 5)) { ensemble in
      try await ensemble.delay(.milliseconds(20), jitter: .milliseconds(5), among: [1, 2, 3], seed: 7)
      try await ensemble.delay(.milliseconds(30), among: [5])
      let links = await ensemble.status().map { $0.faultyLinks.map { "\($0.id):\($0.delay):\($0.jitter)" } }
      let slow = "0.02 seconds:0.005 seconds"
      let five = "5:0.03 seconds:0.0 seconds"
      #expect(links[0] == ["2:\(slow)", "3:\(slow)", five] && links[3] == [five])
      #expect(links[4].count == 4)
      try await ensemble.delay(.zero, among: [5])
      #expect(await ensemble.status().map(\.faultyLinks.count) == [2, 2, 2, 0, 0])
      #expect(await ensemble.settle())
    }
  }

  @Test func messagesKeepTheirOrderWhateverTheirDelay() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await ensemble.delay(.milliseconds(10), jitter: .milliseconds(10), seed: 3)
      try await withClient(ensemble.connectString) { client in
        try await client.create("/a")
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<50 { group.addTask { try await client.create("/a/\(number)") } }
          try await group.waitForAll()
        }
        #expect(try await client.getChildren("/a").count == 50)
      }
      let zxids = Set(await ensemble.status().filter { $0.role == "leader" }.compactMap(\.zxid))
      #expect(zxids.count == 1)
    }
  }

  @Test func treeIsSentOverSlowLink() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let follower = try #require(await ensemble.status().first { $0.role == "follower" }).id
      // The client must not lose its connection with that server.
      let others = ensemble.connectString.split(separator: ",").enumerated().filter { $0.offset != follower - 1 }
      try await withClient(others.map { String($0.element) }.joined(separator: ",")) { client in
        let data = [UInt8](repeating: 7, count: 900_000)
        for number in 0..<8 { try await client.create("/big\(number)", data: data) }
        try await ensemble.kill(follower)
        // More than a leader keeps to send the difference.
        for _ in 0..<40 { try await client.setData("/big0", data: data) }
        try await ensemble.delay(.milliseconds(40))
        let trace = await ensemble.startTrace()
        try await ensemble.restart(follower)
        #expect(await ensemble.settle())
        await ensemble.end(trace)
        #expect(trace.take().events.contains { $0.kind == .snap && $0.server == follower })
        #expect(await ensemble.status()[follower - 1].isServing)
      }
    }
  }

  @Test func brokenConnectionsAreMadeAgain() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let seed = try await ensemble.breakConnections(probability: 0.02, seed: 11)
      #expect(seed == 11)
      #expect(await ensemble.status().allSatisfy { $0.faultyLinks.allSatisfy { $0.breakProbability == 0.02 } })
      try await withClient(ensemble.connectString) { client in
        for number in 0..<40 {
          // A write whose connection broke may have been carried out or not.
          while true {
            do throws(ZooKeeperError) {
              try await client.create("/n\(number)")
              break
            } catch {
              if case .server(.nodeExists) = error.code { break }
            }
          }
        }
        await ensemble.heal()
        #expect(await ensemble.settle())
        try await client.sync("/")
        #expect(try await client.getChildren("/").count == 41)
      }
    }
  }

  @Test func nothingGetsThroughWhereEveryMessageBreaks() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let follower = try #require(await ensemble.status().first { $0.role == "follower" }).id
      try await ensemble.breakConnections(probability: 1, among: [follower])
      while await ensemble.status()[follower - 1].isServing { try await Task.sleep(for: .milliseconds(5)) }
      await ensemble.heal()
      #expect(await ensemble.settle())
      #expect(await ensemble.status()[follower - 1].isServing)
    }
  }

  @Test func writeWaitsForSlowDisks() async throws {
    for size in [1, 3] {
      try await withEnsemble(LocalEnsemble.Settings(size: size)) { ensemble in
        try await withClient(ensemble.connectString) { client in
          try await client.create("/a")
          try await ensemble.slowDisk(.milliseconds(120))
          let slow = try await measure { try await client.setData("/a", data: [1]) }
          #expect(slow >= .milliseconds(120), "\(size) servers")
          // The event loop does not wait with the disk: a read is answered while a write is being synced.
          async let write = client.setData("/a", data: [2])
          #expect(try await client.getData("/a").data != nil)
          _ = try await write
          #expect(await ensemble.status().allSatisfy { $0.diskDelay == .milliseconds(120) })
          try await ensemble.slowDisk(.seconds(60))
          async let stuck = client.setData("/a", data: [3])
          try await Task.sleep(for: .milliseconds(20))
          // What waits for the disk goes on when it is quick again.
          try await ensemble.slowDisk(.zero)
          _ = try await stuck
        }
      }
    }
  }

  @Test func clockIsWrongAndSessionsGoOn() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await withClient(ensemble.connectString) { client in
        try await client.create("/held", mode: .ephemeral)
        let before = try #require(try await client.exists("/held")).ctimeMilliseconds
        try await ensemble.setClock(ahead: .seconds(3600))
        try await client.create("/later")
        let later = try #require(try await client.exists("/later"))
        #expect(later.ctimeMilliseconds >= before + 3_600_000)
        try await ensemble.setClock(ahead: .seconds(-7200))
        try await client.create("/earlier")
        #expect(try #require(try await client.exists("/earlier")).ctimeMilliseconds < before)
        #expect(try await client.exists("/held") != nil)
        #expect(await ensemble.status().allSatisfy { $0.clockOffset == .seconds(-7200) })
      }
    }
  }

  @Test func sessionIsExpired() async throws {
    for size in [1, 3] {
      try await withEnsemble(LocalEnsemble.Settings(size: size)) { ensemble in
        try await withClient(ensemble.connectString) { other in
          try await withClient(ensemble.connectString) { client in
            try await client.create("/held", mode: .ephemeral)
            let session = await client.snapshot().sessionID.rawValue
            try await ensemble.expire(session: session)
            try await other.sync("/")
            #expect(try await other.exists("/held") == nil)
            await #expect(throws: SandboxError.self) { try await ensemble.expire(session: session) }
            var last: ZooKeeperError.Code?
            repeat {
              do throws(ZooKeeperError) {
                _ = try await client.exists("/")
                Issue.record("the session goes on")
                break
              } catch { last = error.code }
              // The server closes the connection, on which a request may just have been sent.
            } while last == .connectionLoss(outcomeUnknown: true)
            #expect(last == .sessionExpired)
          }
        }
        await #expect(throws: SandboxError("there is no session 0x2a")) { try await ensemble.expire(session: 42) }
      }
    }
  }

  @Test func impossibleFaultsAreRefused() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      for time in [Duration.seconds(61), .seconds(-1), .seconds(Int64.max)] {
        await #expect(throws: SandboxError.self) { try await ensemble.delay(time) }
        await #expect(throws: SandboxError.self) { try await ensemble.delay(.seconds(1), jitter: time) }
        await #expect(throws: SandboxError.self) { try await ensemble.slowDisk(time) }
      }
      for offset in [Duration.seconds(Int64.max), .seconds(Int64.min), .seconds(400_000_000)] {
        await #expect(throws: SandboxError.self) { try await ensemble.setClock(ahead: offset) }
      }
      for probability in [-0.1, 1.1, .nan, .infinity] {
        await #expect(throws: SandboxError.self) { try await ensemble.breakConnections(probability: probability) }
      }
      for id in [0, 4, -1, Int.max] {
        await #expect(throws: SandboxError.self) { try await ensemble.delay(.seconds(1), among: [1, id]) }
        await #expect(throws: SandboxError.self) { try await ensemble.slowDisk(.seconds(1), of: [id]) }
        await #expect(throws: SandboxError.self) { try await ensemble.setClock(ahead: .seconds(1), of: [id]) }
      }
      #expect(await ensemble.status().allSatisfy { $0.faultyLinks == [] && $0.diskDelay == .zero })
    }
    try await withEnsemble(LocalEnsemble.Settings()) { server in
      await #expect(throws: SandboxError.self) { try await server.delay(.milliseconds(1)) }
    }
  }
}
