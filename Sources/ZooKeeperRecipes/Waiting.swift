import ZooKeeperClient

/// Runs `body` with a time limit; nil means no limit.
///
/// `body` is cancelled when the limit has passed. If it succeeds all the same, its value is returned, so that nothing
/// that it has acquired is lost.
///
/// - Returns: nil if `body` was cancelled because the limit had passed.
/// - Throws: what `body` throws.
package func withTimeout<Value: Sendable>(
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

extension RecipeClient {
  /// Runs `body` to its end even if the calling task is cancelled, so that what was begun on the servers can be undone.
  ///
  /// The caller waits for at most as long as servers keep a session that they do not hear from. If no server can be
  /// reached for so long, `body` continues in the background, until a server answers or the session is over.
  ///
  /// - Throws: what `body` throws; `ZooKeeperError` with `timedOut` if it continues in the background.
  func shieldedFromCancellation(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let limit = Duration.milliseconds(await client.snapshot().timeoutMilliseconds) * 4 / 3
    let (ends, end) = AsyncStream<Result<Void, any Error>>.makeStream(bufferingPolicy: .bufferingOldest(1))
    Task {
      do {
        try await body()
        end.yield(.success(()))
      } catch {
        end.yield(.failure(error))
      }
    }
    let timer = Task {
      try await Task.sleep(for: limit)
      end.yield(.failure(ZooKeeperError(.timedOut(outcomeUnknown: true))))
    }
    defer { timer.cancel() }
    // A separate task is needed, because a stream ends at once in a task that is cancelled.
    let first = await Task { await ends.first { _ in true } }.value
    try first?.get()
  }

  /// Runs `body`, and if it throws or returns nil, also `rollBack`, shielded from cancellation.
  ///
  /// An error of `rollBack` is ignored if `body` has thrown, and if it only means that the servers will do the rest: at
  /// the end of the session, or when one of them answers.
  func rollingBackOnFailure<Value: Sendable>(
    _ rollBack: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Value?
  ) async throws -> Value? {
    do {
      if let value = try await body() { return value }
    } catch {
      // If the session is over, the servers have deleted its ephemeral znodes.
      if !((error as? ZooKeeperError)?.isSessionOver ?? false) { try? await shieldedFromCancellation(rollBack) }
      throw error
    }
    do {
      try await shieldedFromCancellation(rollBack)
    } catch let error as ZooKeeperError where error.isSessionOver || error.code == .timedOut(outcomeUnknown: true) {
      // The result is nil in any case, and the rest is deleted with the session, or when a server answers.
    }
    return nil
  }
}

extension WatchEvents {
  /// Waits for the event of a one-shot watch, and ignores changes of the connection.
  ///
  /// Returns also if the watch ends for another reason, of which the caller learns by its next read.
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

/// Waits until one of several one-shot watches has had its event.
func awaitChange(ofAny watches: [WatchEvents]) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for watch in watches { group.addTask { try await watch.awaitChange() } }
    defer { group.cancelAll() }
    try await group.next()
  }
}

extension Error {
  /// Whether the error means that a task was cancelled.
  var isCancellation: Bool {
    if self is CancellationError { return true }
    if case .cancelled? = (self as? ZooKeeperError)?.code { return true }
    return false
  }
}
