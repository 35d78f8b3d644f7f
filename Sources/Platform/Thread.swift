#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads for work that blocks, which the pool of asynchronous work must not be lent to.
package enum BlockingThread {
  /// Runs `body` on a new thread and waits for its value.
  ///
  /// - Returns: nil when the calling task is cancelled first; the thread then goes on alone.
  package static func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
    let (stream, continuation) = AsyncStream<Value>.makeStream()
    start {
      continuation.yield(body())
      continuation.finish()
    }
    for await value in stream { return value }
    return nil
  }

  /// Starts a thread that nobody joins.
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

  /// Carries a closure through the C interface.
  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
