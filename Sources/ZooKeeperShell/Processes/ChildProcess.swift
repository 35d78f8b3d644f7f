import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A command that runs inside of one of ours, such as behind `--local --` or `lock /path --`.
///
/// *Thread*: any.
final class ChildProcess: Sendable {
  let processID: pid_t
  /// Whether it leads a process group of its own: signals then reach all that it has started.
  let ownsGroup: Bool
  private let hasEnded = Mutex(false)

  private init(processID: pid_t, ownsGroup: Bool) {
    self.processID = processID
    self.ownsGroup = ownsGroup
  }

  /// Starts a command, found on the PATH, with our descriptors and some more variables.
  ///
  /// Its signals are as they were when this process began, not as we have blocked them.
  ///
  /// - Parameters:
  ///   - standardInput: what it is to read; nil leaves it our stdin.
  ///   - ownsGroup: whether it leads a process group of its own. On a terminal it must not: it could not read.
  ///   - childGuard: who is told of the command before it does anything.
  ///   - willBegin: is given the process before it does anything, where there is a guard: whoever hears of it by what
  ///     it does may send a signal at once.
  /// - Throws: exit code 127 when there is no such command, 126 when it cannot be executed.
  static func start(
    _ words: [Word], variables: [String: String], standardInput: [UInt8]? = nil, ownsGroup: Bool = false,
    guardedBy childGuard: ChildGuard? = nil, willBegin: (ChildProcess) -> Void = { _ in }
  ) throws(ShellError) -> ChildProcess {
    let gate = childGuard == nil ? nil : ChildGate()
    InheritedDescriptors.protectOwn()
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    setSignals(&attributes, ownsGroup: ownsGroup)
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    var inputDescriptor: Int32 = -1
    defer { if inputDescriptor >= 0 { close(inputDescriptor) } }
    if let standardInput {
      inputDescriptor = try Files.unnamed(standardInput)
      posix_spawn_file_actions_adddup2(&files, inputDescriptor, 0)
    }
    gate?.addActions(to: &files)
    let command = (gate?.words ?? []) + words.map { String(decoding: $0.bytes, as: UTF8.self) }
    let arguments = command.map { strdup($0) } + [nil]
    let environment = Self.environment(with: variables).map { strdup($0) } + [nil]
    defer { for pointer in arguments + environment { free(pointer) } }
    var processID = pid_t()
    let program = gate.map { _ in strdup(ChildGate.program) } ?? strdup(arguments[0]!)
    defer { free(program) }
    let errorNumber = posix_spawnp(&processID, program!, &files, &attributes, arguments, environment)
    guard errorNumber == 0 else { throw failure(words, errorNumber) }
    let child = ChildProcess(processID: processID, ownsGroup: ownsGroup)
    willBegin(child)
    if let gate, let childGuard {
      childGuard.watch(child)
      if let errorNumber = gate.open() {
        _ = child.wait()
        throw failure(words, errorNumber)
      }
    }
    return child
  }

  private static func failure(_ words: [Word], _ errorNumber: Int32) -> ShellError {
    let code = ExitCode(rawValue: errorNumber == ENOENT ? 127 : 126)
    return ShellError(code, "Child", "cannot run \(words[0].text): \(String(cString: strerror(errorNumber)))")
  }

  /// Whether a terminal's keys reach us: then a command that we run must stay in our process group, or it could
  /// neither read the terminal nor be stopped from there.
  static var isInForeground: Bool {
    let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard terminal >= 0 else { return false }
    defer { close(terminal) }
    return tcgetpgrp(terminal) == getpgrp()
  }

  /// Waits until it ends; to be called once. *Thread*: any that may block.
  ///
  /// - Returns: its own exit code, or 128 and the number of the signal that ended it.
  func wait() -> ExitCode {
    // First without reaping: until the process is reaped its number is nobody else's, and may be sent to.
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

  /// Passes a signal on, to all of its group where it has its own; nothing happens once it has ended.
  func send(_ signal: Int32) {
    hasEnded.withLock { hasEnded in
      guard !hasEnded else { return }
      _ = kill(ownsGroup ? -processID : processID, signal)
    }
  }

  private static func setSignals(_ attributes: inout posix_spawnattr_t, ownsGroup: Bool) {
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigmask(&attributes, &mask)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (ownsGroup ? POSIX_SPAWN_SETPGROUP : 0)
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  private static func environment(with variables: [String: String]) -> [String] {
    var result: [String] = []
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      let name = String(text.prefix { $0 != "=" })
      if variables[name] == nil { result.append(text) }
      pointer += 1
    }
    return result + variables.map { "\($0.key)=\($0.value)" }.sorted()
  }
}
