import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that arrives piece by piece, and gets its name only when it has been checked. Only its owner can read it: it
/// may contain what others are not allowed to see.
///
/// *Thread*: any, one at a time.
final class DownloadedFile: Sendable {
  private struct State {
    var descriptor: Int32
    var path: String
    var sizeBytes = 0
    /// The first bytes, which tell how the file is compressed.
    var head: [UInt8] = []
  }

  /// The name that it gets; nil if it is only read again.
  private let target: String?
  private let state: Mutex<State>

  /// Begins a file.
  ///
  /// - Parameters:
  ///   - target: the name that it is to have; nil for a temporary file.
  ///   - replaces: whether a file of that name may exist.
  /// - Throws: exit code 4 if it exists and may not; 12 with the operating system's reason.
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

  /// Where it is at the moment.
  var path: String { state.withLock { $0.path } }

  /// What has been written.
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

  /// Makes what was written durable, and gives the file the ending that the readers of snapshots expect of one that is
  /// compressed, as Apache's servers send it with `snapshot.compression.method`.
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

  /// Gives the file its name.
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

  /// Removes the file, unless it has its name.
  func abandon() {
    state.withLock { state in
      guard state.descriptor >= 0 else { return }
      close(state.descriptor)
      unlink(state.path)
      state.descriptor = -1
    }
  }
}
