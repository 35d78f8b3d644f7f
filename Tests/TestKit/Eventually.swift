/// Calls `probe` again and again until it returns a value, for `limit` at most.
///
/// This is the only way in which tests wait: for a condition, with a limit, and never for a length of time. It suspends
/// between probes instead of blocking, because Swift Testing has as many threads as the machine has cores, and a
/// blocked one delays every other test. If a test is cancelled because of a time limit, the wait ends too.
///
/// - Throws: `TestKitError.timedOut` with `fact` in its message, what `probe` throws, or `CancellationError`.
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
