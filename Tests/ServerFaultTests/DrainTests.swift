import Foundation
import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

private final class AnswerCount: Sendable {
  let value = Atomic(0)
}

/// A server that is asked to stop answers what it has read, and nothing half.
@Suite(.timeLimit(.minutes(10)))
struct DrainTests {
  /// Every request has either been answered, and is in the tree after the next start, or has had no effect.
  @Test func requestsThatWereReadAreAnswered() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let client = try server.client()
    try await client.connected(failsFast: false)
    try await client.create("/drain")
    let count = AnswerCount()
    let acknowledged = try await withThrowingTaskGroup(of: Set<String>.self) { group in
      for writer in 0..<20 {
        group.addTask {
          var names: Set<String> = []
          for number in 0... {
            do {
              try await client.create("/drain/\(writer)-\(number)", data: [UInt8](repeating: 1, count: 1000))
            } catch {
              return names
            }
            names.insert("\(writer)-\(number)")
            count.value.add(1, ordering: .relaxed)
          }
          return names
        }
      }
      try await eventually("a moment in the middle of the load", within: .seconds(60)) {
        count.value.load(ordering: .relaxed) > 200
      }
      #expect(try await server.end(by: SIGTERM) == .exited(0), "\(server.errorOutput)")
      await client.close(limit: .zero)
      return try await group.reduce(into: Set<String>()) { $0.formUnion($1) }
    }
    #expect(server.errorOutput.contains("stopped serving") && !server.errorOutput.contains("not answered"))
    try await server.start()
    let found = try await server.withClient { Set(try await $0.getChildren("/drain")) }
    #expect(acknowledged.count > 200 && found == acknowledged, "\(found.symmetricDifference(acknowledged))")
  }

  /// The bytes of the last answer arrive before the end of the connection, which is no reset.
  @Test func connectionEndsAfterTheLastAnswer() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(60))
    // A session, without a password and with a timeout of ten seconds.
    try socket.writeFrame([UInt8](repeating: 0, count: 14) + [0x27, 0x10] + [UInt8](repeating: 0, count: 28))
    _ = try socket.readFrame()
    // PINGs, which are answered one by one; those that come too late stay in the socket.
    let ping: [UInt8] = [0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]
    for _ in 0..<100 { try socket.writeFrame(ping) }
    for _ in 0..<100 { #expect(try socket.readFrame().prefix(4) == [0xff, 0xff, 0xff, 0xfe]) }
    server.command?.send(signal: SIGTERM)
    // Not an error, as after a reset, and no part of a frame.
    #expect(try socket.readToEnd().isEmpty)
    socket.shutdown()
    #expect(try await server.command?.waitForEnd(within: .seconds(60)) == .exited(0))
  }

  /// A client that never closes its side keeps the server for a limited time only.
  @Test func silentClientDoesNotKeepTheServer() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let sockets = try (0..<3).map { _ in try LoopbackSocket.connect(to: server.port) }
    try sockets[1].write([0, 0])
    try await eventually("connections", within: .seconds(60)) {
      try server.ask("cons").split(separator: "\n").count >= 4
    }
    let start = ContinuousClock.now
    #expect(try await server.end(by: SIGTERM) == .exited(0))
    #expect(ContinuousClock.now - start < .seconds(30))
    withExtendedLifetime(sockets) {}
  }
}
