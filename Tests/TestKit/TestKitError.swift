/// An error in the preparation of a test; never a verdict on the code under test.
public struct TestKitError: Error, CustomStringConvertible {
  /// The kinds of failure that callers distinguish.
  public enum Code: Sendable {
    /// A bounded wait ran out.
    case timedOut
    /// A call to the operating system failed.
    case systemCall
    /// A process ended, or a peer closed, while it was still needed.
    case ended
    /// Something the kit relies on is not installed or not built.
    case missing
  }

  public let code: Code
  /// What was being done, with the values that matter.
  public let context: String

  public var description: String { "\(code): \(context)" }

  public init(_ code: Code, _ context: String) {
    self.code = code
    self.context = context
  }
}
