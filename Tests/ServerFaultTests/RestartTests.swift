import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// What must happen after a restart, and starts on damaged files.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct RestartTests {
  @Test func ephemeralsOfAbandonedSessionsGoAfterARestart() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    // Long enough that the restarted server can be asked before it ends the session, on a busy machine too.
    let client = try server.client(sessionTimeout: .seconds(20))
    try await client.connected(failsFast: false)
    try await client.create("/ephemeral", mode: .ephemeral)
    try await server.end(by: SIGKILL)
    // Without a server, this abandons the session.
    await client.close(limit: .zero)
    try await server.start()
    try await server.withClient { client in
      #expect(try await client.exists("/ephemeral") != nil)
      try await eventually("the session's end", within: .seconds(90)) { try await client.exists("/ephemeral") == nil }
    }
  }

  @Test func containersAndTTLZnodesAreReaped() async throws {
    let server = try ServerUnderTest(["znode.container.checkIntervalMs=50", "extendedTypesEnabled=true"])
    try await server.start()
    try await server.withClient { client in
      try await client.create("/container", mode: .container)
      try await client.create("/container/child")
      try await client.create("/ttl", mode: .persistentTTL(milliseconds: 100))
      try await client.delete("/container/child")
      try await eventually("the reaping", within: .seconds(90)) {
        try await client.getChildren("/") == ["zookeeper"]
      }
    }
  }

  /// A stop waits for a snapshot that is being written, so that the next start does not replay what is in it.
  @Test func aStopFinishesTheSnapshotThatHasBegun() async throws {
    let server = try ServerUnderTest(["snapCount=2"])
    try await server.start()
    let client = try server.client()
    try await client.connected(failsFast: false)
    try await client.multi(
      (0..<4000).map { number in
        .create(
          CreateRequest(path: "/n\(number)", data: [UInt8](repeating: 1, count: 100), acl: ACL.openUnsafe, flags: 0))
      })
    // Two transactions more, and a snapshot begins that has all of these.
    for name in ["a", "b"] { try await client.create("/\(name)") }
    #expect(try await server.end(by: SIGTERM) == .exited(0))
    await client.close(limit: .zero)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(server.dataDirectory)/version-2")
    #expect(names.contains { ["snapshot.3", "snapshot.4"].contains($0) }, "\(names.sorted()) \(server.errorOutput)")
    #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(names.sorted())")
    try await server.start()
    let count = try await server.withClient { try await $0.getChildren("/").count }
    #expect(count == 4003)
  }

  /// Files with flipped, cut and added bytes: the server starts with less at the end, or refuses and names the file.
  @Test func startsOnDamagedFilesOrRefuses() async throws {
    var random = SeededGenerator()
    let server = try ServerUnderTest(["snapCount=100"])
    try await server.start()
    let load = Load(root: "/load", writerCount: 3)
    try await server.withClient { try await load.prepare($0) }
    try await CrashTests.run(load, on: server, killingAfter: .milliseconds(300))
    let original = "\(server.directory)/original"
    try FileManager.default.copyItem(atPath: server.dataDirectory, toPath: original)
    for _ in 0..<30 {
      try FileManager.default.removeItem(atPath: server.dataDirectory)
      try FileManager.default.copyItem(atPath: original, toPath: server.dataDirectory)
      let folder = "\(server.dataDirectory)/version-2"
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      let name = try #require(names.filter { $0.contains(".") }.randomElement(using: &random))
      try Self.damage("\(folder)/\(name)", using: &random)
      do {
        try await server.start()
        try await server.withClient { _ = try await $0.getChildren("/") }
        try await server.end(by: SIGKILL)
      } catch let error as TestKitError where error.code == .ended {
        guard case .exited(let status)? = server.command?.ending else {
          Issue.record("\(name): \(String(describing: server.command?.ending)): \(server.errorOutput)")
          continue
        }
        #expect(status != 0 && server.errorOutput.contains("/version-2/"), "\(name): \(server.errorOutput)")
        guard server.errorOutput.contains("server repair") else { continue }
        try await Self.repairAndServe(server)
      }
    }
  }

  /// A repair works as the hint of a refused start says: the server starts after it, and what was cut is kept.
  private static func repairAndServe(_ server: ServerUnderTest) async throws {
    let words = ["server", "repair", "\(server.directory)/zoo.cfg"]
    let repair = try await CommandRun.run(try Products.executable("zkcli"), words)
    #expect(repair.exitStatus == 0 && repair.output.contains("/damaged-"), "\(repair.output)\(repair.errorOutput)")
    try await server.start()
    try await server.withClient { _ = try await $0.getChildren("/") }
    try await server.end(by: SIGKILL)
  }

  private static func damage(_ path: String, using random: inout SeededGenerator) throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    guard !bytes.isEmpty else { return }
    switch Int.random(in: 0..<3, using: &random) {
    case 0:
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
    case 1: bytes.removeLast(Int.random(in: 1...bytes.count, using: &random))
    default: bytes += (0..<Int.random(in: 1...64, using: &random)).map { _ in .random(in: 0...255, using: &random) }
    }
    try Data(bytes).write(to: URL(filePath: path))
  }
}
