import Foundation
import TestKit
import Testing
import ZooKeeperProtocol

/// Many sessions that want the same at the same time: more than a server handles in one turn.
@Suite(.timeLimit(.minutes(5)))
struct CrowdTests {
  /// A session on a plain connection.
  private struct Member {
    var socket: LoopbackSocket
    var session: ConnectResponse
  }

  /// Opens or resumes a session.
  ///
  /// - Returns: nil if the server does not serve now.
  private static func attach(_ port: UInt16, _ session: ConnectResponse? = nil) throws -> Member? {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(30))
    try socket.writeFrame(
      ConnectRequest(
        lastZxidSeen: .zero, timeoutMilliseconds: 20_000, sessionID: session?.sessionID ?? .none,
        password: session?.password ?? [UInt8](repeating: 0, count: 16), readOnly: false
      ).encoded)
    guard let frame = try? socket.readFrame() else { return nil }
    let response = try ConnectResponse(decoding: frame)
    return response.sessionID == .none ? nil : Member(socket: socket, session: response)
  }

  /// All clients of a server lose their connections when the leader is gone, and all their sessions come back.
  @Test func everybodyComesBackWhenTheLeaderIsGone() async throws {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.extraLines = ["maxClientCnxns=0"]
    let ensemble = try await ServerEnsemble.start(configuration)
    let leader = try await ensemble.waitForLeader()
    let follower = try #require(ensemble.members.first { $0 !== leader })
    var crowd: [Member] = []
    for _ in 0..<350 { crowd.append(try #require(try Self.attach(follower.ports.client))) }
    try await leader.kill()
    for member in crowd { #expect(try member.socket.readToEnd() == []) }
    // A new leader is soon there, and the first ones may have waited for it on their connections.
    for member in crowd {
      let back = try await eventuallyValue("a session that is resumed") {
        try Self.attach(follower.ports.client, member.session)
      }
      #expect(back.session.sessionID == member.session.sessionID)
    }
  }

  /// A watch that very many have set is told to each of them, and what is asked meanwhile is answered.
  @Test func everybodyIsTold() async throws {
    let server = try ServerUnderTest(["maxClientCnxns=0"])
    try await server.start()
    // An xid and a type, then the path and whether there is a watch.
    let path: [UInt8] = [0, 0, 0, 1] + Array("/".utf8)
    let watching: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 3] + path + [1]
    let writing: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 5] + path + [0, 0, 0, 0, 255, 255, 255, 255]
    var crowd: [Member] = []
    for _ in 0..<1300 {
      let member = try #require(try Self.attach(server.port))
      try member.socket.writeFrame(watching)
      #expect(try member.socket.readFrame().count > 16)
      crowd.append(member)
    }
    let writer = try #require(try Self.attach(server.port))
    try writer.socket.writeFrame(writing)
    #expect(try writer.socket.readFrame().prefix(4) == [0, 0, 0, 1])
    for member in crowd { #expect(try member.socket.readFrame().prefix(4) == [255, 255, 255, 255]) }
  }

  private func eventuallyValue<Value>(
    _ purpose: String, _ body: () throws -> Value?
  ) async throws -> Value {
    var value: Value?
    try await eventually(purpose, within: .seconds(30), every: .milliseconds(5)) {
      value = try body()
      return value != nil
    }
    return try #require(value)
  }
}
