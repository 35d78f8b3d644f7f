/// An error code of the wire: what a server answers, or what an official client makes of a failure.
///
/// Codes that this list does not name are kept as they came, so that a newer server's answer is
/// reported rather than lost.
///
/// *Source*: `org.apache.zookeeper.KeeperException.Code`; `ClientProtocol` 1.6.
public struct KeeperError: RawRepresentable, Error, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) { self.rawValue = rawValue }

  public static let ok = KeeperError(rawValue: 0)
  public static let systemError = KeeperError(rawValue: -1)
  public static let runtimeInconsistency = KeeperError(rawValue: -2)
  public static let dataInconsistency = KeeperError(rawValue: -3)
  public static let connectionLoss = KeeperError(rawValue: -4)
  public static let marshallingError = KeeperError(rawValue: -5)
  public static let unimplemented = KeeperError(rawValue: -6)
  public static let operationTimeout = KeeperError(rawValue: -7)
  public static let badArguments = KeeperError(rawValue: -8)
  public static let invalidState = KeeperError(rawValue: -9)
  public static let unknownSession = KeeperError(rawValue: -12)
  public static let newConfigNoQuorum = KeeperError(rawValue: -13)
  public static let reconfigInProgress = KeeperError(rawValue: -14)
  public static let sslConnectionError = KeeperError(rawValue: -15)
  public static let apiError = KeeperError(rawValue: -100)
  public static let noNode = KeeperError(rawValue: -101)
  public static let noAuth = KeeperError(rawValue: -102)
  public static let badVersion = KeeperError(rawValue: -103)
  public static let noChildrenForEphemerals = KeeperError(rawValue: -108)
  public static let nodeExists = KeeperError(rawValue: -110)
  public static let notEmpty = KeeperError(rawValue: -111)
  public static let sessionExpired = KeeperError(rawValue: -112)
  public static let invalidCallback = KeeperError(rawValue: -113)
  public static let invalidACL = KeeperError(rawValue: -114)
  public static let authFailed = KeeperError(rawValue: -115)
  public static let closing = KeeperError(rawValue: -116)
  public static let nothing = KeeperError(rawValue: -117)
  public static let sessionMoved = KeeperError(rawValue: -118)
  public static let notReadOnly = KeeperError(rawValue: -119)
  public static let ephemeralOnLocalSession = KeeperError(rawValue: -120)
  public static let noWatcher = KeeperError(rawValue: -121)
  public static let requestTimeout = KeeperError(rawValue: -122)
  public static let reconfigDisabled = KeeperError(rawValue: -123)
  public static let sessionClosedRequireSaslAuth = KeeperError(rawValue: -124)
  public static let quotaExceeded = KeeperError(rawValue: -125)
  public static let throttledOp = KeeperError(rawValue: -127)
}

extension KeeperError {
  /// A stable word for the code, fit for scripts: `NoNode`, `NotEmpty`, `SessionExpired`.
  public var name: String { Self.words[rawValue]?.name ?? "Unknown(\(rawValue))" }

  /// The words that `KeeperException.getCodeMessage` of ZooKeeper 3.9 has for the code, as in
  /// `KeeperErrorCode = NoNode for /x`.
  public var apacheMessage: String {
    guard let word = Self.words[rawValue] else { return "Unknown error \(rawValue)" }
    return word.message ?? word.name
  }

  /// Every code that has a name, from `ok` downwards.
  public static var allNamed: [KeeperError] { words.keys.sorted(by: >).map(KeeperError.init(rawValue:)) }

  /// The name, and Apache's message where it differs.
  private static let words: [Int32: (name: String, message: String?)] = [
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
