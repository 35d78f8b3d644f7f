import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// Servers inside of this process, by the library's interface alone.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct LocalEnsembleTests {
  @Test func serverStandsAloneAndReportsItself() async throws {
    try await withEnsemble(LocalEnsemble.Settings()) { server in
      try await withClient(server.connectString) { client in
        try await client.create("/a")
        let member = try #require(await server.status().first)
        #expect(member.id == 1 && member.state == .running && member.role == "standalone" && member.isServing)
        #expect(member.address == server.connectString && member.sessions == 1 && member.connections == 1)
        #expect(member.cutOff == [] && server.size == 1 && server.hasQuorum)
      }
    }
  }

  @Test func dataOutlivesTheServersWhereADirectoryIsGiven() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for size in [1, 3] {
      let settings = LocalEnsemble.Settings(size: size, dataDirectory: "\(directory)/\(size)")
      try await withEnsemble(settings) { ensemble in
        try await withClient(ensemble.connectString) { try await $0.create("/kept", data: [1, 2]) }
      }
      try await withEnsemble(settings) { ensemble in
        let data = try await withClient(ensemble.connectString) { try await $0.getData("/kept").data }
        #expect(data == [1, 2], "\(size) servers")
      }
    }
  }

  @Test func minorityStopsServingAndComesBack() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let leader = try #require(await ensemble.status().first { $0.role == "leader" }).id
      let others = Set(1...3).subtracting([leader])
      await ensemble.partition([others])
      #expect(await ensemble.settle())
      let members = await ensemble.status()
      #expect(members[leader - 1].isServing == false && members[leader - 1].cutOff == others.sorted())
      #expect(members.filter(\.isServing).map(\.id) == others.sorted())
      await ensemble.heal()
      #expect(await ensemble.settle())
      #expect(await ensemble.status().allSatisfy { $0.isServing && $0.cutOff == [] })
    }
  }

  @Test func quorumIsLostAndFound() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await ensemble.kill(1)
      try await ensemble.pause(2)
      #expect(!ensemble.hasQuorum)
      #expect(await ensemble.status().map(\.state) == [.killed, .paused, .running])
      try await ensemble.resume(2)
      #expect(await ensemble.settle() && ensemble.hasQuorum)
      try await ensemble.restart(1)
      #expect(await ensemble.settle())
      try await withClient(ensemble.connectString) { try await $0.create("/again") }
    }
  }

  @Test func impossibleRequestsAreRefused() async throws {
    try await withEnsemble(LocalEnsemble.Settings()) { ensemble in
      for id in [0, 2, -1] {
        await #expect(throws: SandboxError("there is no server \(id)", hint: "this sandbox has only server 1")) {
          try await ensemble.kill(id)
        }
      }
      await #expect(throws: SandboxError.self) { try await ensemble.resume(1) }
      try await ensemble.kill(1)
      await #expect(throws: SandboxError.self) { try await ensemble.kill(1) }
      await #expect(throws: SandboxError.self) { try await ensemble.pause(1) }
    }
    for size in [0, -3, 10, .max] {
      await #expect(throws: SandboxError.self) { try await LocalEnsemble.start(LocalEnsemble.Settings(size: size)) }
    }
  }

  @Test func takenPortIsNamed() async throws {
    try await withEnsemble(LocalEnsemble.Settings()) { first in
      let port = try #require(first.connectString.split(separator: ":").last.flatMap { Int($0) })
      do throws(SandboxError) {
        let second = try await LocalEnsemble.start(LocalEnsemble.Settings(port: port))
        await second.stop()
        Issue.record("the port was not taken")
      } catch {
        #expect(error.message.contains("\(port)"))
      }
    }
  }

  @Test func stoppedServersLeaveNothingBehind() async throws {
    let ensemble = try await LocalEnsemble.start(LocalEnsemble.Settings(size: 3))
    await ensemble.stop()
    await ensemble.stop()
    #expect(await ensemble.status().allSatisfy { $0.state == .killed })
    var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: ensemble.connectString))
    configuration.requestTimeLimit = .seconds(1)
    let client = ZooKeeperClient(configuration)
    await #expect(throws: ZooKeeperError.self) { try await client.exists("/") }
    await client.close(limit: .zero)
  }

  /// What a test that fails before its last line leaves behind must not end the tests that follow.
  @Test(arguments: [false, true]) func forgottenServersStop(isPaused: Bool) async throws {
    let servers = try await forget(isPaused: isPaused)
    var configuration = ZooKeeperClient.Configuration(try ConnectString(parsing: servers))
    configuration.requestTimeLimit = .milliseconds(200)
    let deadline = ContinuousClock.now + .seconds(30)
    var answers = true
    while answers, ContinuousClock.now < deadline {
      let client = ZooKeeperClient(configuration)
      do { _ = try await client.exists("/") } catch { answers = false }
      await client.close(limit: .zero)
    }
    #expect(!answers)
  }

  /// Starts servers, and keeps nothing but their addresses.
  private func forget(isPaused: Bool) async throws -> String {
    let ensemble = try await LocalEnsemble.start(LocalEnsemble.Settings(size: isPaused ? 1 : 3))
    if isPaused { try await ensemble.pause(1) }
    return ensemble.connectString
  }

  #if os(Linux)
    /// A child that is being started has copies of all sockets for a moment, and must not keep a port in use.
    @Test func portsAreFreeAlthoughAChildHasTheirSockets() async throws {
      try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
        let copies = Self.listeners().map { dup($0) }
        defer { for copy in copies { close(copy) } }
        #expect(copies.count >= 9)
        for id in 1...3 {
          try await ensemble.kill(id)
          try await ensemble.restart(id)
          #expect(await ensemble.settle())
        }
      }
    }

    /// The descriptors of this process on which connections are accepted.
    private static func listeners() -> [Int32] {
      (0..<1024).filter { descriptor in
        var accepts: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts != 0
      }
    }
  #endif
}
