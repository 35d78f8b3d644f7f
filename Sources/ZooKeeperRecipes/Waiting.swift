import ZooKeeperClient

/// Runs `body` for `limit` at most; nil waits without end.
///
/// `body` is cancelled when its time is up. It may still succeed at that moment, and then has.
///
/// - Returns: nil when the time was up first.
/// - Throws: what `body` throws.
func within<Value: Sendable>(
  _ limit: Duration?, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value? {
  guard let limit else { return try await body() }
  return try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: limit)
      return nil
    }
    if let value = try await group.next(), let value {
      group.cancelAll()
      return value
    }
    group.cancelAll()
    do {
      return try await group.next() ?? nil
    } catch {
      if Task.isCancelled || !error.isCancellation { throw error }
      return nil
    }
  }
}

/// Runs `body` to its end even when the calling task is cancelled: what has been begun on the servers is taken back.
func uncancelled<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
  try await Task { try await body() }.value
}

/// Runs `body`, and `takingBack`, in any case of failure or when `body` gives nil.
func orTakingBack<Value: Sendable>(
  _ takingBack: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Value?
) async throws -> Value? {
  do {
    if let value = try await body() { return value }
    try await uncancelled(takingBack)
    return nil
  } catch {
    // A session that is over has taken everything back by itself.
    if !((error as? ZooKeeperError)?.isFinal ?? false) { try? await uncancelled(takingBack) }
    throw error
  }
}

extension WatchEvents {
  /// Waits for the event of a one-shot watch, past all changes of the connection.
  ///
  /// Returns too when the watch ends otherwise; whoever reads again then learns why.
  ///
  /// - Throws: `CancellationError`, or `ZooKeeperError` when the session is over.
  func awaitChange() async throws {
    for try await event in self {
      if event.type != .none { return }
      if event.state == .expired { throw ZooKeeperError(.sessionExpired) }
      if event.state == .closed { throw ZooKeeperError(.closed) }
      if event.state == .authFailed { throw ZooKeeperError(.authFailed) }
    }
    try Task.checkCancellation()
  }
}

/// Waits until one of several watches has its event.
func awaitChange(ofAny watches: [WatchEvents]) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for watch in watches { group.addTask { try await watch.awaitChange() } }
    defer { group.cancelAll() }
    try await group.next()
  }
}

extension Error {
  /// Whether it says that a task was cancelled.
  var isCancellation: Bool {
    if self is CancellationError { return true }
    if case .cancelled? = (self as? ZooKeeperError)?.code { return true }
    return false
  }
}
