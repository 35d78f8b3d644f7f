#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A command that runs inside of one of ours, such as behind `--local --`.
struct ChildProcess: Sendable {
  let processID: pid_t

  /// Starts a command, found on the PATH, with our descriptors and some more variables.
  ///
  /// Its signals are as they were when this process began, not as we have blocked them.
  ///
  /// - Throws: exit code 127 when there is no such command, 126 when it cannot be executed.
  static func start(_ words: [Word], variables: [String: String]) throws(ShellError) -> ChildProcess {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigmask(&attributes, &mask)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let arguments = words.map { word in strdup(String(decoding: word.bytes, as: UTF8.self)) } + [nil]
    let environment = Self.environment(with: variables).map { strdup($0) } + [nil]
    defer { for pointer in arguments + environment { free(pointer) } }
    var processID = pid_t()
    let errorNumber = posix_spawnp(&processID, arguments[0]!, nil, &attributes, arguments, environment)
    guard errorNumber == 0 else {
      let code = ExitCode(rawValue: errorNumber == ENOENT ? 127 : 126)
      throw ShellError(code, "Child", "cannot run \(words[0].text): \(String(cString: strerror(errorNumber)))")
    }
    return ChildProcess(processID: processID)
  }

  /// Waits until it ends. *Thread*: any that may block.
  ///
  /// - Returns: its own exit code, or 128 and the number of the signal that ended it.
  func wait() -> ExitCode {
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0 {
      guard errno == EINTR else { return .localInputOutput }
    }
    let signal = status & 0x7f
    return signal == 0 ? ExitCode(rawValue: (status >> 8) & 0xff) : .signal(signal)
  }

  /// Passes a signal on.
  func send(_ signal: Int32) { kill(processID, signal) }

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
