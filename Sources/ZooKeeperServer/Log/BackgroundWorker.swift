import NIOConcurrencyHelpers

/// A thread that does one piece of work after another: snapshots and purges, which must delay neither requests nor the
/// log.
///
/// *Thread*: `run` can be called on any thread; the work itself runs on the worker's thread.
final class BackgroundWorker: @unchecked Sendable {
  // @unchecked: `queue`, `isStopping` and `thread` are touched under `lock` only.
  private var queue: [@Sendable () -> Void] = []
  private var isStopping = false
  private var thread: WorkerThread?
  /// Its value is true while there is work, or the thread must end.
  private let lock = ConditionLock(value: false)

  init() {
    let thread = WorkerThread.start { [self] in while let work = next() { work() } }
    lock.lock()
    self.thread = thread
    lock.unlock()
  }

  /// Adds `work` to the queue.
  func run(_ work: @escaping @Sendable () -> Void) {
    lock.lock()
    queue.append(work)
    lock.unlock(withValue: true)
  }

  /// Waits until everything is done that was added before. The work must not wait for the caller's thread.
  func finishQueue() {
    let done = ConditionLock(value: false)
    run {
      done.lock()
      done.unlock(withValue: true)
    }
    done.lock(whenValue: true)
    done.unlock()
  }

  /// Waits until the queue is empty, and ends the thread.
  func stop() {
    lock.lock()
    isStopping = true
    let thread = thread
    lock.unlock(withValue: true)
    thread?.join()
  }

  private func next() -> (@Sendable () -> Void)? {
    lock.lock(whenValue: true)
    let work = queue.isEmpty ? nil : queue.removeFirst()
    lock.unlock(withValue: isStopping || !queue.isEmpty)
    return work
  }
}
