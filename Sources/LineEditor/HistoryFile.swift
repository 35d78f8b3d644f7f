import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

/// The lines of earlier sessions, in a file that several shells can append to at the same time.
///
/// *Shape*: UTF-8 text, one entry on each line, oldest first; inside an entry a newline is `\n` and a backslash `\\`.
/// libedit's own format is not used, because libedit only writes whole files, so that the last shell to exit would
/// overwrite the entries of the others.
///
/// *Thread*: the reading thread. Each call opens, locks and closes the file.
struct HistoryFile {
  /// The maximum number of bytes to read; of a longer file, only the end is read.
  static let lengthLimitBytes = 16 << 20

  /// The maximum number of attempts to lock the file, at intervals of five milliseconds. A shell that was stopped while
  /// it held the lock must not block others; entries appended without the lock are still intact because of `O_APPEND`.
  private static let lockAttempts = 20

  /// The path of the file.
  let path: String

  /// The maximum number of entries that ``load()`` leaves in the file.
  let entryLimit: Int

  /// Why the file could not be used, as the text after the path in a message.
  struct Failure: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }

    /// The failure that `errno` describes at present.
    static var current: Failure { Failure(String(cString: strerror(errno))) }
  }

  /// Reads the entries, oldest first, and cuts the file down to the newest ``entryLimit``.
  ///
  /// Creates the file with mode 0600 if it does not exist, and missing directories with mode 0700.
  ///
  /// - Throws: `Failure` if it cannot be opened for writing, or read.
  func load() throws(Failure) -> [String] {
    makeParentDirectories()
    let descriptor = try openFile(O_RDWR)
    defer { close(descriptor) }
    let isLocked = lock(descriptor)
    var bytes = try readTail(descriptor)
    if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    let kept = lines.suffix(entryLimit)
    if isLocked, kept.count < lines.count {
      // Slices keep the indices of their base.
      try replaceContents(of: descriptor, with: Array(bytes[(kept.first?.startIndex ?? bytes.endIndex)...]))
    }
    return kept.map { line in Self.decode(String(decoding: line, as: UTF8.self)) }
  }

  /// Adds an entry at the end.
  ///
  /// - Throws: `Failure` if the file cannot be opened or written.
  func append(_ entry: String) throws(Failure) {
    let descriptor = try openFile(O_WRONLY | O_APPEND)
    defer { close(descriptor) }
    _ = lock(descriptor)
    try write(Array((Self.encode(entry) + "\n").utf8), to: descriptor)
  }

  /// The entry on one line.
  static func encode(_ entry: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in entry.unicodeScalars {
      switch scalar {
      case "\\": line.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": line.append(contentsOf: "\\n".unicodeScalars)
      default: line.append(scalar)
      }
    }
    return String(line)
  }

  /// Decodes a line. A backslash before any other character is literal, for files that were edited by hand.
  static func decode(_ line: String) -> String {
    var entry = String.UnicodeScalarView()
    var scalars = line.unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "\\", let escaped = scalars.next() else {
        entry.append(scalar)
        continue
      }
      switch escaped {
      case "n": entry.append("\n")
      case "\\": entry.append("\\")
      default: entry.append(contentsOf: [scalar, escaped])
      }
    }
    return String(entry)
  }

  // MARK: - The system's side

  private func makeParentDirectories() {
    // Failures are detected when the file is opened.
    for index in path.indices.dropFirst() where path[index] == "/" {
      mkdir(String(path[..<index]), 0o700)
    }
  }

  private func openFile(_ mode: Int32) throws(Failure) -> Int32 {
    // O_NONBLOCK: a FIFO may have no process at its other end.
    let descriptor = open(path, mode | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else { throw .current }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
      // Commands can contain confidential data, whatever program created the file.
      fchmod(descriptor, 0o600)
    }
    return descriptor
  }

  private func lock(_ descriptor: Int32) -> Bool {
    for _ in 0..<Self.lockAttempts {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK || errno == EINTR else { return false }
      usleep(5_000)
    }
    return false
  }

  /// The end of the file, at most ``lengthLimitBytes``, beginning with a whole line.
  private func readTail(_ descriptor: Int32) throws(Failure) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .current }
    let start = max(0, Int(status.st_size) - Self.lengthLimitBytes)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    if start > 0 { lseek(descriptor, off_t(start), SEEK_SET) }
    while bytes.count < Self.lengthLimitBytes {
      let count = read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { throw .current }
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
    }
    guard start > 0, let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return bytes }
    return Array(bytes[(newline + 1)...])
  }

  /// Overwrites the start of the file, then truncates it. A crash in between loses nothing, and unlike with a rename, a
  /// symbolic link to the file stays valid.
  private func replaceContents(of descriptor: Int32, with bytes: [UInt8]) throws(Failure) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw .current }
    try write(bytes, to: descriptor)
    guard ftruncate(descriptor, off_t(bytes.count)) == 0 else { throw .current }
  }

  /// Uses one `write` call, unless the system does not write all bytes at once.
  private func write(_ bytes: [UInt8], to descriptor: Int32) throws(Failure) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      guard count > 0 else { throw .current }
      written += count
    }
  }
}
