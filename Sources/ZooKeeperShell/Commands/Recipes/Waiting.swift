import ZooKeeperClient
import ZooKeeperRecipes

/// Waits of recipes that survive the expiry of a session.
extension CommandContext {
  /// Waits with `body`, and continues with a new session if the present one expires: a waiting process holds nothing
  /// that would be lost with the session.
  ///
  /// Does not do so with `--one-session`, or if the session may hold something else.
  ///
  /// *Source*: `consul lock` and Curator's recipes do the same.
  ///
  /// - Parameters:
  ///   - limit: how long to wait, with all sessions together; nil waits indefinitely, zero not at all.
  ///   - body: waits for at most the given time, and returns nil if that was not enough.
  /// - Returns: the value and the client of its session; nil if the limit passed first.
  /// - Throws: what `body` throws.
  func waiting<Value: Sendable>(
    _ client: ZooKeeperClient, limit: Duration?, _ body: (ZooKeeperClient, Duration?) async throws -> Value?
  ) async throws -> (value: Value, client: ZooKeeperClient)? {
    let deadline = limit.map { ContinuousClock.now + $0 }
    var client = client
    var rest = limit
    while true {
      do {
        guard let value = try await body(client, rest) else { return nil }
        return (value, client)
      } catch let error as ZooKeeperError where error.isExpiry && isFreeToGoOn {
        try emit(.warning("the session expired while waiting; continuing with a new session"))
        try flush()
        rest = deadline.map { max($0 - .now, .zero) }
        guard let next = try await withTimeout(rest, reopen) else { return nil }
        client = next
        rest = deadline.map { max($0 - .now, .zero) }
      }
    }
  }

  /// Waits in the same way for something that has no value.
  ///
  /// - Returns: false if the limit passed first.
  func waiting(
    _ client: ZooKeeperClient, limit: Duration?, until body: (ZooKeeperClient, Duration?) async throws -> Bool
  ) async throws -> Bool {
    try await waiting(client, limit: limit) { try await body($0, $1) ? true : nil } != nil
  }

  private var isFreeToGoOn: Bool { sessionHoldsNothing && !invocation.flag(.oneSession) }
}

extension ZooKeeperError {
  /// Whether a server has said that the session is over.
  var isExpiry: Bool { code == .sessionExpired || code == .server(.sessionExpired) }
}
