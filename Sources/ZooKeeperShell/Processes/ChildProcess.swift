import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A child process with an external command, such as that after `--local --` or `lock /path --`.
///
/// *Thread*: any.
final class ChildProcess: Sendable {
  let processID: ProcessID
  /// Whether it leads its own process group, so that signals reach everything that it has started.
  let ownsGroup: Bool
  private let hasEnded = Mutex(false)

  /// Wraps a process that was started elsewhere.
  init(processID: ProcessID, ownsGroup: Bool) {
    self.processID = processID
    self.ownsGroup = ownsGroup
  }

  /// Starts a command, found on the PATH, with our descriptors and additional variables.
  ///
  /// Its signal mask is that with which this process was started, and not the present one.
  ///
  /// - Parameters:
  ///   - standardInput: its standard input; nil to inherit ours.
  ///   - ownsGroup: whether it leads its own process group. On a terminal it must not, because it could not read.
  ///   - watchdog: is notified of the command before it does anything.
  ///   - willBegin: is called with the process before it does anything, if there is a watchdog. Another process may
  ///     react to the command with a signal at once.
  /// - Throws: exit code 127 if there is no such command, 126 if it cannot be executed.
  static func start(
    _ words: [Word], variables: [String: String], standardInput: [UInt8]? = nil, ownsGroup: Bool = false,
    watchedBy watchdog: ChildWatchdog? = nil, willBegin: (ChildProcess) -> Void = { _ in }
  ) throws(ShellError) -> ChildProcess {
    let gate = watchdog == nil ? nil : ChildStarter()
    let command = words.map { String(decoding: $0.bytes, as: UTF8.self) }
    var spawn = gate.map { Spawn(.same, $0.arguments + command) } ?? Spawn(.onPath(command[0]), command)
    spawn.resetsSignals = true
    spawn.ownsGroup = ownsGroup
    spawn.variables = variables
    var inputDescriptor: Int32 = -1
    defer { if inputDescriptor >= 0 { close(inputDescriptor) } }
    if let standardInput {
      inputDescriptor = try FileIO.unnamed(standardInput)
      spawn.fileActions.append(.copy(inputDescriptor, to: 0))
    }
    spawn.fileActions += gate?.fileActions ?? []
    let processID: ProcessID
    do throws(SystemError) { processID = try spawn.start() } catch { throw failure(words, error) }
    let child = ChildProcess(processID: processID, ownsGroup: ownsGroup)
    willBegin(child)
    if let gate, let watchdog {
      watchdog.watch(child)
      if let error = gate.open() {
        _ = child.wait()
        throw failure(words, error)
      }
    }
    return child
  }

  private static func failure(_ words: [Word], _ error: SystemError) -> ShellError {
    let code = ExitCode(rawValue: error == .noSuchFile ? 127 : 126)
    return ShellError(code, "Child", "cannot run \(words[0].text): \(error.text)")
  }

  /// Whether we are the foreground process group of a terminal. A command must then stay in our group, because
  /// otherwise it could neither read the terminal nor be stopped from it.
  static var isInForeground: Bool {
    let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    defer { close(terminal) }
    return tcgetpgrp(terminal) == getpgrp()
  }

  /// Waits until it ends. Must be called once only. *Thread*: any that may block.
  ///
  /// - Returns: its exit code, or 128 plus the number of the signal that ended it.
  func wait() -> ExitCode {
    // Wait without reaping first: until the process is reaped, its number is not reused, and signals can be sent to it.
    var information = siginfo_t()
    while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    return hasEnded.withLock { hasEnded in
      hasEnded = true
      var status: Int32 = 0
      while waitpid(processID, &status, 0) < 0 {
        guard errno == EINTR else { return .localInputOutput }
      }
      let signal = status & 0x7f
      return signal == 0 ? ExitCode(rawValue: (status >> 8) & 0xff) : .signal(signal)
    }
  }

  /// Sends it a signal, or sends it to its whole group if it has its own. Does nothing after its end.
  func send(_ signal: Int32) {
    hasEnded.withLock { hasEnded in
      guard !hasEnded else { return }
      _ = kill(ownsGroup ? -processID : processID, signal)
    }
  }
}
