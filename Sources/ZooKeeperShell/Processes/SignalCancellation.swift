import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Converts the signals that end a command into the cancellation of its task, so that the session is closed.
///
/// Otherwise, after ^C the session with all its ephemeral znodes and locks would exist until its timeout.
final class SignalCancellation: Sendable {
  private struct State {
    var signal: Int32?
    var onSignal: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// All signals whose default action is to end the process, except SIGKILL, those that report a fault of the process
  /// itself (such as SIGSEGV), and SIGPROF, with which Swift's runtime stops other threads to print a backtrace. After
  /// these, a `ChildWatchdog` ends the commands that we have started.
  private static let signals: [Int32] = {
    var signals = [
      SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGVTALRM, SIGXCPU, SIGXFSZ,
    ]
    #if canImport(Glibc)
      signals += [SIGPOLL, SIGPWR, SIGSTKFLT] + [Int32](__libc_current_sigrtmin()...__libc_current_sigrtmax())
    #endif
    return signals
  }()

  private let forwarder: SignalForwarder?
  /// Handles a signal that does not end the process.
  private let handler: Handler?

  /// - Returns: whether the signal is handled; otherwise it ends the process.
  typealias Handler = @Sendable (_ signal: Int32, _ isFromTerminal: Bool) -> Bool

  private init(forwarder: SignalForwarder?, handler: Handler?) {
    self.forwarder = forwarder
    self.handler = handler
  }

  /// Blocks the signals in this thread and in all threads that it will start, and handles them on a separate thread.
  ///
  /// Must be called before any other thread is started. A second signal ends the process at once, unless signals are
  /// forwarded to a command.
  ///
  /// - Parameters:
  ///   - forwarder: receives the signals first, and forwards them to a running command.
  ///   - handler: handles signals that do not end the process, on the separate thread.
  static func start(forwarder: SignalForwarder? = nil, handler: Handler? = nil) -> SignalCancellation {
    block()
    let interruption = SignalCancellation(forwarder: forwarder, handler: handler)
    BlockingThread.start { interruption.takeSignals() }
    return interruption
  }

  /// Blocks the signals in this thread and in all threads that it will start; they stay pending until they are handled.
  static func block() { taken().block() }

  /// Unblocks the signals that the line editor does not handle, so that they end the process again.
  static func releaseAllButLineEditors() { taken(except: [SIGINT, SIGTERM, SIGHUP]).unblock() }

  /// The handled signals. Signals that our caller ignores stay ignored, because `nohup` and background jobs of shells
  /// rely on it. SIGPIPE is handled although we ignore it for `write`: one that is sent to the process is not directed
  /// at a writing thread.
  private static func taken(except excluded: [Int32] = []) -> SignalSet {
    SignalSet(
      signals.filter { !excluded.contains($0) && ($0 == SIGPIPE || !SignalSet.isIgnored($0)) })
  }

  /// The signal that has arrived, if any.
  var signal: Int32? { state.withLock(\.signal) }

  /// Calls `body` when a signal arrives, or at once if one already has.
  func whenSignalled(_ body: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.onSignal = body
      return state.signal != nil
    }
    if isLate { body() }
  }

  private func takeSignals() {
    let set = Self.taken()
    while let (signal, isFromTerminal) = set.next() {
      if forwarder?.take(signal, isFromTerminal: isFromTerminal) ?? false { continue }
      if handler?(signal, isFromTerminal) ?? false { continue }
      let (isFirst, body) = state.withLock { state in
        defer { state.signal = state.signal ?? signal }
        return (state.signal == nil, state.onSignal)
      }
      guard isFirst else { _exit(128 + signal) }
      body?()
    }
  }
}
