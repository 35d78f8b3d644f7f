import Foundation
import Jute
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Servers that do not speak ZooKeeper's protocol or cannot be reached, and the search for one that does.
@Suite(.timeLimit(.minutes(10)))
struct BadServerTests {
  /// Why one server did not let the client in.
  static func reason(_ connectString: String, connectTimeout: Duration = .seconds(20)) async throws -> ConnectFailure
    .Reason?
  {
    let client = try makeClient(connectString) { $0.connectTimeout = connectTimeout }
    defer { Task { await client.close() } }
    do {
      try await client.connected()
      Issue.record("connected to \(connectString)")
      return nil
    } catch {
      guard case .cannotConnect(let failures) = error.code else { throw error }
      #expect(failures.count == 1)
      return failures.first?.reason
    }
  }

  @Test func refusedPortIsNamed() async throws {
    #expect(try await Self.reason("127.0.0.1:\(LoopbackPorts.reserve())") == .refused)
  }

  @Test func nameWithoutAnAddressIsNamed() async throws {
    #expect(try await Self.reason("no-such-host.invalid:2181") == .unresolved)
  }

  @Test func silentServerTakesItsShareOfTime() async throws {
    let server = try FakeServer(.silence)
    let reason = try await Self.reason(server.connectString, connectTimeout: .milliseconds(300))
    #expect(reason == .timedOut(connected: true, milliseconds: 300))
  }

  @Test func closingServerIsNamed() async throws {
    // Whether the end comes as such or as a reset depends on who is faster.
    let server = try FakeServer(.closeAtOnce)
    #expect(try await Self.reason(server.connectString) == .closedWithoutAnswer)
    let reader = try FakeServer(.script { socket in _ = try socket.readFrame() })
    #expect(try await Self.reason(reader.connectString) == .closedWithoutAnswer)
  }

  @Test func garbageIsNoZooKeeper() async throws {
    let server = try FakeServer(.garbage)
    let length = 0x4854_5450
    #expect(
      try await Self.reason(server.connectString)
        == .notZooKeeper(JuteError(.tooLarge(lengthBytes: length, limitBytes: 0xfffff), offset: 0)))
  }

  @Test func hugeLengthIsNoZooKeeper() async throws {
    let server = try FakeServer(.hugeLength)
    #expect(
      try await Self.reason(server.connectString)
        == .notZooKeeper(JuteError(.tooLarge(lengthBytes: 0x7fff_ffff, limitBytes: 0xfffff), offset: 0)))
  }

  @Test func bareHeaderIsARefusalOfAReadOnlyServer() async throws {
    let header = ReplyHeader(xid: Xid(rawValue: 0), zxid: .zero, error: .notReadOnly).encoded
    let server = try FakeServer(.answer(bigEndian(Int32(header.count)) + header))
    #expect(try await Self.reason(server.connectString) == .readOnlyServerRefused)
  }

  /// Reads up to the first request, past the pings of a client whose test waits for a thread to run on.
  static func readRequest(_ socket: LoopbackSocket) throws {
    while try socket.readFrame().starts(with: bigEndian(Xid.ping.rawValue)) {}
  }

  @Test func hugeReplyBelongsToItsRequest() async throws {
    let answer = ConnectResponse(
      timeoutMilliseconds: 120_000, sessionID: Harness.session, password: Harness.password, readOnly: false)
    let server = try FakeServer(
      .script { socket in
        _ = try socket.readFrame()
        try socket.writeFrame(answer.encoded)
        try Self.readRequest(socket)
        try socket.write(bigEndian(0x10_0000))
        _ = try socket.readToEnd()
      }, .silence)
    let client = try makeClient(server.connectString)
    try await client.connected(failsFast: false)
    await expectFailure(.replyTooLarge(lengthBytes: 0x10_0000, limitBytes: 0xfffff)) { try await client.getData("/") }
    await client.close()
  }

  @Test func bytesOneByOneAreAsGoodAsWhole() async throws {
    let answer = ConnectResponse(
      timeoutMilliseconds: 120_000, sessionID: Harness.session, password: Harness.password, readOnly: false)
    let reply = ReplyHeader(xid: .first, zxid: Zxid(rawValue: 5)).encoded + PathResponse(path: "/").encoded
    let server = try FakeServer(
      .script { socket in
        _ = try socket.readFrame()
        for byte in bigEndian(Int32(answer.encoded.count)) + answer.encoded { try socket.write([byte]) }
        try Self.readRequest(socket)
        for byte in bigEndian(Int32(reply.count)) + reply { try socket.write([byte]) }
        _ = try socket.readToEnd()
      })
    let client = try makeClient(server.connectString)
    try await client.sync()
    #expect(await client.snapshot().lastZxidSeen == Zxid(rawValue: 5))
    await client.close(limit: .milliseconds(10))
  }

  @Test(.enabled(if: ApacheServer.isInstalled)) func deadServersOfAListArePassedOver() async throws {
    let (closing, silent) = (try FakeServer(.closeAtOnce), try FakeServer(.silence))
    let live = try await ApacheServer.shared().connectString
    let list = [
      "127.0.0.1:\(try LoopbackPorts.reserve())", closing.connectString, silent.connectString, "no-such-host.invalid",
    ]
    // Each client has its own order.
    for _ in 0..<4 {
      try await withClient((list + [live]).joined(separator: ",")) {
        $0.connectTimeout = .seconds(2.5)
      } _: { client in
        try await client.sync()
        #expect(await client.snapshot().server?.description == live)
      }
    }
  }

  @Test func largestTimeoutsAreTaken() async throws {
    let server = try FakeServer(.silence)
    let longest = Duration.seconds(Int64.max)
    let client = try makeClient(server.connectString) {
      $0.connectTimeout = longest
      $0.sessionTimeout = longest
      $0.requestTimeLimit = longest
    }
    async let waiting = expectFailure(.closed) { try await client.connected(failsFast: false) }
    try await eventually("connection") { server.connectionCount == 1 ? () : nil }
    await client.close(limit: longest)
    _ = await waiting
  }

  @Test(.enabled(if: ApacheServer.isInstalled && FileManager.default.fileExists(atPath: "/proc/net/if_inet6")))
  func addressMayBeVersionSix() async throws {
    var configuration = ApacheConfiguration.permissive
    configuration.extraLines = ["clientPortAddress=::"]
    let server = try await ApacheServer.start(configuration)
    try await withClient("[::1]:\(server.port)") { client in
      try await client.create("/six")
      #expect(await client.snapshot().server?.description == "[::1]:\(server.port)")
    }
  }
}
