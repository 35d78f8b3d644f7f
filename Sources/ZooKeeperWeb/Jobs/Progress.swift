import Synchronization

/// A number that several threads add to.
final class Progress: Sendable {
  private let count = Mutex(0)

  /// Adds, and returns the sum.
  func add(_ more: Int) -> Int {
    count.withLock { count in
      count += more
      return count
    }
  }
}

/// A place among the walks, given back once: when the walk has ended, or is forgotten before it begins.
final class WalkLease: Sendable {
  private let walks: Slots
  private let isOver = Mutex(false)

  init(_ walks: Slots) { self.walks = walks }

  deinit { end() }

  /// Gives the place back.
  func end() {
    let isFirst = isOver.withLock { isOver in
      defer { isOver = true }
      return !isOver
    }
    if isFirst { walks.release() }
  }
}
