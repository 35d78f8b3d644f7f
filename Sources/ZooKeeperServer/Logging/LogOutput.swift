#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the lines of a log are written: to stderr, or to a file with a limited size.
///
/// *Thread*: that of the log.
struct LogOutput: ~Copyable {
  /// A file of the log.
  struct File: Hashable, Sendable {
    let path: String
    /// The size at which another file begins, in bytes; 0 means that this is left to others.
    let limitBytes: Int
    /// The number of earlier files that are kept, as `path.1` and so on.
    let earlierCount: Int
  }

  private let file: File?
  private var descriptor: Int32
  private var sizeBytes = 0
  private var isRegular = false
  /// Why the file could not be opened again, until it could be; lines are written to the earlier file meanwhile.
  private(set) var openFailure: String?

  /// Opens the file; nil stands for stderr.
  ///
  /// - Parameters:
  ///   - purpose: what the log is called in messages.
  ///   - hint: what to do if it cannot be opened.
  /// - Throws: when the file cannot be written. A server that is to log there must not start without it.
  init(
    _ file: File?, purpose: String = "the log", hint: String = "--log-file names another place"
  ) throws(ServerStartError) {
    self.file = file
    guard let file else {
      descriptor = STDERR_FILENO
      return
    }
    descriptor = Self.open(file.path)
    guard descriptor >= 0 else {
      throw ServerStartError(
        "\(purpose) \(file.path) cannot be opened: \(String(cString: strerror(errno)))", hint: hint)
    }
    examine()
  }

  deinit { if file != nil { close(descriptor) } }

  /// Opens the file again, because it was renamed. If that fails, `openFailure` has the reason.
  mutating func reopen() {
    guard let file else { return }
    let next = Self.open(file.path)
    guard next >= 0 else { return openFailure = String(cString: strerror(errno)) }
    openFailure = nil
    close(descriptor)
    descriptor = next
    examine()
  }

  /// Writes whole lines, and waits as long as that takes.
  ///
  /// - Returns: why that was not possible.
  mutating func write(_ bytes: [UInt8]) -> String? {
    if let file, isRegular, file.limitBytes > 0, sizeBytes > 0, sizeBytes + bytes.count > file.limitBytes {
      startFile(file)
    }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Self.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[offset...]))
      }
      if count > 0 {
        offset += count
        sizeBytes += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Who shares the terminal or pipe may have made it non-blocking.
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, -1)
      default: return String(cString: strerror(errno))
      }
    }
    return nil
  }

  /// Gives the file the number 1, and those before it the next ones, and begins another file.
  ///
  /// A file that has another name already, because another program has renamed it or the last attempt has failed after
  /// that, is not renamed: the numbers of the earlier files would change for nothing.
  private mutating func startFile(_ file: File) {
    if !hasName(file.path) {
      reopen()
      return
    }
    if file.earlierCount > 0 {
      for number in stride(from: file.earlierCount - 1, through: 1, by: -1) {
        rename("\(file.path).\(number)", "\(file.path).\(number + 1)")
      }
      rename(file.path, "\(file.path).1")
    } else {
      unlink(file.path)
    }
    reopen()
  }

  /// Whether a path is that of the file that is open.
  private func hasName(_ path: String) -> Bool {
    var (named, opened) = (stat(), stat())
    guard stat(path, &named) == 0, fstat(descriptor, &opened) == 0 else { return false }
    return named.st_ino == opened.st_ino && named.st_dev == opened.st_dev
  }

  private mutating func examine() {
    var status = stat()
    fstat(descriptor, &status)
    isRegular = status.st_mode & S_IFMT == S_IFREG
    sizeBytes = Int(status.st_size)
  }

  private static func open(_ path: String) -> Int32 {
    // A pipe without a reader is an error, where waiting for one would block the start.
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK
    #if canImport(Glibc)
      let descriptor = Glibc.open(path, flags, 0o640)
    #else
      let descriptor = Darwin.open(path, flags, 0o640)
    #endif
    if descriptor >= 0 { _ = fcntl(descriptor, F_SETFL, O_APPEND) }
    return descriptor
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
  }

  /// Whether stderr is connected to systemd's journal.
  ///
  /// *Source*: `systemd.exec(5)`, `$JOURNAL_STREAM`.
  static func isJournal(_ stream: String?) -> Bool {
    var status = stat()
    guard let stream, fstat(STDERR_FILENO, &status) == 0 else { return false }
    return stream == "\(status.st_dev):\(status.st_ino)"
  }
}
