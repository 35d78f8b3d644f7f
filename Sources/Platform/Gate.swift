#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Lets a thread wait for a value that another thread, or asynchronous work, makes.
///
/// The standard library's `Mutex` has no condition to wait for, and a semaphore of Dispatch would bring in Dispatch.
///
/// *Thread*: `open` any; `wait` and `take` one that may block, so neither the cooperative pool's nor an event loop's.
package final class Gate<Value: Sendable>: @unchecked Sendable {
  // @unchecked: `value` is touched under `mutex` only.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value?

  package init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Opens the gate; until it is closed again only the first value counts.
  package func open(_ value: Value) {
    pthread_mutex_lock(mutex)
    if self.value == nil { self.value = value }
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits until the gate is open, and leaves it so.
  package func wait() -> Value { awaitValue(closing: false) }

  /// Waits until the gate is open, and closes it.
  package func take() -> Value { awaitValue(closing: true) }

  private func awaitValue(closing: Bool) -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let value {
        if closing { self.value = nil }
        return value
      }
      pthread_cond_wait(condition, mutex)
    }
  }
}
