import Synchronization

/// A limited number of slots for concurrent work.
final class Slots: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  /// Takes a slot; false if none is free.
  func acquire() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  /// Returns a slot.
  func release() { free.withLock { $0 += 1 } }

  /// Runs work in a slot.
  ///
  /// - Parameter patience: how long to wait for a slot.
  /// - Throws: 429 if none is free.
  func run<Value>(
    _ what: String, patience: Duration = .zero, _ body: () async throws -> Value
  ) async throws -> Value {
    let end = ContinuousClock.now + patience
    while !acquire() {
      guard ContinuousClock.now < end else { throw WebError.tooMany("too many \(what) are running") }
      try await Task.sleep(for: .milliseconds(10))
    }
    defer { release() }
    return try await body()
  }
}
