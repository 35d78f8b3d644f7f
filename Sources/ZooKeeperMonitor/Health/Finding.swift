public import ZooKeeperProtocol

/// Something that an administrator should know about an ensemble.
public struct Finding: Hashable, Sendable {
  /// How bad it is.
  public enum Severity: String, Comparable, CaseIterable, Sendable {
    /// Worth knowing, and no reason to be woken.
    case note
    /// Something will go wrong, or is worse than it should be.
    case warning
    /// Something is wrong now.
    case fault

    public static func < (left: Severity, right: Severity) -> Bool {
      allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
  }

  /// What was looked at.
  public enum Check: String, CaseIterable, Sendable {
    case reachable, serving, quorum, leader, ensemble, configuration, lag, latency, outstanding, sync, disk, clock
    case version, descriptors, voters, margin, ephemerals
    case rootACL = "root-acl"
    case words
  }

  public var severity: Severity
  public var check: Check
  /// The server that it is about; nil for the ensemble.
  public var member: ServerAddress?
  /// A sentence without its full stop.
  public var message: String
  /// What to do about it; nil where that is obvious or depends.
  public var hint: String?

  public init(
    _ severity: Severity, _ check: Check, of member: ServerAddress? = nil, _ message: String, hint: String? = nil
  ) {
    self.severity = severity
    self.check = check
    self.member = member
    self.message = message
    self.hint = hint
  }
}

/// What the findings amount to.
public enum Verdict: String, Sendable {
  /// Nothing is wrong.
  case healthy
  /// The ensemble serves, and something is wrong or will be.
  case degraded
  /// The ensemble does not serve.
  case down
}
