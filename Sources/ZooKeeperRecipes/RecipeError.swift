/// Why a recipe could not continue, for reasons other than the client's (`ZooKeeperError`).
public struct RecipeError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  public enum Code: Hashable, Sendable {
    /// Another client has deleted the znode of this participant.
    case removed
    /// The znode's data is not what the recipe keeps there. The text says what is wrong.
    case malformed(String)
    /// The sequence numbers or versions that the recipe depends on are used up. The text says what to do.
    case exhausted(String)
    /// The caller is not a participant, or has done this already. The text says which.
    case refused(String)
  }

  /// The reason.
  public var code: Code
  /// The znode concerned.
  public var path: String

  public init(_ code: Code, path: String) {
    self.code = code
    self.path = path
  }
}
