public import ZooKeeperClient
public import ZooKeeperProtocol

/// All sessions of an ensemble, with the addresses of their clients, their ephemeral znodes and their watches.
///
/// Connections and watches are known only to the server that a client is connected to; ephemeral znodes are known to
/// all.
public struct SessionCensus: Sendable {
  /// A session.
  public struct Session: Hashable, Sendable {
    public let id: SessionID
    /// The client's `host:port`; nil if it is not connected to any of the servers that were asked.
    public var client: String?
    /// The server that the client is connected to.
    public var server: ServerAddress?
    /// The start of the connection, in milliseconds since 1970 by the server's clock.
    public var sinceMilliseconds: Int64?
    public var timeoutMilliseconds: Int64?
    public var receivedCount: Int64 = 0
    public var sentCount: Int64 = 0
    public var queuedCount: Int64 = 0
    public var averageLatencyMilliseconds: Int64?
    public var lastOperation: String?
    public var ephemerals: [String] = []
    public var watches: [String] = []

    init(id: SessionID) { self.id = id }

    /// Whether the client is at `host` or `host:port`.
    public func isOf(client text: String) -> Bool {
      guard let client else { return false }
      guard client != text, let colon = client.lastIndex(of: ":") else { return client == text }
      let host = client[..<colon]
      return host == text || host == "[\(text)]"
    }
  }

  /// Sorted by id.
  public private(set) var sessions: [Session] = []
  /// Servers that could not be asked.
  public private(set) var failures: [ConnectFailure] = []
  /// Servers that are up but have answered neither these four-letter words nor by their AdminServer.
  public private(set) var refused: [(server: ServerAddress, words: [String])] = []

  /// Whether every server has answered completely.
  public var isComplete: Bool { failures.isEmpty && refused.isEmpty }

  /// The answers of one server.
  private struct Part: Sendable {
    var address: ServerAddress
    var failure: ConnectFailure?
    var refused: [String] = []
    var connections: [ClientConnection] = []
    var dump: SessionDump?
    var watches = WatchDump()
  }

  /// Asks all servers of a list.
  public static func take(of servers: [ServerAddress], _ probe: EnsembleProbe) async -> SessionCensus {
    let admins = await probe.adminServers(of: servers)
    let parts = await withTaskGroup(of: (Int, Part).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask { (index, await part(of: server, admin: admins[server], probe)) }
      }
      var parts: [Int: Part] = [:]
      for await (index, part) in group { parts[index] = part }
      return servers.indices.compactMap { parts[$0] }
    }
    return SessionCensus(parts)
  }

  private init(_ parts: [Part]) {
    var found: [SessionID: Session] = [:]
    for part in parts {
      if let failure = part.failure { failures.append(failure) }
      if !part.refused.isEmpty { refused.append((part.address, part.refused)) }
      for connection in part.connections {
        guard let id = connection.session else { continue }
        found[id, default: Session(id: id)].take(connection, at: part.address)
      }
      for id in part.dump?.sessions ?? [] {
        let timeout = found[id]?.timeoutMilliseconds ?? part.dump?.timeoutMilliseconds[id]
        found[id, default: Session(id: id)].timeoutMilliseconds = timeout
      }
      for (id, paths) in part.dump?.ephemerals ?? [:] {
        found[id, default: Session(id: id)].ephemerals.merge(paths)
      }
      for (id, paths) in part.watches.pathsBySession { found[id, default: Session(id: id)].watches.merge(paths) }
    }
    sessions = found.values.sorted { $0.id.rawValue < $1.id.rawValue }
  }

  private static func part(
    of server: ServerAddress, admin: ServerAddress?, _ probe: EnsembleProbe
  ) async -> Part {
    var part = Part(address: server)
    async let cons = WordAnswer.ask("cons", of: server, tls: probe.tls, limit: probe.limit)
    async let dump = WordAnswer.ask("dump", of: server, tls: probe.tls, limit: probe.limit)
    async let wchc = WordAnswer.ask("wchc", of: server, tls: probe.tls, limit: probe.limit)
    let answers = await (cons: cons, dump: dump, wchc: wchc)
    if let bytes = answers.cons.bytes {
      part.connections = ClientConnection.parse(cons: bytes)
    } else if let told = await probe.document("connections", of: admin).flatMap({
      ClientConnection.parse(connections: $0)
    }) {
      part.connections = told
    } else {
      part.refused.append("cons")
    }
    part.dump = answers.dump.bytes.flatMap { SessionDump(dump: $0) }
    if part.dump == nil { part.dump = await probe.document("dump", of: admin).flatMap { SessionDump(dump: $0) } }
    if part.dump == nil { part.refused.append("dump") }
    if let bytes = answers.wchc.bytes {
      part.watches = WatchDump(wchc: bytes)
    } else if let told = await probe.document("watches", of: admin).flatMap({ WatchDump(watches: $0) }) {
      part.watches = told
    } else if case .failed(.closedWithoutAnswer) = answers.wchc {
      // An empty answer means that there are no watches.
    } else {
      part.refused.append("wchc")
    }
    if part.refused.count == 3, case .failed(let reason) = answers.cons {
      part.refused = []
      part.failure = ConnectFailure(address: server, reason: reason)
    }
    return part
  }
}

extension SessionCensus.Session {
  /// Adds what the server of its connection reports.
  fileprivate mutating func take(_ connection: ClientConnection, at address: ServerAddress) {
    client = connection.client
    server = address
    sinceMilliseconds = connection.establishedMilliseconds
    timeoutMilliseconds = connection.timeoutMilliseconds
    receivedCount = connection.receivedCount
    sentCount = connection.sentCount
    queuedCount = connection.queuedCount
    averageLatencyMilliseconds = connection.averageLatencyMilliseconds
    lastOperation = connection.lastOperation
  }
}

extension [String] {
  /// Adds the texts of another list that are not here yet; the result is sorted.
  fileprivate mutating func merge(_ other: [String]) { self = Set(self).union(other).sorted() }
}
