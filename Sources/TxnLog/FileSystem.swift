/// The calls that storage needs of a file system: the seam at which tests and the simulator exchange the real one.
///
/// `PosixFileSystem` is the real one; a model of it in memory loses what was not synced. Types that use a file system
/// take it as a generic parameter, so that nothing is boxed.
///
/// The contract is POSIX's at its weakest: a write is durable after `syncData` or `syncAll` of the file; a name that
/// was created, renamed or removed is durable after `syncDirectory` of its directory, and not before.
package protocol FileSystem {
  /// What `makeWriteQueue` opens.
  associatedtype Queue: WriteQueue = NoWriteQueue

  /// Opens the file at `path`.
  func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> FileHandle

  /// Closes the handle. What was not synced may still be lost.
  func close(_ file: FileHandle)

  /// Reads up to `buffer.count` bytes at `offset`, and returns their number; 0 means the end of the file.
  func read(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int

  /// Writes at `offset`, extends the file if necessary, and returns the number of bytes that were written: at least
  /// one, but possibly fewer than were passed.
  func write(_ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileSystemError) -> Int

  /// Opens a queue for direct writes; nil if this file system has no queues, or the operating system refuses one.
  func makeWriteQueue() -> Queue?

  /// Reserves space up to `sizeBytes`, which becomes the file's size. New bytes read as 0.
  func allocate(_ file: FileHandle, from offset: Int, to sizeBytes: Int) throws(FileSystemError)

  /// Cuts or extends the file to `sizeBytes`.
  func truncate(_ file: FileHandle, to sizeBytes: Int) throws(FileSystemError)

  /// The file's size in bytes.
  func size(_ file: FileHandle) throws(FileSystemError) -> Int

  /// An offset after which the file is known to be a hole, which reads as zeros; the file's size if that is not known.
  func endOfData(_ file: FileHandle, from offset: Int) throws(FileSystemError) -> Int

  /// Returns when the file's bytes, and the size needed to read them, are durable.
  func syncData(_ file: FileHandle) throws(FileSystemError)

  /// Returns when the file's bytes and all its metadata are durable.
  func syncAll(_ file: FileHandle) throws(FileSystemError)

  /// Returns when the names in the directory are durable.
  func syncDirectory(_ path: String) throws(FileSystemError)

  /// Renames the file at `path`, and replaces a file that has the new name. In another directory the new name is
  /// durable after a sync of that one, and the old one gone after a sync of the file's own.
  func rename(_ path: String, to newPath: String) throws(FileSystemError)

  /// Gives a file the permissions of another one, where files have any.
  func copyPermissions(from original: String, to path: String) throws(FileSystemError)

  /// Removes the file at `path`.
  func remove(_ path: String) throws(FileSystemError)

  /// The names in a directory, sorted.
  func list(_ directory: String) throws(FileSystemError) -> [String]

  /// Creates the directory at `path`, whose parent must exist.
  func createDirectory(_ path: String) throws(FileSystemError)

  /// Whether there is a file or directory at `path`.
  func exists(_ path: String) -> Bool

  /// Opens the file at `path`, which is created if it is missing, and locks it until the handle is closed or the
  /// process ends.
  ///
  /// - Throws: `FileSystemError` with the reason `locked` if another open handle has the lock.
  func lock(_ path: String) throws(FileSystemError) -> FileHandle

  /// Unlocks and closes a file that `lock` has opened.
  func unlock(_ file: FileHandle)
}

/// How a file is opened.
package enum FileOpenMode: Hashable, Sendable {
  /// For reading; the file must exist.
  case read
  /// As `read`, in pieces that need not be followed by the next ones: the system reads nothing ahead. In a log, that
  /// would be reserved space too, whose pages must be cleared first.
  case readPieces
  /// For reading and writing; the file must exist.
  case update
  /// For reading and writing; the file must not exist.
  case createNew
  /// As `createNew`, for direct writes; see `DirectWrite`. Fails with `notSupported`, and without creating the file, if
  /// the file system does not support them.
  case createNewDirect
  /// For reading and writing; the file is created, or emptied if it exists.
  case createOrTruncate
}

/// The rules for writes through a handle of `FileOpenMode.createNewDirect`.
///
/// Such a write bypasses the system's cache and is durable when it returns, as if followed by `syncData`. For a small
/// write this is one call instead of two, without the cost of the cache. Offset, length and the memory's address must
/// be multiples of `blockBytes`. A write that is cut short ends at the end of a sector.
///
/// *Source*: `open(2)`, O_DIRECT and O_DSYNC.
package enum DirectWrite {
  /// The size of a block in bytes: the largest that common devices require.
  package static let blockBytes = 4096

  /// The start of the block that contains `offset`.
  static func roundDown(_ offset: Int) -> Int { offset & ~(blockBytes - 1) }

  /// `offset`, or the start of the next block if it is inside one.
  static func roundUp(_ offset: Int) -> Int { roundDown(offset + blockBytes - 1) }
}

/// An open file of a `FileSystem`.
package struct FileHandle: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  package init(rawValue: Int32) { self.rawValue = rawValue }
}

/// A call of a `FileSystem` that failed.
package struct FileSystemError: Error, Hashable, Sendable {
  /// The calls, by name.
  package enum Operation: String, Hashable, Sendable {
    case open, read, write, allocate, truncate, size, syncData, syncAll, syncDirectory, rename, remove, list
    case createDirectory, lock, create
  }

  /// The reasons that callers distinguish, or that messages explain.
  package enum Reason: Hashable, Sendable {
    case notFound
    case alreadyExists
    case noSpace
    case locked
    case notSupported
    /// The name is that of a directory, a pipe or a socket.
    case notAFile
    case permissionDenied
    /// The file system is mounted read-only.
    case readOnly
    /// The process, or the machine, has no file descriptors left.
    case noDescriptors
    /// The power of the simulated machine has failed.
    case crashed
    case other
  }

  package let operation: Operation
  package let path: String
  package let reason: Reason
  /// The operating system's error number; 0 if there is none.
  package let errno: Int32

  package init(_ operation: Operation, path: String, reason: Reason, errno: Int32 = 0) {
    self.operation = operation
    self.path = path
    self.reason = reason
    self.errno = errno
  }
}

extension FileSystemError: CustomStringConvertible {
  package var description: String { "\(operation.rawValue) of \(path) failed: \(reason) (errno \(errno))" }

  /// A message for people: what could not be done, and why.
  package var words: String {
    let what =
      switch operation {
      case .open, .read: "read \(path)"
      case .write, .allocate, .syncData, .syncAll, .syncDirectory: "write \(path)"
      case .truncate: "truncate \(path)"
      case .size: "find the size of \(path)"
      case .rename: "rename \(path)"
      case .remove: "remove \(path)"
      case .list: "list \(path)"
      case .createDirectory: "create the directory \(path)"
      case .lock: "lock \(path)"
      case .create: "create \(path)"
      }
    return "cannot \(what): \(reasonWords)"
  }

  private var reasonWords: String {
    switch reason {
    case .notFound: "no such file or directory"
    case .alreadyExists: "it exists already"
    case .noSpace: "no space left on the disk"
    case .locked: "another process has locked it"
    case .notSupported: "the file system does not support it"
    case .notAFile: "it is a directory, a pipe or a socket, not a file"
    case .permissionDenied: "permission denied"
    case .readOnly: "the file system is read-only"
    case .noDescriptors: "too many open files"
    case .crashed: "the power has failed"
    case .other: "error \(errno) of the operating system"
    }
  }
}

extension FileSystem where Queue == NoWriteQueue {
  /// Nil, for file systems without queues.
  package func makeWriteQueue() -> NoWriteQueue? { nil }
}

extension FileSystem {
  /// The file's size, for file systems that do not know about holes.
  package func endOfData(_ file: FileHandle, from offset: Int) throws(FileSystemError) -> Int { try size(file) }

  /// Writes all of `bytes` at `offset`, with as many calls as it takes.
  package func writeAll(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileSystemError) {
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = try write(file, at: offset + done, rest)
      guard count > 0 else { throw FileSystemError(.write, path: path, reason: .other) }
      done += count
    }
  }

  /// Writes all of `bytes` at `offset`.
  package func writeAll(
    _ file: FileHandle, at offset: Int, _ bytes: [UInt8], path: String
  ) throws(FileSystemError) {
    let result = bytes.withUnsafeBytes { raw -> Result<Void, FileSystemError> in
      do throws(FileSystemError) {
        return .success(try writeAll(file, at: offset, raw, path: path))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Reads until `buffer` is full or the file ends, and returns the number of bytes.
  package func readFully(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = try read(file, at: offset + done, into: rest)
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// The bytes of the file at `path` from `offset`, at most `limitBytes` of them.
  package func contents(
    of path: String, from offset: Int = 0, limitBytes: Int = .max
  ) throws(FileSystemError) -> [UInt8] {
    let file = try open(path, .read)
    defer { close(file) }
    let count = max(0, min(try size(file) - offset, limitBytes))
    var failure: FileSystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(FileSystemError) {
        initialized = try readFully(file, at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Replaces the file `name` of `directory` so that after a crash either the old or the new bytes are there.
  ///
  /// The bytes are written under a temporary name and synced; then the file is renamed, and the directory synced.
  ///
  /// - Parameter original: a file whose permissions the new one is to have.
  package func replace(
    _ name: String, in directory: String, with bytes: [UInt8], temporarySuffix: String = ".tmp",
    permissionsOf original: String? = nil
  ) throws(FileSystemError) {
    let temporary = "\(directory)/\(name)\(temporarySuffix)"
    if let original {
      // Before it has any content.
      close(try open(temporary, .createOrTruncate))
      try copyPermissions(from: original, to: temporary)
    }
    try writeSynced(temporary, bytes)
    try rename(temporary, to: "\(directory)/\(name)")
    try syncDirectory(directory)
  }

  /// Writes `bytes` as the file at `path`, and syncs them. Its name becomes durable with the next sync of the
  /// directory.
  func writeSynced(_ path: String, _ bytes: [UInt8]) throws(FileSystemError) {
    let file = try open(path, .createOrTruncate)
    defer { close(file) }
    try writeAll(file, at: 0, bytes, path: path)
    try syncAll(file)
  }

  /// Creates the directory at `path` and its missing ancestors, durably.
  package func createDirectories(_ path: String) throws(FileSystemError) {
    if path.isEmpty || path == "/" || exists(path) { return }
    let parent = Self.directory(of: path)
    try createDirectories(parent)
    try createDirectory(path)
    try syncDirectory(parent)
  }

  /// The directory that contains `path`.
  package static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
