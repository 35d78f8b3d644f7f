import Synchronization

/// A sum that several threads add to.
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

/// A slot for a walk, which is returned once: when the walk ends, or if it is dropped before it starts.
final class WalkLease: Sendable {
  private let walks: Slots
  private let isOver = Mutex(false)

  init(_ walks: Slots) { self.walks = walks }

  deinit { end() }

  /// Returns the slot.
  func end() {
    let isFirst = isOver.withLock { isOver in
      defer { isOver = true }
      return !isOver
    }
    if isFirst { walks.release() }
  }
}
