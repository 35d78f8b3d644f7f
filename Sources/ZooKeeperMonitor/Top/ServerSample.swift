public import ZooKeeperClient
public import ZooKeeperProtocol

/// The counters of a server and its clients at one moment.
public struct ServerSample: Sendable {
  public let address: ServerAddress
  public let taken: ContinuousClock.Instant
  /// nil if the server reports none.
  public var metrics: ServerMetrics?
  /// nil if the server does not report its connections.
  public var connections: [ClientConnection]?
  /// Why the server did not answer at all.
  public var failure: ConnectFailure.Reason?
  /// The four-letter words that its configuration does not allow.
  public var refused: [String] = []

  public init(address: ServerAddress, taken: ContinuousClock.Instant, connections: [ClientConnection]? = nil) {
    self.address = address
    self.taken = taken
    self.connections = connections
  }
}

extension EnsembleProbe {
  /// Asks a server for `mntr` and `cons` once, and its AdminServer only in place of a four-letter word that is not
  /// allowed.
  public func sample(_ address: ServerAddress, admin: ServerAddress?) async -> ServerSample {
    async let mntr = WordAnswer.ask("mntr", of: address, tls: tls, limit: limit)
    async let cons = WordAnswer.ask("cons", of: address, tls: tls, limit: limit)
    let answers = await (mntr: mntr, cons: cons)
    var sample = ServerSample(address: address, taken: .now)
    sample.metrics = answers.mntr.bytes.flatMap { ServerMetrics(mntr: $0) }
    sample.connections = answers.cons.bytes.map { ClientConnection.parse(cons: $0) }
    if sample.metrics == nil { sample.metrics = await metrics(of: admin) }
    if sample.connections == nil {
      sample.connections = await document("connections", of: admin).flatMap { ClientConnection.parse(connections: $0) }
    }
    if answers.mntr == .notAllowed, sample.metrics == nil { sample.refused.append("mntr") }
    if answers.cons == .notAllowed, sample.connections == nil { sample.refused.append("cons") }
    if sample.metrics == nil, sample.connections == nil, case .failed(let reason) = answers.mntr {
      sample.failure = reason
    }
    return sample
  }
}
