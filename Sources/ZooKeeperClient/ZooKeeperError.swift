public import Jute
public import ZooKeeperProtocol

/// Why a call of the client did not succeed.
public struct ZooKeeperError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  public enum Code: Hashable, Sendable {
    /// The server answered with an error.
    case server(KeeperError)
    /// The connection was lost. With `outcomeUnknown` the request had been sent: a write may or may not
    /// have happened.
    case connectionLoss(outcomeUnknown: Bool)
    /// No server of the list let the client in.
    case cannotConnect([ConnectFailure])
    /// A server says that the session is over, or the servers have lost the data that it has seen. Its ephemerals are
    /// gone.
    case sessionExpired
    /// The server refused the identity of `addAuth` and closed the connection; the session is unusable.
    case authFailed
    /// The client was closed.
    case closed
    /// The time limit passed. With `outcomeUnknown` the request had been sent.
    case timedOut(outcomeUnknown: Bool)
    /// The calling task was cancelled. With `outcomeUnknown` the request had been sent.
    case cancelled(outcomeUnknown: Bool)
    /// The path breaks a rule; nothing was sent.
    case badPath(ZnodePathError.Reason)
    /// An argument is out of range; nothing was sent.
    case badArgument(String)
    /// The request is over the frame limit; nothing was sent.
    case requestTooLarge(lengthBytes: Int, limitBytes: Int)
    /// The reply announced itself over the frame limit; the connection was dropped.
    case replyTooLarge(lengthBytes: Int, limitBytes: Int)
    /// The reply could not be decoded.
    case malformedReply(JuteError)
    /// A multi was rolled back; the results say which operation failed and why.
    case rolledBack([MultiResult])
    /// Events came faster than the consumer of a watch took them; some were dropped.
    case eventOverflow(limit: Int)
  }

  public var code: Code
  /// The znode concerned, as the caller named it.
  public var path: String?

  public init(_ code: Code, path: String? = nil) {
    self.code = code
    self.path = path
  }

  /// The wire's code that official clients report in this case, where they have one.
  public var keeperError: KeeperError? {
    switch code {
    case .server(let error): error
    case .connectionLoss, .cannotConnect, .replyTooLarge: .connectionLoss
    case .sessionExpired, .closed: .sessionExpired
    case .authFailed: .authFailed
    case .timedOut: .requestTimeout
    case .badPath, .badArgument: .badArguments
    case .malformedReply: .marshallingError
    case .rolledBack(let results): MultiResponse(results: results).firstError
    case .cancelled, .requestTooLarge, .eventOverflow: nil
    }
  }
}

/// One server that did not let the client in, and why.
public struct ConnectFailure: Hashable, Sendable {
  /// The closed list of reasons.
  public enum Reason: Hashable, Sendable {
    /// Nothing listens there.
    case refused
    /// The name has no address.
    case unresolved
    /// The connection, or the answer on it, took longer than `milliseconds`.
    case timedOut(connected: Bool, milliseconds: Int64)
    /// The server accepted and then closed without an answer: it has no quorum, refuses more
    /// connections, or is no ZooKeeper server.
    case closedWithoutAnswer
    /// The server serves, and lacks transactions that this session has seen: it lags, has lost its data, or is
    /// another ensemble's.
    case behind(server: Zxid, seen: Zxid)
    /// What came is not an answer of a ZooKeeper server.
    case notZooKeeper(JuteError)
    /// A read-only server refused a session.
    case readOnlyServerRefused
    /// The operating system's words.
    case network(String)
  }

  public let address: ServerAddress
  public let reason: Reason

  public init(address: ServerAddress, reason: Reason) {
    self.address = address
    self.reason = reason
  }
}
