import CLibEdit
import Synchronization

#if canImport(Glibc)
  package import Glibc
#endif

/// The signals of an interactive program, read from a descriptor in place of handlers.
///
/// libedit's own handling is not used: its handler sends the signal once more to the whole process group.
struct SignalQueue: ~Copyable {
  /// A signalfd for `poll`.
  let descriptor: Int32

  /// Those that are read from the queue: interrupt, resize, stop, and the two that end the program.
  private static let signals = [SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP]

  /// The signal mask of the thread that blocked the signals, as it was before.
  private static let originalMask = Mutex<sigset_t?>(nil)

  /// Opens the queue, blocking the signals in this thread if ``block()`` was not called before.
  ///
  /// - Throws: `.signalDescriptor` when the process has no descriptor left.
  init() throws(LineEditorError) {
    Self.block()
    var set = Self.set(of: Self.signals)
    descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard descriptor >= 0 else { throw LineEditorError(code: .signalDescriptor, errno: errno) }
  }

  deinit { close(descriptor) }

  /// Takes the next pending signal; `nil` when there is none.
  func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &info, size) == size ? Int32(info.ssi_signo) : nil
  }

  /// Blocks the signals in the calling thread and in all threads that it starts from now on.
  static func block() {
    var set = Self.set(of: signals)
    var previous = sigset_t()
    pthread_sigmask(SIG_BLOCK, &set, &previous)
    originalMask.withLock { mask in mask = mask ?? previous }
  }

  /// Stops this process as an unhandled SIGTSTP does, and returns when it is continued.
  ///
  /// SIGTSTP rather than SIGSTOP: the kernel discards it where no job-control shell could ever continue the process.
  static func stopProcess() {
    var set = Self.set(of: [SIGTSTP])
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(SIGTSTP)
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// The mask from before ``block()``; an empty one if that was never called.
  static var maskForChildren: sigset_t {
    originalMask.withLock { mask in mask } ?? set(of: [])
  }

  private static func set(of signals: [Int32]) -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in signals { sigaddset(&set, signal) }
    return set
  }
}

extension LineEditor {
  /// Blocks the signals that a line editor reads from a descriptor: call it before any other thread is started.
  ///
  /// A thread that is running already would go on taking them, with their default effect of ending the process.
  /// SIGINT, SIGWINCH, SIGTSTP, SIGTERM and SIGHUP then take effect only in ``readLine(prompt:)``,
  /// ``readSecret(prompt:)`` and ``wait(for:)``.
  package static func blockSignals() {
    SignalQueue.block()
  }

  /// Gives a child process the signal mask that this process had before ``blockSignals()``.
  ///
  /// A mask is inherited, so a child started without this could not be interrupted. Pass attributes made by
  /// `posix_spawnattr_init`; flags set before are kept.
  package static func restoreSignals(in attributes: inout posix_spawnattr_t) {
    var mask = SignalQueue.maskForChildren
    var flags: Int16 = 0
    posix_spawnattr_getflags(&attributes, &flags)
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, flags | Int16(POSIX_SPAWN_SETSIGMASK))
  }
}
