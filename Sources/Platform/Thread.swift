#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads for blocking work, which must not run in the cooperative pool.
package enum BlockingThread {
  /// Runs `body` on a new thread and waits for its value.
  ///
  /// - Returns: nil if the calling task is cancelled first; the thread then continues.
  package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let (stream, continuation) = AsyncStream<Value>.makeStream()
    start {
      continuation.yield(body())
      continuation.finish()
    }
    for await value in stream { return value }
    return nil
  }

  /// Starts a detached thread.
  package static func start(_ body: @escaping @Sendable () -> Void) {
    let argument = Unmanaged.passRetained(Body(run: body)).toOpaque()
    #if os(Linux)
      var thread = pthread_t()
      let errorNumber = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
          return nil
        }, argument)
      precondition(errorNumber == 0, "no thread can be started: \(SystemError(errorNumber).text)")
      pthread_detach(thread)
    #else
      var thread: pthread_t?
      let errorNumber = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
          return nil
        }, argument)
      precondition(errorNumber == 0, "no thread can be started: \(SystemError(errorNumber).text)")
      pthread_detach(thread!)
    #endif
  }

  /// Sleeps, blocking the calling thread.
  package static func sleep(microseconds: UInt32) { usleep(microseconds) }

  /// Passes a closure through the C interface.
  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
