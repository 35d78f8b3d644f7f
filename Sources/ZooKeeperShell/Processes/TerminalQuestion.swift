import LineEditor

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Asks the user at the controlling terminal, which need be neither stdin nor stdout.
enum TerminalQuestion {
  /// The typed line, without its line end; a secret is not echoed.
  ///
  /// Checks regularly whether the task was cancelled: an abandoned read would consume the next line.
  ///
  /// - Throws: a usage error without a terminal; `Cancelled` after ^C.
  static func ask(_ prompt: String, isSecret: Bool) async throws(ShellError) -> [UInt8] {
    let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
    guard terminal >= 0 else { throw .usage("cannot prompt: there is no terminal") }
    defer { close(terminal) }
    var original = termios()
    tcgetattr(terminal, &original)
    if isSecret {
      var silent = original
      silent.c_lflag &= ~tcflag_t(ECHO | ECHONL)
      tcsetattr(terminal, TCSAFLUSH, &silent)
    }
    defer {
      if isSecret {
        tcsetattr(terminal, TCSAFLUSH, &original)
        _ = write(terminal, "\r\n", 2)
      }
    }
    let shown = TerminalText.sanitized([UInt8](prompt.utf8))
    _ = shown.withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
    var bytes: [UInt8] = []
    while true {
      if Task.isCancelled { throw .cancelled(outcomeUnknown: false, path: nil) }
      var interest = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
      guard poll(&interest, 1, 100) > 0 else { continue }
      var byte: UInt8 = 0
      guard read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") else { return bytes }
      bytes.append(byte)
    }
  }
}
