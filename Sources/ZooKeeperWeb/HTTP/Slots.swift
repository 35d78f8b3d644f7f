import Synchronization

/// A number of places, each of which is taken by one piece of work at a time.
final class Slots: Sendable {
  private let free: Mutex<Int>

  init(_ count: Int) { free = Mutex(count) }

  /// Takes a place; false if none is free.
  func acquire() -> Bool {
    free.withLock { free in
      guard free > 0 else { return false }
      free -= 1
      return true
    }
  }

  /// Gives a place back.
  func release() { free.withLock { $0 += 1 } }

  /// Runs work that takes a place.
  ///
  /// - Parameter patience: how long it may wait for one.
  /// - Throws: 429 if none is free.
  func run<Value>(
    _ what: String, patience: Duration = .zero, _ body: () async throws -> Value
  ) async throws -> Value {
    let end = ContinuousClock.now + patience
    while !acquire() {
      guard ContinuousClock.now < end else { throw WebError.tooMany("too many \(what) are under way") }
      try await Task.sleep(for: .milliseconds(10))
    }
    defer { release() }
    return try await body()
  }
}
