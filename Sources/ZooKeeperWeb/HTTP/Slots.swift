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
  /// - Throws: 429 if none is free.
  func run<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
    guard acquire() else { throw WebError.tooMany("too many \(what) are under way") }
    defer { release() }
    return try await body()
  }
}
