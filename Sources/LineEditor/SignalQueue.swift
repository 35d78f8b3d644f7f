import CLibEdit
import Platform

#if canImport(Glibc)
  import Glibc
#endif

/// The signals of an interactive program, read from a descriptor instead of by handlers.
///
/// libedit's own handler is not used, because it sends the signal to the whole process group again.
struct SignalQueue: ~Copyable {
  /// A signalfd for `poll`.
  let descriptor: Int32

  /// The signals that are read from the queue: interrupt, resize, stop, and the two that end the program.
  private static let signals = SignalSet([SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP])

  /// Opens the queue, and blocks the signals in this thread if ``block()`` was not called before.
  ///
  /// - Throws: `.signalDescriptor` if no descriptors are left.
  init() throws(LineEditorError) {
    Self.block()
    var set = Self.signals.mask
    descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard descriptor >= 0 else { throw LineEditorError(code: .signalDescriptor, errno: errno) }
  }

  deinit { close(descriptor) }

  /// Takes the next pending signal; `nil` if there is none.
  func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
  }

  /// Blocks the signals in the calling thread and in all threads that it starts from now on.
  static func block() { signals.block() }

  /// Stops this process as an unhandled SIGTSTP does, and returns when it is continued.
  ///
  /// Uses SIGTSTP instead of SIGSTOP, because the kernel discards it if there is no job-control shell to continue the
  /// process.
  static func stopProcess() {
    let stop = SignalSet([SIGTSTP])
    stop.unblock()
    raise(SIGTSTP)
    stop.block()
  }
}

extension LineEditor {
  /// Blocks the signals that a line editor reads from a descriptor. Must be called before any other thread is started.
  ///
  /// A thread that already runs would still receive them, and their default action ends the process. SIGINT, SIGWINCH,
  /// SIGTSTP, SIGTERM and SIGHUP then take effect only in ``readLine(prompt:)`` and ``wait(for:)``.
  package static func blockSignals() {
    SignalQueue.block()
  }
}
