import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Invalid bytes on the ports for other servers: only the connection is closed.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct BadBytesTests {
  /// An id that belongs to no member.
  static let stranger = ServerID(rawValue: 77)

  static func long(_ value: Int64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }

  static func frame(_ payload: [UInt8]) -> [UInt8] { bigEndian(Int32(payload.count)) + payload }

  /// Invalid first bytes on an election port.
  static let greeting = ElectionGreeting(
    serverID: stranger, addresses: [ServerAddress(host: "127.0.0.1", port: 1)]
  ).encoded

  static let vote = frame(
    ElectionNotification(
      state: .looking, leader: stranger, zxid: Zxid(rawValue: .max), round: 1_000, peerEpoch: Epoch(rawValue: 1_000),
      configuration: "server.77=127.0.0.1:1:2:participant\nversion=0"
    ).encoded)

  /// Invalid first bytes on a quorum port.
  static func info(_ kind: QuorumPacket.Kind = .followerInfo, data: [UInt8]? = nil) -> [UInt8] {
    let data = data ?? LearnerInfo(serverID: stranger, configurationVersion: 0).encoded
    return QuorumPacket(kind, zxid: .zero, data: data).encoded
  }

  /// By name; each must be closed by the server, at once or after a time of silence.
  static let electionCases: [(name: String, bytes: [UInt8])] = [
    ("unknown version", long(-1) + long(77) + bigEndian(4) + [1, 2, 3, 4]),
    ("negative address", long(-65_536) + long(77) + bigEndian(-1)),
    ("huge address", long(-65_536) + long(77) + bigEndian(.max)),
    ("half a greeting, then silence", [UInt8](greeting.prefix(13))),
    ("negative length", greeting + bigEndian(-1)),
    ("huge length", greeting + bigEndian(.max)),
    ("one over the limit", greeting + bigEndian(524_289)),
    ("empty message", greeting + bigEndian(0)),
    ("nothing at all", []),
    ("HTTP", Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
  ]

  static let quorumCases: [(name: String, bytes: [UInt8])] = [
    ("negative length", bigEndian(11) + long(0) + bigEndian(-2)),
    ("huge length", bigEndian(11) + long(0) + bigEndian(.max)),
    ("PING first", QuorumPacket(.ping, zxid: .zero).encoded),
    ("REQUEST first", QuorumPacket(.request, zxid: .zero, data: [1, 2, 3]).encoded),
    ("unknown packet first", bigEndian(99) + long(0) + bigEndian(-1) + bigEndian(-1)),
    ("no information", info(data: [])),
    ("truncated information", info(data: [0, 0, 0])),
    ("old protocol", info(data: long(1) + bigEndian(1))),
    ("vote without a promise", info() + QuorumPacket(.ack, zxid: .zero).encoded),
    ("promise without an epoch", info() + QuorumPacket(.ackEpoch, zxid: .zero).encoded),
    ("half a packet, then silence", [UInt8](info().prefix(9))),
    ("information, then silence", info()),
    ("HTTP", Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)),
  ]

  private static func start() async throws -> ServerEnsemble {
    var configuration = ServerEnsemble.Configuration([.ours, .ours, .ours])
    configuration.tickTimeMilliseconds = 200
    configuration.initLimit = 12
    configuration.syncLimit = 8
    return try await ServerEnsemble.start(configuration)
  }

  /// Runs `body`, after which the same leader must still lead the same followers in the same epoch.
  private static func expectUnharmed(
    _ ensemble: ServerEnsemble, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
  ) async throws {
    let leader = try await ensemble.waitForLeader()
    let epoch = try await epoch(of: ensemble)
    try await body()
    for member in ensemble.members {
      #expect(member.mode == (member === leader ? "leader" : "follower"), sourceLocation: sourceLocation)
    }
    try await ensemble.writeThroughEach(uniquePath("unharmed"))
    #expect(try await Self.epoch(of: ensemble) == epoch, "\(leader.log.suffix(1_500))", sourceLocation: sourceLocation)
    #expect(leader.figure("synced_followers") == "2", sourceLocation: sourceLocation)
    try await ensemble.expectIdenticalTrees()
  }

  /// The first half of the zxid of a new transaction.
  private static func epoch(of ensemble: ServerEnsemble) async throws -> UInt32 {
    try await withSession(ensemble.connectString) { client in
      try await client.create2(uniquePath("epoch"), data: []).stat.czxid.epoch
    }
  }

  /// Sends bytes to a port and waits until the server has closed the connection.
  private static func expectClosed(_ bytes: [UInt8], by port: UInt16, _ name: String) throws {
    let socket = try LoopbackSocket.connect(to: port, timeout: .seconds(15))
    do {
      try socket.write(bytes)
      _ = try socket.readToEnd()
    } catch {
      // A connection that is reset is closed too; one that times out is not.
      #expect(errno == ECONNRESET || errno == EPIPE, "\(name): \(error)")
    }
  }

  @Test func badBytesCloseTheirConnection() async throws {
    let ensemble = try await Self.start()
    try await Self.expectUnharmed(ensemble) {
      // All at the same time, because some of them are closed only after a timeout.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for member in ensemble.members {
          let cases =
            Self.electionCases.map { ($0, member.ports.election) } + Self.quorumCases.map { ($0, member.ports.quorum) }
          for (item, port) in cases {
            group.addTask {
              try await onThread { try Self.expectClosed(item.bytes, by: port, "\(item.name) on server \(member.id)") }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    try await ensemble.kill()
  }

  @Test func randomBytesHarmNobody() async throws {
    var random = SeededGenerator()
    let ensemble = try await Self.start()
    try await Self.expectUnharmed(ensemble) {
      for _ in 0..<400 {
        let isElection = Bool.random(using: &random)
        var bytes = mutate(isElection ? Self.greeting + Self.vote : Self.info(), using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        // A connection that claims to be a member is believed, as by Apache's servers, so this case is left out.
        guard !Self.claimsMembership(bytes) else { continue }
        let member = ensemble.members.randomElement(using: &random)!
        let socket = try LoopbackSocket.connect(
          to: isElection ? member.ports.election : member.ports.quorum, timeout: .seconds(5))
        try? socket.write(bytes)
        socket.shutdown()
      }
    }
    try await ensemble.kill()
  }

  private static func claimsMembership(_ bytes: [UInt8]) -> Bool {
    if let packet = try? QuorumPacket(decoding: bytes, allowingTrailingBytes: true), let data = packet.data,
      let info = try? LearnerInfo(decoding: data, allowingTrailingBytes: true)
    {
      return (1...3).contains(info.serverID.rawValue)
    }
    guard bytes.count >= 16 else { return false }
    let numbers = [bytes.prefix(8), bytes[8..<16]].map { $0.reduce(0) { $0 << 8 | Int64($1) } }
    return numbers.contains { (1...3).contains($0) }
  }
}

/// Runs blocking work on a separate thread.
private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
  try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
