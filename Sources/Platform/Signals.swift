#if canImport(Glibc)
  package import Glibc
#elseif canImport(Musl)
  package import Musl
#elseif canImport(Darwin)
  package import Darwin
#endif

/// Numbers of signals.
package enum Signal {
  /// Asks a process to end.
  package static let terminate = SIGTERM
  /// Ends a process.
  package static let kill = SIGKILL
  /// What ^C sends.
  package static let interrupt = SIGINT
}

/// Several signals.
package struct SignalSet: Sendable {
  /// The C library's form.
  package private(set) var mask = sigset_t()

  package init(_ signals: [Int32] = []) {
    sigemptyset(&mask)
    for signal in signals { sigaddset(&mask, signal) }
  }

  /// Blocks them in the calling thread and in all threads that it starts from now on; they stay pending until they are
  /// handled.
  package func block() {
    var mask = mask
    pthread_sigmask(SIG_BLOCK, &mask, nil)
  }

  /// Unblocks them in the calling thread.
  package func unblock() {
    var mask = mask
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  /// Waits for one of them, which must be blocked, and returns whether a key of the terminal has sent it.
  ///
  /// - Returns: nil if the operating system refuses to wait.
  package func next() -> (signal: Int32, isFromTerminal: Bool)? {
    var mask = mask
    #if os(Linux)
      while true {
        var information = siginfo_t()
        let signal = sigwaitinfo(&mask, &information)
        // Signals from other processes have a code of zero or less; those of the terminal come from the kernel, like
        // some others.
        if signal > 0 { return (signal, information.si_code > 0 && [SIGINT, SIGQUIT, SIGHUP].contains(signal)) }
        guard errno == EINTR else { return nil }
      }
    #else
      var signal: Int32 = 0
      return sigwait(&mask, &signal) == 0 ? (signal, signal == SIGINT || signal == SIGQUIT) : nil
    #endif
  }

  /// Whether this process ignores a signal.
  package static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    #if os(Linux)
      return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    #else
      return unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == 1
    #endif
  }
}
