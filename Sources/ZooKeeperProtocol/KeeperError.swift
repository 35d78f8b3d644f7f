/// An error code of the wire: what a server answers, or what an official client makes of a failure.
///
/// It is not an enum: codes that this list does not name are kept as they came, so that a newer server's answer is
/// reported rather than lost.
///
/// *Source*: `org.apache.zookeeper.KeeperException.Code`; `ClientProtocol` 1.6.
public struct KeeperError: RawRepresentable, Error, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The request succeeded.
  public static let ok = KeeperError(rawValue: 0)
  /// The server met an error that has no code.
  public static let systemError = KeeperError(rawValue: -1)
  /// Another operation of the same multi failed.
  public static let runtimeInconsistency = KeeperError(rawValue: -2)
  /// The server found its data to be inconsistent.
  public static let dataInconsistency = KeeperError(rawValue: -3)
  /// The connection ended before the reply came: the request may have been carried out.
  public static let connectionLoss = KeeperError(rawValue: -4)
  /// The server could not decode the request.
  public static let marshallingError = KeeperError(rawValue: -5)
  /// The server does not know the operation.
  public static let unimplemented = KeeperError(rawValue: -6)
  /// The operation took too long.
  public static let operationTimeout = KeeperError(rawValue: -7)
  /// An argument is not valid, such as the path of a create or the version of a reconfiguration.
  public static let badArguments = KeeperError(rawValue: -8)
  /// The client is in a state in which it cannot do this.
  public static let invalidState = KeeperError(rawValue: -9)
  /// The session is not known to the server.
  public static let unknownSession = KeeperError(rawValue: -12)
  /// No quorum of the new configuration is connected and up to date.
  public static let newConfigNoQuorum = KeeperError(rawValue: -13)
  /// Another reconfiguration has not finished yet.
  public static let reconfigInProgress = KeeperError(rawValue: -14)
  /// The client could not establish TLS.
  public static let sslConnectionError = KeeperError(rawValue: -15)
  /// Never sent: it marks the range of the codes below it, which concern the request and not the system.
  public static let apiError = KeeperError(rawValue: -100)
  /// The znode does not exist; of a create, the parent.
  public static let noNode = KeeperError(rawValue: -101)
  /// No identity of the connection has the permission.
  public static let noAuth = KeeperError(rawValue: -102)
  /// The znode has another version than the request expects.
  public static let badVersion = KeeperError(rawValue: -103)
  /// The parent is ephemeral, and ephemeral znodes cannot have children.
  public static let noChildrenForEphemerals = KeeperError(rawValue: -108)
  /// The znode exists already.
  public static let nodeExists = KeeperError(rawValue: -110)
  /// The znode has children.
  public static let notEmpty = KeeperError(rawValue: -111)
  /// The session has ended, and its ephemeral znodes with it.
  public static let sessionExpired = KeeperError(rawValue: -112)
  /// A callback of the client is not valid; made by official clients only.
  public static let invalidCallback = KeeperError(rawValue: -113)
  /// The ACL is empty or has an entry that the server does not accept.
  public static let invalidACL = KeeperError(rawValue: -114)
  /// The proof of an identity was refused.
  public static let authFailed = KeeperError(rawValue: -115)
  /// The client is closing; made by official clients only.
  public static let closing = KeeperError(rawValue: -116)
  /// There is no reply to process; made by official clients only.
  public static let nothing = KeeperError(rawValue: -117)
  /// The session has resumed on another server.
  public static let sessionMoved = KeeperError(rawValue: -118)
  /// The server is read-only and was asked to write.
  public static let notReadOnly = KeeperError(rawValue: -119)
  /// The session is local to its server and cannot own ephemeral znodes.
  public static let ephemeralOnLocalSession = KeeperError(rawValue: -120)
  /// There is no such watch to remove.
  public static let noWatcher = KeeperError(rawValue: -121)
  /// The client gave up waiting for the reply.
  public static let requestTimeout = KeeperError(rawValue: -122)
  /// Reconfiguration is disabled on the server.
  public static let reconfigDisabled = KeeperError(rawValue: -123)
  /// The server closed the session because it requires SASL authentication.
  public static let sessionClosedRequireSaslAuth = KeeperError(rawValue: -124)
  /// The write would exceed a quota that the server enforces.
  public static let quotaExceeded = KeeperError(rawValue: -125)
  /// The request waited too long in a server that throttles.
  public static let throttledOp = KeeperError(rawValue: -127)
}

extension KeeperError {
  /// A stable name of the code, fit for scripts: `NoNode`, `NotEmpty`, `SessionExpired`.
  public var name: String { Self.texts[rawValue]?.name ?? "Unknown(\(rawValue))" }

  /// The text that `KeeperException.getCodeMessage` of ZooKeeper 3.9 has for the code, as in
  /// `KeeperErrorCode = NoNode for /x`.
  public var apacheMessage: String {
    guard let entry = Self.texts[rawValue] else { return "Unknown error \(rawValue)" }
    return entry.message ?? entry.name
  }

  /// Every code that has a name, from `ok` downwards.
  public static var allNamed: [KeeperError] { texts.keys.sorted(by: >).map(KeeperError.init(rawValue:)) }

  /// The name, and Apache's message where it differs.
  private static let texts: [Int32: (name: String, message: String?)] = [
    0: ("Ok", "ok"),
    -1: ("SystemError", nil),
    -2: ("RuntimeInconsistency", nil),
    -3: ("DataInconsistency", nil),
    -4: ("ConnectionLoss", nil),
    -5: ("MarshallingError", nil),
    -6: ("Unimplemented", nil),
    -7: ("OperationTimeout", nil),
    -8: ("BadArguments", nil),
    -9: ("InvalidState", "Unknown error -9"),
    -12: ("UnknownSession", "Unknown error -12"),
    -13: ("NewConfigNoQuorum", nil),
    -14: ("ReconfigInProgress", nil),
    -15: ("SSLConnectionError", "Unknown error -15"),
    -100: ("APIError", nil),
    -101: ("NoNode", nil),
    -102: ("NoAuth", nil),
    -103: ("BadVersion", nil),
    -108: ("NoChildrenForEphemerals", nil),
    -110: ("NodeExists", nil),
    -111: ("NotEmpty", "Directory not empty"),
    -112: ("SessionExpired", "Session expired"),
    -113: ("InvalidCallback", "Invalid callback"),
    -114: ("InvalidACL", nil),
    -115: ("AuthFailed", nil),
    -116: ("Closing", "Unknown error -116"),
    -117: ("Nothing", "Unknown error -117"),
    -118: ("SessionMoved", "Session moved"),
    -119: ("NotReadOnly", "Not a read-only call"),
    -120: ("EphemeralOnLocalSession", "Ephemeral node on local session"),
    -121: ("NoWatcher", "No such watcher"),
    -122: ("RequestTimeout", "Unknown error -122"),
    -123: ("ReconfigDisabled", "Reconfig is disabled"),
    -124: ("SessionClosedRequireSaslAuth", "Session closed because client failed to authenticate"),
    -125: ("QuotaExceeded", "Quota has exceeded"),
    -127: ("ThrottledOp", "Op throttled due to high load"),
  ]
}

extension KeeperError: CustomStringConvertible {
  public var description: String { name }
}
