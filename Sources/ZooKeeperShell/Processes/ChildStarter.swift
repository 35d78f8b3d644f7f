import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Delays a command until its watchdog has been notified of it.
///
/// It starts this program again (`__child`), which reads a byte from one pipe and then executes the command; if that
/// fails, it writes the reason to another pipe. If the command were started directly, this process could be stopped or
/// killed before it has notified the watchdog.
struct ChildStarter {
  /// The argument that makes the program wait and then execute a command.
  static let subcommand = "__child"

  private let startPipe: (read: Int32, write: Int32)
  private let failure: (read: Int32, write: Int32)

  /// - Returns: nil if no descriptors are left; a command is then started directly.
  init?() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    startPipe = (ends[0], ends[1])
    guard pipe(&ends) == 0 else {
      close(startPipe.read)
      close(startPipe.write)
      return nil
    }
    failure = (ends[0], ends[1])
  }

  /// The arguments before those of the command.
  var arguments: [String] { ["zkcli", Self.subcommand, "\(startPipe.read)", "\(failure.write)"] }

  /// Passes the child process its ends of the pipes. A descriptor that is copied to its own number is not closed by
  /// `exec`.
  var fileActions: [Spawn.FileAction] { [startPipe.read, failure.write].map { .copy($0, to: $0) } }

  /// Lets the command start, and waits until it has.
  ///
  /// - Returns: the reason if it could not start; nil if it has started.
  func open() -> SystemError? {
    close(startPipe.read)
    close(failure.write)
    defer { close(failure.read) }
    var byte: UInt8 = 1
    _ = write(startPipe.write, &byte, 1)
    close(startPipe.write)
    var errorNumber: Int32 = 0
    while true {
      let count = read(failure.read, &errorNumber, MemoryLayout<Int32>.size)
      if count < 0, errno == EINTR { continue }
      return count == MemoryLayout<Int32>.size ? SystemError(errorNumber) : nil
    }
  }

  /// Waits for the byte and executes the command.
  ///
  /// - Parameter arguments: the two descriptors, and the arguments of the command.
  /// - Returns: the exit code if the starting process has ended, or the command cannot be executed.
  static func exec(_ arguments: [[UInt8]]) -> Int32 {
    guard arguments.count > 2, let go = Int32(String(decoding: arguments[0], as: UTF8.self)),
      let failure = Int32(String(decoding: arguments[1], as: UTF8.self))
    else { return ExitCode.usage.rawValue }
    var byte: UInt8 = 0
    var count = read(go, &byte, 1)
    while count < 0, errno == EINTR { count = read(go, &byte, 1) }
    guard count == 1 else { return ExitCode.signal(SIGTERM).rawValue }
    close(go)
    _ = fcntl(failure, F_SETFD, FD_CLOEXEC)
    let words = arguments.dropFirst(2).map { strdup(String(decoding: $0, as: UTF8.self)) } + [nil]
    execvp(words[0]!, words)
    var errorNumber = errno
    _ = write(failure, &errorNumber, MemoryLayout<Int32>.size)
    return 127
  }
}
