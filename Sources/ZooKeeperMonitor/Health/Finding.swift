public import ZooKeeperProtocol

/// A finding about an ensemble, for its administrator.
public struct Finding: Hashable, Sendable {
  /// The severity.
  public enum Severity: String, Comparable, CaseIterable, Sendable {
    /// Informative; needs no action.
    case note
    /// A problem is likely, or something is worse than it should be.
    case warning
    /// A present problem.
    case fault

    public static func < (left: Severity, right: Severity) -> Bool {
      allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
  }

  /// The subject of a check.
  public enum Check: String, CaseIterable, Sendable {
    case reachable, serving, quorum, leader, ensemble, configuration, lag, latency, outstanding, sync, disk, clock
    case version, descriptors, voters, margin, ephemerals
    case rootACL = "root-acl"
    case words
  }

  public var severity: Severity
  public var check: Check
  /// The server concerned; nil for the ensemble.
  public var member: ServerAddress?
  /// A sentence without its full stop.
  public var message: String
  /// What to do about it; nil if that is obvious, or depends on the case.
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

/// The overall verdict.
public enum Verdict: String, Sendable {
  /// There are no problems.
  case healthy
  /// The ensemble serves, but there are problems.
  case degraded
  /// The ensemble does not serve.
  case down
}
