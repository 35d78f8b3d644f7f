import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns the signals that end a command into the cancellation of its task, so that the session is still closed.
///
/// Without this, ^C would leave the session, and with it every ephemeral znode and lock, to its timeout.
final class Interruption: Sendable {
  private struct State {
    var signal: Int32?
    var onSignal: (@Sendable () -> Void)?
    var onEverySignal: (@Sendable (Int32) -> Void)?
  }

  private let state = Mutex(State())

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Blocks the signals in this thread and all that it will start, and takes them on a thread of its own.
  ///
  /// To be called before any other thread is started. A second signal ends the process at once, unless there is
  /// `onEverySignal`, which is given each, however many come.
  static func start(onEverySignal: (@Sendable (Int32) -> Void)? = nil) -> Interruption {
    block()
    let interruption = Interruption()
    interruption.state.withLock { $0.onEverySignal = onEverySignal }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Interruption>.fromOpaque(argument!).takeRetainedValue().takeSignals()
        return nil
      }, Unmanaged.passRetained(interruption).toOpaque())
    pthread_detach(thread)
    return interruption
  }

  /// Blocks the signals in this thread and all that it will start; they wait until somebody takes them.
  static func block() {
    var set = sigset_t()
    sigemptyset(&set)
    // What the caller ignores stays ignored: `nohup` and background jobs of shells rely on it.
    for signal in signals where !isIgnored(signal) { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// The signal that has come, if one has.
  var signal: Int32? { state.withLock(\.signal) }

  /// Calls `body` when a signal comes, or now if one has come already.
  func whenSignalled(_ body: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.onSignal = body
      return state.signal != nil
    }
    if isLate { body() }
  }

  private func takeSignals() {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in Self.signals where !Self.isIgnored(signal) { sigaddset(&set, signal) }
    var signal: Int32 = 0
    while sigwait(&set, &signal) == 0 {
      let (isFirst, body, everyBody) = state.withLock { state in
        defer { state.signal = state.signal ?? signal }
        return (state.signal == nil, state.onSignal, state.onEverySignal)
      }
      if let everyBody {
        everyBody(signal)
        continue
      }
      guard isFirst else { _exit(128 + signal) }
      body?()
    }
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}
