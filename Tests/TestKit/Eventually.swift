/// Asks `probe` again and again until it gives a value, for `limit` at most.
///
/// This is the only way in which tests wait: for a fact, with a bound, never for a length of time. It suspends between
/// probes instead of blocking, since Swift Testing's threads are as few as the cores, and a blocked one starves every
/// other test; a test that reaches its time limit is cancelled, and the wait ends with it.
///
/// Throws: `TestKitError.timedOut` naming `fact`, whatever `probe` throws, or `CancellationError`.
public func eventually<Value>(
  _ fact: String, within limit: Duration = .seconds(120), every interval: Duration = .milliseconds(5),
  _ probe: () async throws -> Value?
) async throws -> Value {
  let clock = ContinuousClock()
  let deadline = clock.now + limit
  while true {
    if let value = try await probe() { return value }
    guard clock.now < deadline else { throw TestKitError(.timedOut, "\(fact), within \(limit)") }
    try await Task.sleep(for: interval)
  }
}

/// Waits until `condition` holds, for `limit` at most; see the form that returns a value.
public func eventually(
  _ fact: String, within limit: Duration = .seconds(120), every interval: Duration = .milliseconds(5),
  holds condition: () async throws -> Bool
) async throws {
  try await eventually(fact, within: limit, every: interval) { try await condition() ? () : nil }
}
