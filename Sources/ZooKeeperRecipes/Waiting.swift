import ZooKeeperClient

/// Runs `body` for `limit` at most; nil waits without end.
///
/// `body` is cancelled when its time is up. It may still succeed at that moment, and then has.
///
/// - Returns: nil when the time was up first.
/// - Throws: what `body` throws.
package func within<Value: Sendable>(
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
  /// Runs `body` to its end even when the calling task is cancelled: what has been begun on the servers is taken back.
  ///
  /// It is waited for as long as the servers remember a session that they hear nothing of. When no server can be
  /// reached for so long, `body` goes on alone, until one answers or the session is over.
  ///
  /// - Throws: what `body` throws; `ZooKeeperError` with `timedOut` when it goes on alone.
  func uncancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
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
    // A task of its own: a stream ends at once for one that is cancelled.
    let first = await Task { await ends.first { _ in true } }.value
    try first?.get()
  }

  /// Runs `body`, and `takingBack`, in any case of failure or when `body` gives nil.
  func orTakingBack<Value: Sendable>(
    _ takingBack: @escaping @Sendable () async throws -> Void, _ body: () async throws -> Value?
  ) async throws -> Value? {
    do {
      if let value = try await body() { return value }
    } catch {
      // A session that is over has taken everything back by itself.
      if !((error as? ZooKeeperError)?.isFinal ?? false) { try? await uncancelled(takingBack) }
      throw error
    }
    do {
      try await uncancelled(takingBack)
    } catch let error as ZooKeeperError where error.isFinal || error.code == .timedOut(outcomeUnknown: true) {
      // The time is up either way, and what is left of the attempt goes with the session, or when a server answers.
    }
    return nil
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
