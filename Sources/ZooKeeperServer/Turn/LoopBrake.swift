#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Holds a server's event loop still, as SIGSTOP does a process: nothing is read, sent, or noticed to be late.
///
/// *Thread*: `hold` on the loop that it holds; everything else on any other.
final class LoopBrake: @unchecked Sendable {
  // @unchecked: everything below is touched under `mutex` only.
  private var isPulled = false
  private var work: (@Sendable () -> Void)?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Says that the loop is about to be held.
  ///
  /// - Returns: false if it is already.
  func pull() -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    defer { isPulled = true }
    return !isPulled
  }

  /// Blocks until `release`, and does what that says before anything else.
  func hold() {
    pthread_mutex_lock(mutex)
    while isPulled { pthread_cond_wait(condition, mutex) }
    let work = self.work
    self.work = nil
    pthread_mutex_unlock(mutex)
    work?()
  }

  /// Lets the loop go on.
  ///
  /// - Parameter work: runs on the loop first.
  /// - Returns: false if it was not held.
  @discardableResult
  func release(running work: (@Sendable () -> Void)? = nil) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard isPulled else { return false }
    isPulled = false
    self.work = work
    pthread_cond_broadcast(condition)
    return true
  }

  /// Whether the loop is held.
  var isHeld: Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return isPulled
  }
}
