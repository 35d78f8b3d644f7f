import NIOConcurrencyHelpers

/// Blocks a server's event loop, as SIGSTOP blocks a process: nothing is read or sent, and no timer fires.
///
/// *Thread*: `block` on the loop that must be blocked; everything else on any other thread.
final class LoopPause: @unchecked Sendable {
  // @unchecked: both variables are touched under `lock` only.
  private var work: (@Sendable () -> Void)?
  private var isRequested = false
  /// Its value is `isRequested`, for `block` to wait for; it cannot be read while the lock is held.
  private let lock = ConditionLock(value: false)

  /// Announces that the loop is about to be blocked.
  ///
  /// - Returns: false if it is already.
  func request() -> Bool {
    lock.lock()
    defer { lock.unlock(withValue: true) }
    defer { isRequested = true }
    return !isRequested
  }

  /// Blocks until `resume`, and then runs the work that `resume` was given.
  func block() {
    lock.lock(whenValue: false)
    let work = work.take()
    lock.unlock()
    work?()
  }

  /// Lets the loop continue.
  ///
  /// - Parameter work: runs on the loop first.
  /// - Returns: false if it was not blocked.
  @discardableResult
  func resume(running work: (@Sendable () -> Void)? = nil) -> Bool {
    lock.lock()
    defer { lock.unlock(withValue: false) }
    guard isRequested else { return false }
    isRequested = false
    self.work = work
    return true
  }

  /// Whether the loop is blocked, or about to be.
  var isActive: Bool { lock.value }
}
