import Foundation
import TestKit
import Testing

/// The loopback actors: servers that misbehave and the proxy that makes networks fail.
@Suite(.timeLimit(.minutes(10)))
struct NetworkTests {
  /// A server that sends back what it gets, for the proxy to stand in front of.
  static func echoServer() throws -> FakeServer {
    try FakeServer(
      .script { socket in
        while case let bytes = try socket.read(), !bytes.isEmpty { try socket.write(bytes) }
      })
  }

  @Test func portsAreHandedOutOnce() throws {
    let ports = try (0..<200).map { _ in try LoopbackPorts.reserve() }
    #expect(Set(ports).count == 200)
  }

  @Test func proxyForwardsBothWaysAndPassesTheEndOn() throws {
    let server = try Self.echoServer()
    let proxy = try TCPProxy(to: server.port)
    let client = try LoopbackSocket.connect(to: proxy.port, timeout: .seconds(10))
    try client.write([1, 2, 3])
    #expect(try client.readExactly(3) == [1, 2, 3])
    client.shutdownOutput()
    #expect(try client.readToEnd() == [])
    #expect(proxy.connectionCount == 1)
  }

  @Test func proxyCutsConnectionsAndAcceptsNewOnes() throws {
    let server = try Self.echoServer()
    let proxy = try TCPProxy(to: server.port)
    let client = try LoopbackSocket.connect(to: proxy.port, timeout: .seconds(10))
    try client.write([1])
    #expect(try client.readExactly(1) == [1])
    proxy.cut()
    #expect(try client.readToEnd() == [])
    let second = try LoopbackSocket.connect(to: proxy.port, timeout: .seconds(10))
    try second.write([2])
    #expect(try second.readExactly(1) == [2])
  }

  @Test func proxyRefusesThenAcceptsOnTheSamePort() throws {
    let server = try Self.echoServer()
    let proxy = try TCPProxy(to: server.port)
    proxy.refuse()
    #expect(throws: TestKitError.self) { try LoopbackSocket.connect(to: proxy.port) }
    try proxy.accept()
    let client = try LoopbackSocket.connect(to: proxy.port, timeout: .seconds(10))
    try client.write([1])
    #expect(try client.readExactly(1) == [1])
  }

  @Test func stalledProxyHoldsBytesUntilResumed() throws {
    let server = try Self.echoServer()
    let proxy = try TCPProxy(to: server.port)
    let client = try LoopbackSocket.connect(to: proxy.port, timeout: .milliseconds(200))
    try client.write([1])
    #expect(try client.readExactly(1) == [1])
    proxy.stall()
    try client.write([2])
    #expect(throws: TestKitError.self) { try client.readExactly(1) }
    proxy.resume()
    #expect(try client.readExactly(1) == [2])
  }

  @Test func fakeServerBehavesByTurns() throws {
    let server = try FakeServer(.closeAtOnce, .answer([9, 8]), .hugeLength, .garbage)
    #expect(try connect(server).readToEnd() == [])

    let answered = try connect(server)
    try answered.writeFrame([1, 2, 3])
    #expect(try answered.readExactly(2) == [9, 8])

    let huge = try connect(server)
    try huge.writeFrame([1])
    #expect(try huge.readExactly(4) == [0x7f, 0xff, 0xff, 0xff])

    for _ in 0..<2 { #expect(try connect(server).readExactly(4) == Array("HTTP".utf8)) }
    #expect(server.connectionCount == 5)
  }

  @Test(arguments: [true, false]) func silentServersSayNothing(accepting: Bool) async throws {
    let server = try accepting ? FakeServer(.silence) : FakeServer(.neverAccept)
    let socket = try LoopbackSocket.connect(to: server.port, timeout: .milliseconds(100))
    try socket.writeFrame([1])
    #expect(throws: TestKitError.self) { try socket.readExactly(1) }
    if accepting { try await eventually("a connection", within: .seconds(30)) { server.connectionCount == 1 } }
    #expect(server.connectionCount == (accepting ? 1 : 0))
  }

  @Test func stoppedFakeServerRefuses() throws {
    let server = try FakeServer(.silence)
    server.stop()
    #expect(throws: TestKitError.self) { try LoopbackSocket.connect(to: server.port) }
  }

  private func connect(_ server: FakeServer) throws -> LoopbackSocket {
    try LoopbackSocket.connect(to: server.port, timeout: .seconds(10))
  }
}
