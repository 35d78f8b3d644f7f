import Logging
import NIOCore
import NIOEmbedded
import SASL
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// What two servers say to each other before anything else, and what either does with anything that is not that.
@Suite struct QuorumAuthGateTests {
  /// One end of a connection between servers: the gate, and what becomes of the connection.
  private final class End {
    let channel = EmbeddedChannel()
    private(set) var outcomes: [String] = []
    private let gate: QuorumAuthGate

    init(_ side: QuorumAuthGate.Side) throws {
      gate = QuorumAuthGate(side, limit: .seconds(10), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      gate.onPassed = { [unowned self] in outcomes.append("passed") }
      gate.onRefused = { [unowned self] in outcomes.append("refused") }
      if case .accepting = side { gate.onLeft = { [unowned self] in outcomes.append("left") } }
      try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
      try channel.pipeline.syncOperations.addHandler(gate)
    }

    /// Receives bytes, unless the connection is closed.
    func receive(_ bytes: [UInt8]) { if channel.isActive { _ = try? channel.writeInbound(ByteBuffer(bytes: bytes)) } }

    func receive(_ packet: QuorumAuthPacket) { receive(packet.encoded) }

    /// All that it has sent since the last call.
    func sent() throws -> [UInt8] {
      var bytes: [UInt8] = []
      while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
      return bytes
    }

    /// All that the gate has passed on.
    func passedOn() throws -> [UInt8] {
      var bytes: [UInt8] = []
      while let buffer = try channel.readInbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
      return bytes
    }
  }

  private static func authentication(
    password: String = "secret", user: String = "zk", isRequired: Bool = true
  ) -> ServerConfiguration.QuorumAuthentication {
    var authentication = ServerConfiguration.QuorumAuthentication(
      server: .digest(DigestLogin(users: ["zk": "secret"])),
      learner: .digest(DigestLogin(username: user, password: password)))
    authentication.isRequiredOfOthers = isRequired
    authentication.logsIn = true
    return authentication
  }

  private static let members = QuorumConfiguration(
    members: [.init(id: ServerID(rawValue: 1), addresses: [.init(host: "h", quorumPort: 1, electionPort: 2)])],
    version: 0)

  private func server(isRequired: Bool = true) throws -> End {
    try End(.accepting(Self.authentication(isRequired: isRequired), Self.members))
  }

  private func learner(_ password: String = "secret", user: String = "zk") throws -> End {
    try End(.loggingIn(Self.authentication(password: password, user: user), host: "h"))
  }

  /// Passes on what the two send until neither sends anything.
  private func talk(_ first: End, _ second: End, byteByByte: Bool = false) throws {
    while true {
      let (there, back) = (try first.sent(), try second.sent())
      if there.isEmpty, back.isEmpty { return }
      for (bytes, end) in [(there, second), (back, first)] {
        if byteByByte { for byte in bytes { end.receive([byte]) } } else { end.receive(bytes) }
      }
    }
  }

  @Test func serversWithThePasswordPass() throws {
    let (server, learner) = (try server(), try learner())
    try talk(learner, server)
    #expect(server.outcomes == ["passed"] && learner.outcomes == ["passed"])
    // The gates have left, and the connection is that of the servers.
    server.receive([1, 2, 3])
    learner.receive([4])
    #expect(try server.passedOn() == [1, 2, 3] && learner.passedOn() == [4])
  }

  @Test func packetsMayArriveByteByByte() throws {
    let (server, learner) = (try server(), try learner())
    try talk(learner, server, byteByByte: true)
    #expect(server.outcomes == ["passed"] && learner.outcomes == ["passed"])
  }

  @Test(arguments: [("wrong", "zk"), ("secret", "eve"), ("", "zk")])
  func othersAreRefused(_ password: String, _ user: String) throws {
    let (server, learner) = (try server(), try learner(password, user: user))
    try talk(learner, server)
    #expect(server.outcomes == ["refused"] && learner.outcomes == ["refused"])
    #expect(!server.channel.isActive && !learner.channel.isActive)
  }

  /// As long as it is not demanded that all log in.
  @Test func othersPassWhereLoginsAreNotDemanded() throws {
    let server = try server(isRequired: false)
    server.receive([0, 0, 0, 28, 0, 0, 0, 0, 7])
    #expect(server.outcomes == ["passed"])
    #expect(try server.passedOn() == [0, 0, 0, 28, 0, 0, 0, 0, 7])
    let failing = try self.server(isRequired: false)
    failing.receive(QuorumAuthPacket(status: .inProgress, token: []))
    failing.receive(QuorumAuthPacket(status: .inProgress, token: Array("username=\"zk\"".utf8)))
    #expect(failing.outcomes == ["passed"])
    let silent = try self.server(isRequired: false)
    try silent.channel.close().wait()
    #expect(silent.outcomes == ["left"])
  }

  /// A connection that ends in the middle of a packet, or within the exchange.
  @Test(arguments: [true, false]) func truncatedPacketsAreRefused(isRequired: Bool) throws {
    let whole = QuorumAuthPacket(status: .inProgress, token: Array("response".utf8)).encoded
    for length in 1..<whole.count {
      let server = try server(isRequired: isRequired)
      server.receive(Array(whole.prefix(length)))
      #expect(server.outcomes == [])
      try server.channel.close().wait()
      #expect(server.outcomes == ["refused"], "\(length)")
    }
    let begun = try server(isRequired: isRequired)
    begun.receive(QuorumAuthPacket(status: .inProgress, token: []))
    try begun.channel.close().wait()
    #expect(begun.outcomes == ["refused"])
  }

  @Test(arguments: [16 << 20, Int(Int32.max), (256 << 10) + 1]) func oversizedTokensAreRefusedUnread(_ length: Int)
    throws
  {
    let start = Array(QuorumAuthPacket(status: .inProgress, token: nil).encoded.dropLast(4))
    let size = withUnsafeBytes(of: Int32(length).bigEndian, Array.init)
    for end in [try server(), try server(isRequired: false), try learner()] {
      end.receive(start + size)
      #expect(end.outcomes == ["refused"])
      #expect(!end.channel.isActive)
    }
  }

  @Test func invalidPacketsAreRefused() throws {
    let start = Array(QuorumAuthPacket(status: .inProgress, token: nil).encoded.prefix(8))
    // An unknown status, and a negative length that is not null's.
    for rest: [UInt8] in [
      [0, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe], [0, 0, 0, 0, 0x80, 0, 0, 0],
    ] {
      let server = try server()
      server.receive(start + rest)
      #expect(server.outcomes == ["refused"], "\(rest)")
    }
    // A token of the largest size is read, and is none of the mechanism's.
    let server = try server()
    server.receive(QuorumAuthPacket(status: .inProgress, token: []))
    server.receive(QuorumAuthPacket(status: .inProgress, token: [UInt8](repeating: 97, count: 256 << 10)))
    #expect(server.outcomes == ["refused"])
  }

  /// Messages before they are due, or after the end.
  @Test func earlyMessagesAreRefused() throws {
    let plain = try server()
    plain.receive([0, 0, 0, 28, 0, 0, 0, 0])
    #expect(plain.outcomes == ["refused"])
    let hasty = try server()
    hasty.receive(QuorumAuthPacket(status: .success, token: Array("response=00".utf8)))
    #expect(hasty.outcomes == ["refused"])
    // The other server says that all is well before anything was proved.
    for token in [nil, [], Array("rspauth=00".utf8)] as [[UInt8]?] {
      let learner = try learner()
      learner.receive(QuorumAuthPacket(status: .success, token: token))
      #expect(learner.outcomes == ["refused"])
    }
    // Votes in the place of an answer.
    let learner = try learner()
    learner.receive([0, 0, 0, 28, 0, 0, 0, 0])
    #expect(learner.outcomes == ["refused"])
    let told = try self.learner()
    told.receive(QuorumAuthPacket(status: .error, token: nil))
    #expect(told.outcomes == ["refused"])
  }

  @Test func messagesBehindTheLastOneAreNotLost() throws {
    let (server, learner) = (try server(), try learner())
    server.receive(try learner.sent())
    learner.receive(try server.sent())
    server.receive(try learner.sent() + [9, 9])
    #expect(server.outcomes == ["passed"])
    #expect(try server.passedOn() == [9, 9])
    learner.receive(try server.sent() + [8])
    #expect(learner.outcomes == ["passed"])
    #expect(try learner.passedOn() == [8])
  }

  @Test func exchangesTakeALimitedTime() throws {
    for end in [try server(), try server(isRequired: false), try learner()] {
      end.channel.embeddedEventLoop.advanceTime(by: .seconds(9))
      #expect(end.outcomes == [])
      end.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
      #expect(end.outcomes == ["refused"])
      #expect(!end.channel.isActive)
    }
  }

  /// A connection on which more is sent than an exchange can need does not fill the memory.
  @Test func floodsAreRefused() throws {
    let server = try server()
    let piece = [UInt8](repeating: 0, count: 64 << 10)
    server.receive(
      Array(QuorumAuthPacket(status: .inProgress, token: nil).encoded.prefix(8)) + [0, 0, 0, 0, 0, 4, 0, 0])
    for _ in 0..<20 { server.receive(piece) }
    #expect(server.outcomes == ["refused"])
  }
}
