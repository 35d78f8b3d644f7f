import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns the signals that end a command into the cancellation of its task, so that the session is still closed.
///
/// Without this, ^C would leave the session, and with it every ephemeral znode and lock, to its timeout.
final class SignalCancellation: Sendable {
  private struct State {
    var signal: Int32?
    var onSignal: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  /// All whose default is to end the process, except those that report a fault in the process itself (such as
  /// SIGSEGV), SIGKILL, and SIGPROF, with which Swift's runtime stops the other threads to print
  /// where they are after a fault: after these a `ChildWatchdog` ends what we have started.
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

  /// Blocks the signals in this thread and all that it will start, and takes them on a separate thread.
  ///
  /// To be called before any other thread is started. A second signal ends the process at once, unless a command has
  /// been started that the signals are passed on to.
  ///
  /// - Parameters:
  ///   - forwarder: takes the signals first, and passes them on to the command that we run.
  ///   - handler: handles those that do not end the process, on the thread that takes the signals.
  static func start(forwarder: SignalForwarder? = nil, handler: Handler? = nil) -> SignalCancellation {
    block()
    let interruption = SignalCancellation(forwarder: forwarder, handler: handler)
    BlockingThread.start { interruption.takeSignals() }
    return interruption
  }

  /// Blocks the signals in this thread and all that it will start; they stay pending until they are taken.
  static func block() { taken().block() }

  /// Gives those that the line editor does not take their effect again, which is to end the process.
  static func releaseAllButLineEditors() { taken(except: [SIGINT, SIGTERM, SIGHUP]).unblock() }

  /// What the caller ignores stays ignored: `nohup` and background jobs of shells rely on it. SIGPIPE we ignore
  /// ourselves, for what `write` causes; that comes to the thread that writes, unlike one that is sent to the process.
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
