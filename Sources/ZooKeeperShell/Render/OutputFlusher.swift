#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread that writes what an answer has gathered a moment after it was gathered, whatever the command is doing.
///
/// So nobody waits for an answer that is there already, and no answer is lost with the process, even if a command
/// stands still. *Thread*: `ring` any.
final class OutputFlusher: @unchecked Sendable {
  // @unchecked: `isRung` is touched under `mutex` only.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isRung = false

  /// How long an answer may gather: long enough that a fast script writes seldom, too short for anybody to notice.
  private static let delayMicroseconds: UInt32 = 20_000

  /// Starts the thread, which lives as long as the process.
  ///
  /// To be called when the signals that end the process are blocked, for the thread shall not take them.
  ///
  /// - Parameter flush: writes what there is.
  init(_ flush: @escaping @Sendable () -> Void) {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    BlockingThread.start { [self] in
      while true {
        waitForRing()
        usleep(Self.delayMicroseconds)
        flush()
      }
    }
  }

  /// Says that something waits to be written.
  func ring() {
    pthread_mutex_lock(mutex)
    isRung = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  private func waitForRing() {
    pthread_mutex_lock(mutex)
    while !isRung { pthread_cond_wait(condition, mutex) }
    isRung = false
    pthread_mutex_unlock(mutex)
  }
}
