#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Lets a thread wait for a value from another thread or an asynchronous task.
///
/// The standard library's `Mutex` has no condition to wait for, and a semaphore would need Dispatch.
///
/// *Thread*: `open` any; `wait` and `take` one that may block, but not of the cooperative pool or an event loop.
package final class Gate<Value: Sendable>: @unchecked Sendable {
  // @unchecked: `value` is accessed under `mutex` only.
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

  /// Opens the gate. Until it is closed again, further values are ignored.
  package func open(_ value: Value) {
    pthread_mutex_lock(mutex)
    if self.value == nil { self.value = value }
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits until the gate is open, and leaves it open.
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
