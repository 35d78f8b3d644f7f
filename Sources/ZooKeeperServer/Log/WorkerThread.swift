#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread of the operating system, for work that blocks.
struct WorkerThread: @unchecked Sendable {
  // @unchecked: `pthread_t` is a plain number or address that any thread may join.
  private let handle: pthread_t

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts a thread that runs `body`.
  static func start(_ body: @escaping @Sendable () -> Void) -> WorkerThread {
    var handle = pthread_t()
    let argument = Unmanaged.passRetained(Body(body)).toOpaque()
    let status = pthread_create(
      &handle, nil,
      {
        Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(status == 0, "a thread cannot be started: \(String(cString: strerror(status)))")
    return WorkerThread(handle: handle)
  }

  /// Waits until the thread has ended.
  func join() { pthread_join(handle, nil) }
}
