/// The dozen calls that storage needs of a file system: the seam between what decides and what moves bytes.
///
/// `PosixFileSystem` is the machine's; `MemoryFileSystem` is a model of one that loses what was not synced. Types that
/// use it take it as a generic parameter, so that nothing is boxed.
///
/// The contract is POSIX's at its weakest: a write is durable after `syncData` or `syncAll` of the file; a name that
/// was created, renamed or removed is durable after `syncDirectory` of its directory, and not before.
package protocol FileSystem {
  /// Opens the file at `path`.
  func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> FileHandle

  /// Gives the handle back; what was not synced may be lost or not.
  func close(_ file: FileHandle)

  /// Reads up to `buffer.count` bytes at `offset` and returns how many; 0 is the end of the file.
  func read(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int

  /// Writes at `offset`, extending the file if need be, and returns how many bytes were taken, which may be fewer
  /// than given but not none.
  func write(_ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(FileSystemError) -> Int

  /// Makes room for bytes up to `sizeBytes`, which becomes the file's size; new bytes read as 0.
  func allocate(_ file: FileHandle, from offset: Int, to sizeBytes: Int) throws(FileSystemError)

  /// Cuts or extends the file to `sizeBytes`.
  func truncate(_ file: FileHandle, to sizeBytes: Int) throws(FileSystemError)

  /// The file's size in bytes.
  func size(_ file: FileHandle) throws(FileSystemError) -> Int

  /// A place behind which the file is known to have nothing but zeros that take no room; its size where that is not
  /// known.
  func endOfData(_ file: FileHandle, from offset: Int) throws(FileSystemError) -> Int

  /// Returns when the file's bytes, and the size needed to read them, are durable.
  func syncData(_ file: FileHandle) throws(FileSystemError)

  /// Returns when the file's bytes and everything known about it are durable.
  func syncAll(_ file: FileHandle) throws(FileSystemError)

  /// Returns when the names in the directory are durable.
  func syncDirectory(_ path: String) throws(FileSystemError)

  /// Gives the file at `path` another name in the same directory, replacing a file that has it.
  func rename(_ path: String, to newPath: String) throws(FileSystemError)

  /// Removes the file at `path`.
  func remove(_ path: String) throws(FileSystemError)

  /// The names in a directory, sorted.
  func list(_ directory: String) throws(FileSystemError) -> [String]

  /// Makes the directory at `path`, whose parent exists.
  func createDirectory(_ path: String) throws(FileSystemError)

  /// Whether a file or directory has that name.
  func exists(_ path: String) -> Bool

  /// Opens the file at `path`, creating it if need be, and locks it until the handle is closed or the process ends.
  ///
  /// Throws: `FileSystemError` with reason `.locked` when another open handle has the lock.
  func lock(_ path: String) throws(FileSystemError) -> FileHandle
}

/// How a file is opened.
package enum FileOpenMode: Hashable, Sendable {
  /// For reading; the file exists.
  case read
  /// For reading and writing; the file exists.
  case update
  /// For reading and writing; no file has the name yet.
  case createNew
  /// As `createNew`, for direct writes, see `DirectWrite`; `.notSupported`, and no file, where there are none.
  case createNewDirect
  /// For reading and writing; a file of that name is emptied, or made.
  case createOrTruncate
}

/// The rules for writes through a handle of `FileOpenMode.createNewDirect`.
///
/// Such a write goes past the system's cache to the device and is durable when it returns, as if followed by
/// `syncData`: for a small write one call in place of two, and none of the cache's bookkeeping. Offset, length and the
/// memory's address are multiples of `blockBytes`. A short one ends at a sector.
///
/// *Source*: `open(2)`, O_DIRECT and O_DSYNC.
package enum DirectWrite {
  /// The largest block that devices in use ask for.
  package static let blockBytes = 4096

  /// The start of the block that has the byte at `offset`.
  static func roundDown(_ offset: Int) -> Int { offset & ~(blockBytes - 1) }

  /// The first start of a block that is not before `offset`.
  static func roundUp(_ offset: Int) -> Int { roundDown(offset + blockBytes - 1) }
}

/// An open file of some `FileSystem`.
package struct FileHandle: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int32

  /// The handle that its file system knows by `rawValue`.
  package init(rawValue: Int32) { self.rawValue = rawValue }
}

/// A call of a `FileSystem` that failed.
package struct FileSystemError: Error, Hashable, Sendable {
  /// The calls, by name.
  package enum Operation: String, Hashable, Sendable {
    case open, read, write, allocate, truncate, size, syncData, syncAll, syncDirectory, rename, remove, list
    case createDirectory, lock, create
  }

  /// What callers tell apart.
  package enum Reason: Hashable, Sendable {
    case notFound
    case alreadyExists
    case noSpace
    case locked
    case notSupported
    /// Something else than a file has the name.
    case notAFile
    case permissionDenied
    /// The file system takes no writes.
    case readOnly
    /// The process, or the machine, has no descriptors left.
    case noDescriptors
    /// The modelled machine has lost its power.
    case crashed
    case other
  }

  package let operation: Operation
  package let path: String
  package let reason: Reason
  /// The system's number of the error; 0 when there was none.
  package let errno: Int32

  /// An error of `operation` on `path`.
  package init(_ operation: Operation, path: String, reason: Reason, errno: Int32 = 0) {
    self.operation = operation
    self.path = path
    self.reason = reason
    self.errno = errno
  }
}

extension FileSystemError: CustomStringConvertible {
  package var description: String { "\(operation.rawValue) of \(path) failed: \(reason) (errno \(errno))" }

  /// What could not be done, and why, for people.
  package var words: String {
    let what =
      switch operation {
      case .open, .read: "read \(path)"
      case .write, .allocate, .syncData, .syncAll, .syncDirectory: "write \(path)"
      case .truncate: "shorten \(path)"
      case .size: "find the size of \(path)"
      case .rename: "rename \(path)"
      case .remove: "remove \(path)"
      case .list: "list \(path)"
      case .createDirectory: "make the directory \(path)"
      case .lock: "lock \(path)"
      case .create: "make \(path)"
      }
    return "cannot \(what): \(reasonWords)"
  }

  private var reasonWords: String {
    switch reason {
    case .notFound: "no such file or directory"
    case .alreadyExists: "there is one already"
    case .noSpace: "no space left on the disk"
    case .locked: "another process has locked it"
    case .notSupported: "the file system cannot do that"
    case .notAFile: "it is a directory, a pipe or a socket, not a file"
    case .permissionDenied: "permission denied"
    case .readOnly: "the file system is read-only"
    case .noDescriptors: "too many open files"
    case .crashed: "the machine has lost its power"
    case .other: "the system's error \(errno)"
    }
  }
}

extension FileSystem {
  /// The file's size: nothing is known of holes.
  package func endOfData(_ file: FileHandle, from offset: Int) throws(FileSystemError) -> Int { try size(file) }

  /// Writes all of `bytes` at `offset`, however many calls it takes.
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
  /// Written to a temporary name, synced, renamed; then the directory is synced.
  package func replace(
    _ name: String, in directory: String, with bytes: [UInt8], temporarySuffix: String = ".tmp"
  ) throws(FileSystemError) {
    let temporary = "\(directory)/\(name)\(temporarySuffix)"
    try writeSynced(temporary, bytes)
    try rename(temporary, to: "\(directory)/\(name)")
    try syncDirectory(directory)
  }

  /// Writes `bytes` as the file at `path` and syncs them; its name is durable with the next sync of the directory.
  func writeSynced(_ path: String, _ bytes: [UInt8]) throws(FileSystemError) {
    let file = try open(path, .createOrTruncate)
    defer { close(file) }
    try writeAll(file, at: 0, bytes, path: path)
    try syncAll(file)
  }

  /// Makes the directory at `path` and those above it, as far as they are missing, durably.
  package func createDirectories(_ path: String) throws(FileSystemError) {
    if path.isEmpty || path == "/" || exists(path) { return }
    let parent = Self.directory(of: path)
    try createDirectories(parent)
    try createDirectory(path)
    try syncDirectory(parent)
  }

  /// The directory that holds `path`.
  package static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
