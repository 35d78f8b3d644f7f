import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the lines of the access log go.
///
/// *Thread*: any.
final class WebLog: Sendable {
  private let descriptor: Int32
  private let isFile: Bool
  private let lock = Mutex(())

  /// One on stderr.
  init() { (descriptor, isFile) = (2, false) }

  /// - Throws: exit code 12 if the file cannot be written.
  init(_ invocation: Invocation) throws(ShellError) {
    guard let word = invocation.value(.accessLog) else {
      (descriptor, isFile) = (2, false)
      return
    }
    let path = try ValueParser.text(word, of: "--access-log")
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    isFile = true
    guard descriptor >= 0 else { throw FileIO.failure("cannot open \(path)", errno) }
  }

  deinit { if isFile { close(descriptor) } }

  /// Writes a line.
  func write(_ line: String) {
    lock.withLock { _ in
      // A log that cannot be written does not stop the server.
      _ = FileIO.writeAll([UInt8]("\(line)\n".utf8), to: descriptor)
    }
  }
}
