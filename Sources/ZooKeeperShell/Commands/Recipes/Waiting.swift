import ZooKeeperClient
import ZooKeeperRecipes

/// Waiting for something that a recipe gives.
extension CommandContext {
  /// Waits with `body`, and once more with a new session when the one in use expires: who waits holds nothing that
  /// would be lost with it.
  ///
  /// Not with `--one-session`, and not where the session may hold something else.
  ///
  /// *Source*: `consul lock` and Curator's recipes do so too.
  ///
  /// - Parameters:
  ///   - limit: how long to wait, with all sessions together; nil waits indefinitely, zero not at all.
  ///   - body: waits for at most the given time; nil when that was too short.
  /// - Returns: the value, and the client of the session that has it; nil when the time was up.
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

  /// As the other, for what has no value.
  ///
  /// - Returns: false when the time was up.
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
