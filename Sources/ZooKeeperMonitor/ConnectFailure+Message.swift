public import ZooKeeperClient

/// Messages for the reasons of a connect failure.
extension ConnectFailure.Reason {
  /// What happened, as the text after `host:port: `.
  public var message: String {
    switch self {
    case .refused: "connection refused"
    case .unresolved: "the name cannot be resolved"
    case .timedOut(connected: false, let limit): "no connection within \(limit) ms"
    case .timedOut(connected: true, let limit): "connected, but no reply within \(limit) ms"
    case .authenticationTimedOut(let limit): "the SASL login took longer than \(limit) ms"
    case .closedWithoutAnswer: "the server closed the connection without a reply"
    case .behind(let server, let seen):
      "its last transaction is \(server), but this session has already seen \(seen)"
    case .notZooKeeper(let error): "not a ZooKeeper server (\(error))"
    case .tls(let failure): failure.description(of: "the server")
    case .readOnlyServerRefused: "a read-only server, which -r would accept"
    case .network(let text): text
    }
  }

  /// What to do about it.
  public var hint: String? {
    switch self {
    case .refused: "is the server running, and is the port right?"
    case .unresolved: "check the name"
    case .timedOut(connected: false, _): "is the host up, and does a firewall let the port through?"
    case .timedOut(connected: true, _), .notZooKeeper: "is this the client port of a ZooKeeper server?"
    case .authenticationTimedOut: "does the KDC answer?"
    case .closedWithoutAnswer:
      "the server has no quorum, has reached its limit of connections (maxClientCnxns), expects TLS (--tls), or is not"
        + " a ZooKeeper server"
    case .tls(let failure): failure.hint
    case .behind:
      "it lags, has lost its data, or belongs to another ensemble; connect starts a session that has seen nothing yet"
    case .readOnlyServerRefused: "wait for a quorum"
    case .network: nil
    }
  }
}
