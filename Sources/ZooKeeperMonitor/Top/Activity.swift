public import ZooKeeperProtocol

/// The activity of servers and clients between two samples.
public struct Activity: Sendable {
  /// A server.
  public struct Server: Sendable {
    public var sample: ServerSample
    /// Received packets per second; nil without an earlier sample.
    public var receivedRate: Double?
    /// Sent packets per second.
    public var sentRate: Double?
  }

  /// A client's connection.
  public struct Client: Hashable, Sendable {
    public var connection: ClientConnection
    public var server: ServerAddress
    /// Requests per second; nil without an earlier sample.
    public var requestRate: Double?
  }

  public var servers: [Server] = []
  /// The clients that have a session.
  public var clients: [Client] = []

  /// - Parameter earlier: the previous samples by server.
  public init(_ samples: [ServerSample], since earlier: [ServerAddress: ServerSample]) {
    for sample in samples {
      let before = earlier[sample.address]
      let seconds = before.map { (sample.taken - $0.taken) / .seconds(1) } ?? 0
      func rate(_ now: Int64?, _ then: Int64?) -> Double? {
        guard let now, let then, seconds > 0 else { return nil }
        // After a restart or a reset of the statistics, the count is smaller than before.
        return (Double(now) - (now >= then ? Double(then) : 0)) / seconds
      }
      servers.append(
        Server(
          sample: sample,
          receivedRate: rate(
            sample.metrics?.count("packets_received"), before?.metrics?.count("packets_received")),
          sentRate: rate(sample.metrics?.count("packets_sent"), before?.metrics?.count("packets_sent"))))
      let known = Dictionary(
        (before?.connections ?? []).map { ($0.client, $0) }, uniquingKeysWith: { first, _ in first })
      for connection in sample.connections ?? [] where connection.session != nil {
        let then = known[connection.client].flatMap { $0.session == connection.session ? $0.receivedCount : nil }
        clients.append(
          Client(
            connection: connection, server: sample.address,
            requestRate: before == nil ? nil : rate(connection.receivedCount, then ?? 0)))
      }
    }
  }

  /// How clients are ordered.
  public enum Order: String, CaseIterable, Sendable {
    case requests, waiting, latency, total

    /// The next order, which a key selects.
    public var next: Order { Self.allCases[(Self.allCases.firstIndex(of: self)! + 1) % Self.allCases.count] }
  }

  /// The clients in descending order; those with equal values by address, so that rows keep their positions.
  public func clients(by order: Order) -> [Client] {
    func figure(_ client: Client) -> Double {
      switch order {
      case .requests: client.requestRate ?? 0
      case .waiting: Double(client.connection.queuedCount)
      case .latency: Double(client.connection.averageLatencyMilliseconds ?? 0)
      case .total: Double(client.connection.receivedCount)
      }
    }
    return clients.map { (figure($0), $0) }.sorted { left, right in
      left.0 == right.0 ? left.1.connection.client < right.1.connection.client : left.0 > right.0
    }.map(\.1)
  }
}
