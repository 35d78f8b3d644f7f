#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread that does one thing after another: snapshots and purges, which must delay neither requests nor the log.
///
/// *Thread*: `run` any; the work itself on the worker's own.
final class BackgroundWorker: @unchecked Sendable {
  // @unchecked: `queue` and `isStopping` are touched under `mutex` only.
  private var queue: [@Sendable () -> Void] = []
  private var isStopping = false
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var thread: WorkerThread?

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    thread = .start { [self] in loop() }
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Does `work` behind all that waits.
  func run(_ work: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(mutex)
    queue.append(work)
    pthread_mutex_unlock(mutex)
    pthread_cond_signal(condition)
  }

  /// Waits for all that was asked for and ends the thread.
  func stop() {
    pthread_mutex_lock(mutex)
    isStopping = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
    thread?.join()
  }

  private func loop() {
    while let work = next() { work() }
  }

  private func next() -> (@Sendable () -> Void)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while queue.isEmpty {
      if isStopping { return nil }
      pthread_cond_wait(condition, mutex)
    }
    return queue.removeFirst()
  }
}
