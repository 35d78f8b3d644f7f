#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads and writes local files and descriptors.
enum FileIO {
  /// The maximum to read. Servers accept only much smaller values, and an endless device must not fill the memory.
  static let limitBytes = 256 << 20

  /// The content of a file.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func read(_ path: String) throws(ShellError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("cannot open \(path)", errno) }
    defer { close(descriptor) }
    return try read(descriptor, name: path)
  }

  /// Opens a file; the caller closes it.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func openForReading(_ path: String) throws(ShellError) -> Int32 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("cannot open \(path)", errno) }
    return descriptor
  }

  /// Closes what `openForReading` has opened.
  static func end(_ descriptor: Int32) { close(descriptor) }

  /// The size of a file, in bytes.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func size(_ path: String) throws(ShellError) -> Int {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure("cannot open \(path)", errno) }
    return Int(status.st_size)
  }

  /// Whether a path is that of a directory.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether a descriptor is that of a file which can be read more than once.
  static func isRegular(_ descriptor: Int32) -> Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Creates a directory, if it does not exist.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func makeDirectory(_ path: String) throws(ShellError) {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("cannot create \(path)", errno) }
  }

  /// The content of a file with secrets, and a warning if other users can access it.
  ///
  /// The user's own file must be accessible to that user only, as ssh requires; a file of another user, such as root,
  /// may be shared with a group.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func readSecret(_ path: String) throws(ShellError) -> (bytes: [UInt8], warning: String?) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("cannot open \(path)", errno) }
    defer { close(descriptor) }
    return (try read(descriptor, name: path), exposure(of: descriptor, name: path))
  }

  /// The warning about a file with secrets that others can read or change; nil if they cannot.
  static func exposure(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return exposure(of: descriptor, name: path)
  }

  /// Whether a file exists.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The names in a directory, those of directories with a slash; empty if it cannot be read.
  static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name == "." || name == ".." { continue }
      names.append(isDirectory("\(directory)/\(name)") ? name + "/" : name)
    }
    return names
  }

  /// The names of the executable files in a directory that begin with a prefix.
  static func programs(in directory: String, prefix: String) -> [String] {
    names(in: directory).filter {
      $0.hasPrefix(prefix) && access("\(directory)/\($0)", X_OK) == 0 && !$0.hasSuffix("/")
    }
  }

  /// Whether users other than the owner and root can change a file.
  static func isWritableByOthers(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return true }
    let isForeign = status.st_uid != geteuid() && status.st_uid != 0
    return isForeign || status.st_mode & 0o022 != 0
  }

  /// The warning about an open file with secrets that others can read or change; nil if they cannot.
  static func exposure(of descriptor: Int32, name: String) -> String? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let mode = status.st_mode & 0o777
    guard mode & (status.st_uid == geteuid() ? 0o077 : 0o007) != 0 else { return nil }
    let who = mode & 0o007 != 0 ? "everyone on this machine" : "its group"
    let octal = "0\(String(mode, radix: 8))"
    return "\(name) contains secrets and is accessible to \(who) (mode \(octal)); restrict it with chmod 600"
  }

  /// Reads a descriptor to its end.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func read(_ descriptor: Int32, name: String) throws(ShellError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = try readSome(descriptor, name: name)
      if chunk.isEmpty { return bytes }
      bytes += chunk
      if bytes.count > limitBytes {
        throw ShellError(.overLimit, "TooLarge", "\(name) contains more than \(limitBytes >> 20) MiB")
      }
    }
  }

  /// Waits for input and returns the available bytes; empty at the end of the file.
  ///
  /// Checks regularly whether the task was cancelled; otherwise a signal would not end a command that waits for input.
  ///
  /// - Throws: exit code 12 with the operating system's reason; `Cancelled`.
  static func readSome(_ descriptor: Int32, name: String) throws(ShellError) -> [UInt8] {
    var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    repeat {
      if Task.isCancelled { throw .cancelled(outcomeUnknown: false, path: nil) }
    } while poll(&interest, 1, 100) == 0
    var errorNumber: Int32 = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      var result: Int
      repeat {
        result = systemRead(descriptor, buffer.baseAddress!, buffer.count)
      } while result < 0 && errno == EINTR
      if result < 0 { errorNumber = errno }
      count = max(result, 0)
    }
    if errorNumber != 0 { throw failure("cannot read \(name)", errorNumber) }
    return chunk
  }

  /// A descriptor from which these bytes can be read, of an unlinked temporary file.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  static func unnamed(_ bytes: [UInt8]) throws(ShellError) -> Int32 {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = [CChar]("\(directory)/zkcli-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw failure("cannot make a file in \(directory)", errno) }
    unlink(&template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    if let errorNumber = writeAll(bytes, to: descriptor) {
      close(descriptor)
      throw failure("cannot write a file in \(directory)", errorNumber)
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }

  /// Writes all bytes, and waits if the descriptor would block.
  ///
  /// - Returns: the `errno` of a failure; nil if all bytes were written.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    bytes.withUnsafeBytes { raw in
      var offset = 0
      while offset < raw.count {
        let count = systemWrite(descriptor, raw.baseAddress! + offset, raw.count - offset)
        if count >= 0 {
          offset += count
        } else if errno == EAGAIN {
          // Another process has made the terminal or pipe non-blocking; wait until it accepts more.
          var interest = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&interest, 1, -1)
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }

  /// A failed system call, with the operating system's text.
  static func failure(_ what: String, _ errorNumber: Int32) -> ShellError {
    ShellError(.localInputOutput, "File", "\(what): \(String(cString: strerror(errorNumber)))")
  }
}

/// `read(2)`, under a name that does not clash with `FileIO.read`.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}

/// `write(2)`.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
