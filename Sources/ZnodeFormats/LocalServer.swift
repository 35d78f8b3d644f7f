package import JSONFormat
package import ZooKeeperSandbox

/// A server of `--local`; what cannot be asked is nil.
package struct LocalServer: Hashable, Sendable {
  package var id: Int
  /// `running`, `paused` or `killed`.
  package var state: String
  package var role: String?
  package var zxid: String?
  package var sessions: Int?
  package var connections: Int?
  package var address: String
  /// The servers that it does not reach.
  package var cutOff: [Int]
  /// The faults of its links to others.
  package var links: [Link] = []
  /// How much longer each sync of its log takes.
  package var diskDelayMilliseconds: Int64 = 0
  /// What its wall clock is ahead of the machine's.
  package var clockOffsetMilliseconds: Int64 = 0

  /// The faults of the link between the server and another one.
  package struct Link: Hashable, Sendable {
    package var id: Int
    package var delayMilliseconds: Int64
    package var jitterMilliseconds: Int64
    /// The probability with which a message breaks the connection.
    package var dropProbability: Double
  }

  /// A server as the sandbox reports it.
  package init(
    id: Int, state: String, role: String?, zxid: String?, sessions: Int?, connections: Int?, address: String,
    cutOff: [Int]
  ) {
    self.id = id
    self.state = state
    self.role = role
    self.zxid = zxid
    self.sessions = sessions
    self.connections = connections
    self.address = address
    self.cutOff = cutOff
  }
}

extension JSON {
  /// The document of a server of a sandbox.
  package static func of(_ server: LocalServer) -> JSON {
    .object([
      ("id", .number(server.id)), ("state", .string(server.state)), ("role", .optional(server.role)),
      ("zxid", .optional(server.zxid)), ("sessions", server.sessions.map { .number($0) } ?? .null),
      ("connections", server.connections.map { .number($0) } ?? .null), ("address", .string(server.address)),
      ("cutOffFrom", .array(server.cutOff.map { .number($0) })), ("links", .array(server.links.map(of))),
      ("diskDelayMilliseconds", .number(server.diskDelayMilliseconds)),
      ("clockOffsetMilliseconds", .number(server.clockOffsetMilliseconds)),
    ])
  }

  private static func of(_ link: LocalServer.Link) -> JSON {
    .object([
      ("to", .number(link.id)), ("delayMilliseconds", .number(link.delayMilliseconds)),
      ("jitterMilliseconds", .number(link.jitterMilliseconds)),
      ("dropPercent", .raw([UInt8](Record.text(of: link.dropProbability * 100).utf8))),
    ])
  }
}

extension LocalServer {
  /// A server as the sandbox reports it, with times in milliseconds.
  package init(_ member: LocalMember) {
    self.init(
      id: member.id, state: member.state.rawValue, role: member.role, zxid: member.zxid, sessions: member.sessions,
      connections: member.connections, address: member.address, cutOff: member.cutOff)
    diskDelayMilliseconds = Self.milliseconds(member.diskDelay)
    clockOffsetMilliseconds = Self.milliseconds(member.clockOffset)
    links = member.faultyLinks.map { link in
      Link(
        id: link.id, delayMilliseconds: Self.milliseconds(link.delay),
        jitterMilliseconds: Self.milliseconds(link.jitter), dropProbability: link.breakProbability)
    }
  }

  private static func milliseconds(_ time: Duration) -> Int64 {
    time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
  }
}
