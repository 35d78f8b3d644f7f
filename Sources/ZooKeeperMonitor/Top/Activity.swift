public import ZooKeeperProtocol

/// What servers and clients have done between two samples.
public struct Activity: Sendable {
  /// A server.
  public struct Server: Sendable {
    public var sample: ServerSample
    /// Packets a second that it has received; nil without an earlier sample.
    public var receivedRate: Double?
    /// Packets a second that it has sent.
    public var sentRate: Double?
  }

  /// A client's connection.
  public struct Client: Hashable, Sendable {
    public var connection: ClientConnection
    public var server: ServerAddress
    /// Requests a second; nil without an earlier sample.
    public var requestRate: Double?
  }

  public var servers: [Server] = []
  /// Those with a session.
  public var clients: [Client] = []

  /// - Parameter earlier: the samples before, by server.
  public init(_ samples: [ServerSample], since earlier: [ServerAddress: ServerSample]) {
    for sample in samples {
      let before = earlier[sample.address]
      let seconds = before.map { (sample.taken - $0.taken) / .seconds(1) } ?? 0
      func rate(_ now: Int64?, _ then: Int64?) -> Double? {
        guard let now, let then, seconds > 0 else { return nil }
        // After a restart or a reset of the statistics the figure is smaller than before.
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

    /// The next one, as a key chooses it.
    public var next: Order { Self.allCases[(Self.allCases.firstIndex(of: self)! + 1) % Self.allCases.count] }
  }

  /// The clients with the largest figure first; those with the same figure by address, so that rows keep their places.
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
