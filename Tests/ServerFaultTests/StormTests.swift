import Foundation
import Jute
import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// More than a server is meant to take: with its limits on, a light client goes on, and nothing grows without bound.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct StormTests {
  private static let limits = [
    "connection_throttle_tokens=20", "connection_throttle_fill_time=100", "connection_throttle_fill_count=1",
    "request_throttle_max_requests=20", "request_throttle_stall_time=20", "largeRequestThreshold=65536",
    "largeRequestMaxBytes=2000000", "maxClientCnxns=0",
  ]

  private static func setLarge(_ xid: Int32) -> [UInt8] {
    var writer = JuteWriter()
    let request = SetDataRequest(path: "/large", data: [UInt8](repeating: 7, count: 400_000), version: -1)
    ClientRequest.setData(request).encodeFrame(xid: Xid(rawValue: xid), into: &writer)
    return writer.bytes
  }

  /// The number of a metric, which must be reported.
  private func figure(_ name: String, of server: ServerUnderTest) throws -> Int {
    let line = try server.ask("mntr").split(separator: "\n").first { $0.hasPrefix("zk_\(name)\t") }
    return try #require(line.flatMap { $0.split(separator: "\t").last.flatMap { Int($0) } }, "\(name)")
  }

  /// A storm of six threads, which block, until it is over.
  private final class Storm: Sendable {
    private let isOver = Mutex(false)
    private let running = Mutex(6)

    var goesOn: Bool { isOver.withLock { !$0 } }

    init(against port: UInt16) {
      for number in 0..<6 {
        Thread.detachNewThread { [self] in
          if number < 3 { connectOften(to: port, self) } else { writeMuch(to: port, self) }
          running.withLock { $0 -= 1 }
        }
      }
    }

    func end() async throws {
      isOver.withLock { $0 = true }
      try await eventually("the end of the storm", within: .seconds(30), every: .milliseconds(20)) {
        running.withLock { $0 == 0 }
      }
    }
  }

  /// Opens connections one after the other, each of which asks for a session, until the storm is over.
  private static func connectOften(to port: UInt16, _ storm: Storm) {
    while storm.goesOn {
      // A refused one is closed, which is what the server is asked to do.
      guard let socket = try? LoopbackSocket.connect(to: port, timeout: .seconds(10)),
        (try? socket.write(BadFrameTests.connectRequest)) != nil
      else { continue }
      _ = try? socket.read(atMost: 64)
    }
  }

  /// Sends large requests without waiting for answers, on connections that the server closes again and again.
  private static func writeMuch(to port: UInt16, _ storm: Storm) {
    while storm.goesOn {
      guard let socket = try? LoopbackSocket.connect(to: port, timeout: .seconds(10)),
        (try? socket.write(BadFrameTests.connectRequest)) != nil, (try? socket.readFrame()) != nil
      else { continue }
      for xid in 1...40 where storm.goesOn { if (try? socket.write(setLarge(Int32(xid)))) == nil { break } }
    }
  }

  @Test func aLightClientGoesOn() async throws {
    let server = try ServerUnderTest(Self.limits)
    try await server.start()
    try await server.withClient { client in
      try await client.create("/large")
      try await client.create("/light")
      let storm = Storm(against: server.port)
      // However slow the machine is: until the server has refused requests and connections. How long the light client
      // waits is measured by the benchmark.
      try await eventually("refused requests and connections", within: .seconds(120)) {
        try await client.setData("/light", data: [1])
        _ = try await client.getData("/light")
        guard try figure("large_requests_rejected", of: server) > 0 else { return false }
        return try figure("connection_rejected", of: server) > 0
      }
      try await storm.end()
      try await client.setData("/light", data: [2])
    }
    try await eventually("nothing is left", within: .seconds(90), every: .milliseconds(50)) {
      try figure("outstanding_requests", of: server) == 0
    }
    try await server.end(by: SIGTERM)
  }

  /// With one request at a time, a client with many does not keep another waiting, and none is lost.
  @Test func requestsOverTheLimitAreAnsweredLater() async throws {
    let server = try ServerUnderTest(["request_throttle_max_requests=1"])
    try await server.start()
    try await server.withClient { busy in
      try await server.withClient { light in
        try await busy.create("/busy")
        let counts = try await withThrowingTaskGroup(of: Int32.self) { group in
          for _ in 0..<500 { group.addTask { try await busy.setData("/busy", data: [1]).version } }
          for number in 0..<20 { try await light.create("/light-\(number)") }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts.sorted() == Array(1...500))
        #expect(try figure("request_throttle_wait_count", of: server) > 0)
        #expect(try figure("throttled_ops", of: server) == 0)
      }
    }
    try await server.end(by: SIGTERM)
  }

  @Test func requestsThatWaitForTooLongAreRefused() async throws {
    let server = try ServerUnderTest(["request_throttle_max_requests=1", "throttled_op_wait_time=1"])
    try await server.start()
    try await server.withClient { client in
      try await client.create("/a")
      let errors = await withTaskGroup(of: KeeperError?.self) { group in
        for _ in 0..<2000 {
          group.addTask {
            do throws(ZooKeeperError) {
              try await client.setData("/a", data: [1])
              return KeeperError.ok
            } catch { return error.keeperError }
          }
        }
        return await group.reduce(into: [KeeperError?]()) { $0.append($1) }
      }
      #expect(Set(errors) == [.ok, .throttledOp])
      let (_, stat) = try await client.getData("/a")
      #expect(Int(stat.version) == errors.count { $0 == .ok }, "what is refused is not done")
      #expect(try figure("throttled_ops", of: server) == errors.count { $0 == .throttledOp })
    }
    try await server.end(by: SIGTERM)
  }
}
