import Foundation
import Jute
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Invalid frames of clients: only the connection is closed.
@Suite(.timeLimit(.minutes(10)), .serialized)
struct BadFrameTests {
  static func integer(_ value: Int32) -> [UInt8] { bigEndian(value) }

  static func frame(_ payload: [UInt8]) -> [UInt8] { integer(Int32(payload.count)) + payload }

  /// Asks for a new session.
  static let connectRequest = frame(
    ConnectRequest(
      lastZxidSeen: .zero, timeoutMilliseconds: 30_000, sessionID: .none, password: [UInt8](repeating: 0, count: 16),
      readOnly: false
    ).encoded)

  static let ping = frame(integer(-2) + integer(11))

  /// Invalid frames of a client with a session, by name.
  static let cases: [(name: String, bytes: [UInt8])] = [
    ("negative length", integer(-1)),
    ("least length", integer(.min)),
    ("huge length", integer(.max)),
    ("one over the limit", integer(0x10_0000)),
    ("empty frame", integer(0)),
    ("short header", frame([0, 0, 0, 1])),
    ("unknown operation", frame(integer(1) + integer(999))),
    ("undecodable create", frame(integer(1) + integer(1) + integer(.max))),
    ("undecodable getData", frame(integer(1) + integer(4) + integer(-7))),
    ("undecodable multi", frame(integer(1) + integer(14) + [1])),
    ("undecodable setWatches", frame(integer(-8) + integer(101) + [1, 2, 3])),
    ("undecodable auth", frame(integer(-4) + integer(100) + [1])),
  ]

  /// How a server reacts to a case: its error codes, and whether it closes the connection.
  static func outcome(of bytes: [UInt8], port: UInt16) throws -> String {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    try socket.write(connectRequest)
    _ = try socket.readFrame()
    try socket.write(bytes + ping)
    var answers: [String] = []
    var pings = 0
    do {
      while true {
        let reply = try socket.readFrame()
        let header = try ReplyHeader(decoding: Array(reply.prefix(16)))
        guard header.xid.rawValue == -2 else {
          answers.append("\(header.error)")
          continue
        }
        // Apache's server may answer the ping directly after the invalid frame before it closes, but no later one.
        pings += 1
        if pings == 2 { return (answers + ["open"]).joined(separator: ", ") }
        try socket.write(ping)
      }
    } catch {
      return (answers + ["closed"]).joined(separator: ", ")
    }
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func closesAsApacheDoes() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let apache = try await ApacheServer.start()
    for (name, bytes) in Self.cases {
      let expected = try Self.outcome(of: bytes, port: apache.port)
      let outcome = try Self.outcome(of: bytes, port: server.port)
      #expect(outcome == expected, "\(name)")
    }
    try await Self.expectUnharmed(server)
  }

  /// Intended differences from Apache's 3.8.0, which executes these for any client, or does not answer.
  @Test(arguments: [OpCode.createSession, .notification, .error, .check])
  func whatServersSayAmongThemselvesIsNotForClients(operation: OpCode) async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let bytes = Self.frame(Self.integer(1) + Self.integer(operation.rawValue))
    let outcome = try Self.outcome(of: bytes, port: server.port)
    #expect(outcome == "Unimplemented, closed")
    try await Self.expectUnharmed(server)
  }

  @Test func byteByByteAndPipelined() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    let slow = try LoopbackSocket.connect(to: server.port, timeout: .seconds(5))
    for byte in Self.connectRequest + Self.ping { try slow.write([byte]) }
    _ = try slow.readFrame()
    #expect(try slow.readFrame().count == 16)
    let hasty = try LoopbackSocket.connect(to: server.port, timeout: .seconds(5))
    try hasty.write(Self.connectRequest + Self.ping + Self.ping)
    _ = try hasty.readFrame()
    #expect(try hasty.readFrame().count == 16)
    #expect(try hasty.readFrame().count == 16)
  }

  @Test func randomFramesHarmNobody() async throws {
    var random = SeededGenerator()
    let server = try ServerUnderTest(["maxClientCnxns=0"])
    try await server.start()
    for round in 0..<300 {
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(5))
      if round % 3 != 0 { try socket.write(Self.connectRequest) }
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        let operation = OpCode.allCases.randomElement(using: &random) ?? .ping
        let body = (0..<Int.random(in: 0...40, using: &random)).map { _ in
          Bool.random(using: &random) ? 0 : UInt8.random(in: 0...255, using: &random)
        }
        let payload = Self.integer(Int32.random(in: -10...10, using: &random)) + Self.integer(operation.rawValue) + body
        bytes += Bool.random(using: &random) ? Self.frame(payload) : payload
      }
      // The server may close in the middle of it.
      try? socket.write(bytes)
      socket.shutdownOutput()
    }
    try await Self.expectUnharmed(server)
  }

  /// Answers that the client does not read: reads of large data, pipelined in one small packet.
  @Test func clientThatDoesNotReadIsBounded() async throws {
    let server = try ServerUnderTest()
    try await server.start()
    _ = try await server.withClient { try await $0.create("/large", data: [UInt8](repeating: 1, count: 1_000_000)) }
    let read = Self.frame(
      Self.integer(1) + Self.integer(4) + PathWatchRequest(path: "/large", watch: false).encoded)
    let write = Self.frame(
      Self.integer(2) + Self.integer(5) + SetDataRequest(path: "/none", data: [], version: -1).encoded)
    for behindWrite in [false, true] {
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(5))
      try socket.write(Self.connectRequest)
      _ = try socket.readFrame()
      // 2 GB of answers.
      try socket.write((behindWrite ? write : []) + (0..<2_000).flatMap { _ in read })
      try await Self.expectUnharmed(server, connections: nil)
      #expect(try Self.peakMemoryBytes(server) < 300 << 20)
      // The first ones arrive completely and in order.
      for _ in 0..<50 { #expect(try socket.readFrame().count > 0) }
      socket.shutdown()
    }
    try await Self.expectUnharmed(server)
  }

  static func peakMemoryBytes(_ server: ServerUnderTest) throws -> Int {
    let process = try #require(server.command?.processID)
    let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber))) << 10
  }

  /// Another client is served, and (unless `connections` is nil) no connection of the bad ones is left.
  static func expectUnharmed(_ server: ServerUnderTest, connections: Int? = 1) async throws {
    try await server.withClient { client in
      let path = try await client.create("/unharmed-", mode: .persistentSequential)
      #expect(try await client.exists(path) != nil)
    }
    #expect(server.command?.ending == nil, "\(server.errorOutput)")
    guard let connections else { return }
    try await eventually("the end of bad connections", within: .seconds(90), every: .milliseconds(50)) {
      try server.ask("srvr").contains("Connections: \(connections)\n")
    }
  }
}
