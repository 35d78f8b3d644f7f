/// Why a recipe could not go on, where it is not the client's failure (`ZooKeeperError`).
public struct RecipeError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  public enum Code: Hashable, Sendable {
    /// The znode that stood for this participant has been deleted by somebody else.
    case removed
    /// The znode does not hold what the recipe keeps there.
    case malformed(String)
    /// The numbers that it lives by are used up.
    case exhausted(String)
    /// The participant is not part of this, or has done it already.
    case refused(String)
  }

  public var code: Code
  /// The znode concerned.
  public var path: String

  /// Makes an error of the given parts.
  public init(_ code: Code, path: String) {
    self.code = code
    self.path = path
  }
}
