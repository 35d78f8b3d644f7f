public import Jute
public import TransportSecurity
public import ZooKeeperProtocol

/// Why a call of the client did not succeed.
///
/// For requests that must not be carried out twice, `outcomeUnknown` is the decisive detail: if it is false, nothing
/// was sent, and the request may be repeated.
public struct ZooKeeperError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  public enum Code: Hashable, Sendable {
    /// The server answered with an error.
    case server(KeeperError)
    /// The connection was lost. With `outcomeUnknown` the request had been sent: a write may or may not have been
    /// carried out.
    case connectionLoss(outcomeUnknown: Bool)
    /// No server of the list could be used; each has its reason.
    case cannotConnect([ConnectFailure])
    /// A server says that the session is over, or the servers have lost the data that it has seen. Its ephemeral znodes
    /// are deleted.
    case sessionExpired
    /// The server refused the identity of `addAuth` and closed the connection; the session is unusable.
    case authFailed
    /// The client could not prove its identity by SASL, for the given reason; the session is unusable.
    case saslFailed(String)
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
    /// The reply is over the frame limit, and the connection was closed. The request was carried out.
    case replyTooLarge(lengthBytes: Int, limitBytes: Int)
    /// The reply could not be decoded.
    case malformedReply(JuteError)
    /// A multi was rolled back; the results say which operation failed and why.
    case rolledBack([MultiResult])
    /// More than `limit` events of a watch waited for their consumer, and some were dropped.
    case eventOverflow(limit: Int)
  }

  /// The reason.
  public var code: Code
  /// The znode concerned, as the caller named it.
  public var path: String?

  public init(_ code: Code, path: String? = nil) {
    self.code = code
    self.path = path
  }

  /// The code that official clients report in this case; nil if they have none.
  public var keeperError: KeeperError? {
    switch code {
    case .server(let error): error
    case .connectionLoss, .cannotConnect, .replyTooLarge: .connectionLoss
    case .sessionExpired, .closed: .sessionExpired
    case .authFailed, .saslFailed: .authFailed
    case .timedOut: .requestTimeout
    case .badPath, .badArgument: .badArguments
    case .malformedReply: .marshallingError
    case .rolledBack(let results): MultiResponse(results: results).firstError
    case .cancelled, .requestTooLarge, .eventOverflow: nil
    }
  }
}

/// One server that could not be used, and why.
public struct ConnectFailure: Error, Hashable, Sendable {
  /// The closed list of reasons.
  public enum Reason: Hashable, Sendable {
    /// Nothing listens there.
    case refused
    /// The name has no address.
    case unresolved
    /// The connection, or the answer on it, took longer than `milliseconds`.
    case timedOut(connected: Bool, milliseconds: Int64)
    /// The server granted the session, and the SASL exchange then took longer than `milliseconds`.
    case authenticationTimedOut(milliseconds: Int64)
    /// The server accepted the connection and closed it without an answer: it has no quorum, refuses more connections,
    /// or is not a ZooKeeper server.
    case closedWithoutAnswer
    /// The server lacks transactions that this session has seen: it lags, has lost its data, or belongs to another
    /// ensemble.
    case behind(server: Zxid, seen: Zxid)
    /// The answer is not one of a ZooKeeper server.
    case notZooKeeper(JuteError)
    /// The connection could not be encrypted, or the server does not accept this client's certificate.
    case tls(TLSFailure)
    /// The server is read-only and does not grant sessions: before 3.7 it would, and since then only with local
    /// sessions enabled.
    case readOnlyServerRefused
    /// Another error of the network, with the operating system's message.
    case network(String)

    /// What was wrong with the bytes that the server has sent, if that is the reason.
    var protocolError: JuteError? { if case .notZooKeeper(let error) = self { error } else { nil } }
  }

  /// The server.
  public let address: ServerAddress
  /// Why it could not be used.
  public let reason: Reason

  public init(address: ServerAddress, reason: Reason) {
    self.address = address
    self.reason = reason
  }
}
