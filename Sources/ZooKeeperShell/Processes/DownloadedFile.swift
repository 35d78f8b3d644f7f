import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that arrives in pieces, and gets its final name only after it has been checked. Only its owner can read it,
/// because it may contain confidential data.
///
/// *Thread*: any, one at a time.
final class DownloadedFile: Sendable {
  private struct State {
    var descriptor: Int32
    var path: String
    var sizeBytes = 0
    /// The first bytes, which show the compression format.
    var head: [UInt8] = []
  }

  /// The final name; nil for a temporary file.
  private let target: String?
  private let state: Mutex<State>

  /// Creates the file.
  ///
  /// - Parameters:
  ///   - target: the final name; nil for a temporary file.
  ///   - replaces: whether an existing file is replaced.
  /// - Throws: exit code 4 if a file with the name exists and is not replaced; 12 with the operating system's reason.
  init(_ target: String?, replaces: Bool) throws(ShellError) {
    self.target = target
    guard let target else {
      let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
      var template = [CChar]("\(directory)/zkcli-XXXXXX".utf8CString)
      let descriptor = mkstemp(&template)
      guard descriptor >= 0 else { throw FileIO.failure("cannot make a file in \(directory)", errno) }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      state = Mutex(State(descriptor: descriptor, path: path))
      return
    }
    if !replaces, FileIO.exists(target) {
      throw ShellError(.conflict, "File", "\(target) exists already", hint: "--overwrite replaces it")
    }
    let path = target + ".part"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw FileIO.failure("cannot create \(path)", errno) }
    state = Mutex(State(descriptor: descriptor, path: path))
  }

  /// The present path.
  var path: String { state.withLock { $0.path } }

  /// The number of bytes written.
  var sizeBytes: Int { state.withLock { $0.sizeBytes } }

  /// Adds bytes.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  func write(_ bytes: [UInt8]) throws(ShellError) {
    let descriptor = state.withLock { state in
      if state.head.count < 4 { state.head += bytes.prefix(4 - state.head.count) }
      state.sizeBytes += bytes.count
      return state.descriptor
    }
    if let errorNumber = FileIO.writeAll(bytes, to: descriptor) {
      throw FileIO.failure("cannot write \(path)", errorNumber)
    }
  }

  /// Syncs the file. If it is compressed, as Apache's servers send it with `snapshot.compression.method`, gives it the
  /// suffix that readers of snapshots expect.
  ///
  /// - Returns: its path.
  /// - Throws: exit code 12 with the operating system's reason.
  func sealed() throws(ShellError) -> String {
    try state.withLock { state throws(ShellError) in
      guard fsync(state.descriptor) == 0 else { throw FileIO.failure("cannot write \(state.path)", errno) }
      let ending = state.head.starts(with: [0x1f, 0x8b]) ? ".gz" : state.head.starts(with: [0x82]) ? ".snappy" : ""
      guard !ending.isEmpty, !state.path.hasSuffix(ending) else { return state.path }
      let path = state.path + ending
      guard rename(state.path, path) == 0 else { throw FileIO.failure("cannot rename \(state.path)", errno) }
      state.path = path
      return path
    }
  }

  /// Reads the file from its beginning.
  ///
  /// - Throws: what `take` throws; exit code 12 with the operating system's reason.
  func read(_ take: ([UInt8]) throws(ShellError) -> Void) throws(ShellError) {
    let descriptor = try FileIO.openForReading(path)
    defer { close(descriptor) }
    while true {
      let chunk = try FileIO.readSome(descriptor, name: path)
      if chunk.isEmpty { return }
      try take(chunk)
    }
  }

  /// Renames the file to its final name.
  ///
  /// - Throws: exit code 12 with the operating system's reason.
  func finish() throws(ShellError) {
    guard let target else { return }
    try state.withLock { state throws(ShellError) in
      guard rename(state.path, target) == 0 else { throw FileIO.failure("cannot rename \(state.path)", errno) }
      close(state.descriptor)
      state.descriptor = -1
    }
  }

  /// Removes the file, unless it has its final name.
  func abandon() {
    state.withLock { state in
      guard state.descriptor >= 0 else { return }
      close(state.descriptor)
      unlink(state.path)
      state.descriptor = -1
    }
  }
}
