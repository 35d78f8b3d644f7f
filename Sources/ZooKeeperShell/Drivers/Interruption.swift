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
    /// Takes every signal, in the place of all else.
    var onEverySignal: (@Sendable (Int32) -> Void)?
  }

  private let state = Mutex(State())

  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  /// What a command that runs another one passes on as well.
  private static let signalsOfChildren = [SIGQUIT, SIGUSR1, SIGUSR2]

  private let forwarder: SignalForwarder?
  private let signals: [Int32]

  private init(forwarder: SignalForwarder?, signals: [Int32]) {
    self.forwarder = forwarder
    self.signals = signals
  }

  /// Blocks the signals in this thread and all that it will start, and takes them on a thread of its own.
  ///
  /// To be called before any other thread is started. A second signal ends the process at once, unless a command has
  /// been started that the signals are passed on to.
  ///
  /// - Parameters:
  ///   - forwarder: takes the signals first.
  ///   - runsChild: whether a command will surely be run, whose signals shall not end us before it.
  ///   - onEverySignal: is given each signal, however many come; then none of them ends the process.
  static func start(
    forwarder: SignalForwarder? = nil, runsChild: Bool = false, onEverySignal: (@Sendable (Int32) -> Void)? = nil
  ) -> Interruption {
    let signals = signals + (runsChild ? signalsOfChildren : [])
    block(signals)
    let interruption = Interruption(forwarder: forwarder, signals: signals)
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
  static func block() { block(signals) }

  private static func block(_ signals: [Int32]) {
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
    for signal in signals where !Self.isIgnored(signal) { sigaddset(&set, signal) }
    while let (signal, isFromTerminal) = Self.next(of: &set) {
      if forwarder?.take(signal, isFromTerminal: isFromTerminal) ?? false { continue }
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

  /// Waits for a signal, and tells whether a key of the terminal has sent it.
  private static func next(of set: inout sigset_t) -> (signal: Int32, isFromTerminal: Bool)? {
    #if canImport(Glibc)
      while true {
        var information = siginfo_t()
        let signal = sigwaitinfo(&set, &information)
        // Other processes' signals have a code that is zero or less; the terminal's come from the kernel.
        if signal > 0 { return (signal, information.si_code > 0) }
        guard errno == EINTR else { return nil }
      }
    #else
      var signal: Int32 = 0
      return sigwait(&set, &signal) == 0 ? (signal, signal == SIGINT || signal == SIGQUIT) : nil
    #endif
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}
