#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The real file system. This is the only code of the module that calls the C library.
///
/// *Thread*: any; a handle is used by one thread at a time.
package struct PosixFileSystem: FileSystem, Sendable {
  package init() {}

  /// Opens with `open(2)`, and close-on-exec.
  package func open(_ path: String, _ mode: FileOpenMode) throws(FileSystemError) -> FileHandle {
    let flags =
      switch mode {
      case .read, .readPieces: O_RDONLY
      case .update: O_RDWR
      case .createNew: O_RDWR | O_CREAT | O_EXCL
      case .createNewDirect: O_RDWR | O_CREAT | O_EXCL
      case .createOrTruncate: O_RDWR | O_CREAT | O_TRUNC
      }
    guard mode == .createNewDirect else {
      // O_NONBLOCK keeps the call from waiting for the other end, should the name be that of a pipe. For a file it
      // makes no difference.
      let isExisting = mode == .read || mode == .readPieces || mode == .update
      let operation: FileSystemError.Operation = isExisting ? .open : .create
      let file = try checkedForFile(
        openRaw(path, flags | O_NONBLOCK, operation: operation), path, operation)
      // It is only advice, so that a failure is of no consequence.
      #if os(Linux)
        if mode == .readPieces { _ = posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_RANDOM) }
      #endif
      return file
    }
    guard let directFlags else { throw error(.open, path: path, ENOSYS) }
    do throws(FileSystemError) {
      return try openRaw(path, flags | directFlags, operation: .open)
    } catch {
      // Linux may have created the file before it found that the file system does not support direct writes.
      if error.reason == .notSupported { _ = unlink(path) }
      throw error
    }
  }

  /// Closes the descriptor.
  package func close(_ file: FileHandle) {
    // An error would mean that writes were lost, but callers that need them durable have synced before.
    _ = platformClose(file.rawValue)
  }

  /// Reads with `pread(2)`.
  package func read(
    _ file: FileHandle, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileSystemError) -> Int {
    let count = retrying { pread(file.rawValue, buffer.baseAddress, buffer.count, off_t(offset)) }
    guard count >= 0 else { throw failure(.read, file) }
    return count
  }

  /// Writes with `pwrite(2)`.
  package func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer
  ) throws(FileSystemError) -> Int {
    let count = retrying { pwrite(file.rawValue, bytes.baseAddress, bytes.count, off_t(offset)) }
    guard count >= 0 else { throw failure(.write, file) }
    return count
  }

  /// Opens a queue of the operating system; see `SystemWriteQueue`.
  package func makeWriteQueue() -> SystemWriteQueue? { SystemWriteQueue() }

  /// Reserves blocks with `posix_fallocate(3)`, where the platform has it.
  package func allocate(_ file: FileHandle, from offset: Int, to sizeBytes: Int) throws(FileSystemError) {
    guard sizeBytes > offset else { return }
    #if canImport(Darwin)
      try truncate(file, to: sizeBytes)
    #else
      var code: Int32
      repeat { code = posix_fallocate(file.rawValue, off_t(offset), off_t(sizeBytes - offset)) } while code == EINTR
      guard code == 0 else { throw error(.allocate, path: path(of: file), code) }
    #endif
  }

  /// Calls `ftruncate(2)`.
  package func truncate(_ file: FileHandle, to sizeBytes: Int) throws(FileSystemError) {
    guard retrying({ Int(ftruncate(file.rawValue, off_t(sizeBytes))) }) == 0 else { throw failure(.truncate, file) }
  }

  /// Asks `fstat(2)`.
  package func size(_ file: FileHandle) throws(FileSystemError) -> Int {
    var status = stat()
    guard fstat(file.rawValue, &status) == 0 else { throw failure(.size, file) }
    return Int(status.st_size)
  }

  /// Follows the file's holes with `lseek(2)` up to the end of the last part that is not a hole.
  package func endOfData(_ file: FileHandle, from offset: Int) throws(FileSystemError) -> Int {
    #if os(Linux)
      // The C library hides these from Swift.
      let (seekData, seekHole) = (Int32(3), Int32(4))
      var end = offset
      while true {
        let data = lseek(file.rawValue, off_t(end), seekData)
        // ENXIO means that only a hole is left. A file system without holes reports the whole file as data.
        if data < 0 { return errno == ENXIO ? end : try size(file) }
        let hole = lseek(file.rawValue, data, seekHole)
        guard hole > data else { return try size(file) }
        end = Int(hole)
      }
    #else
      return try size(file)
    #endif
  }

  /// Calls `fdatasync(2)`.
  package func syncData(_ file: FileHandle) throws(FileSystemError) {
    #if canImport(Darwin)
      // Darwin's fsync stops at the drive's cache.
      guard fcntl(file.rawValue, F_FULLFSYNC) == 0 else { throw failure(.syncData, file) }
    #else
      // It must not be tried again after a failure: the kernel has dropped the pages, and a second call would succeed.
      guard fdatasync(file.rawValue) == 0 else { throw failure(.syncData, file) }
    #endif
  }

  /// Calls `fsync(2)`.
  package func syncAll(_ file: FileHandle) throws(FileSystemError) {
    #if canImport(Darwin)
      guard fcntl(file.rawValue, F_FULLFSYNC) == 0 else { throw failure(.syncAll, file) }
    #else
      guard fsync(file.rawValue) == 0 else { throw failure(.syncAll, file) }
    #endif
  }

  /// Opens the directory and calls `fsync(2)` on it.
  package func syncDirectory(_ path: String) throws(FileSystemError) {
    let directory = try openRaw(path, O_RDONLY | O_DIRECTORY, operation: .syncDirectory)
    defer { close(directory) }
    guard fsync(directory.rawValue) == 0 else { throw error(.syncDirectory, path: path, errno) }
  }

  /// Calls `rename(2)`.
  package func rename(_ path: String, to newPath: String) throws(FileSystemError) {
    guard platformRename(path, newPath) == 0 else { throw error(.rename, path: path, errno) }
  }

  /// Calls `stat(2)` and `chmod(2)`.
  package func copyPermissions(from original: String, to path: String) throws(FileSystemError) {
    var status = stat()
    guard stat(original, &status) == 0 else { throw error(.open, path: original, errno) }
    guard chmod(path, status.st_mode & 0o777) == 0 else { throw error(.create, path: path, errno) }
  }

  /// Calls `unlink(2)`.
  package func remove(_ path: String) throws(FileSystemError) {
    guard unlink(path) == 0 else { throw error(.remove, path: path, errno) }
  }

  /// Reads the directory with `readdir(3)`.
  package func list(_ directory: String) throws(FileSystemError) -> [String] {
    guard let stream = opendir(directory) else { throw error(.list, path: directory, errno) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw error(.list, path: directory, errno) }
    return names.sorted()
  }

  /// Calls `mkdir(2)`.
  package func createDirectory(_ path: String) throws(FileSystemError) {
    guard mkdir(path, 0o755) == 0 else { throw error(.createDirectory, path: path, errno) }
  }

  /// Asks `access(2)`.
  package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Opens the file and calls `flock(2)` on it.
  package func lock(_ path: String) throws(FileSystemError) -> FileHandle {
    let file = try openRaw(path, O_RDWR | O_CREAT, operation: .lock)
    guard retrying({ Int(flock(file.rawValue, LOCK_EX | LOCK_NB)) }) == 0 else {
      let code = errno
      close(file)
      throw error(.lock, path: path, code)
    }
    return file
  }

  /// Calls `flock(2)` before it closes the descriptor: a child process that was just started has a copy of it until it
  /// has become its program, and with the copy the lock.
  package func unlock(_ file: FileHandle) {
    _ = flock(file.rawValue, LOCK_UN)
    close(file)
  }

  private func openRaw(
    _ path: String, _ flags: Int32, operation: FileSystemError.Operation
  ) throws(FileSystemError) -> FileHandle {
    let descriptor = retrying { Int(platformOpen(path, flags | O_CLOEXEC)) }
    guard descriptor >= 0 else { throw error(operation, path: path, errno) }
    return FileHandle(rawValue: Int32(descriptor))
  }

  /// Refuses a pipe, a directory or a socket in the place of a file.
  private func checkedForFile(
    _ file: FileHandle, _ path: String, _ operation: FileSystemError.Operation
  ) throws(FileSystemError) -> FileHandle {
    var status = stat()
    guard fstat(file.rawValue, &status) == 0 else {
      let code = errno
      close(file)
      throw error(operation, path: path, code)
    }
    // Devices are accepted, because opening one does not block.
    guard [S_IFREG, S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT) else {
      close(file)
      throw FileSystemError(operation, path: path, reason: .notAFile)
    }
    return file
  }

  private func retrying(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }

  private func failure(_ operation: FileSystemError.Operation, _ file: FileHandle) -> FileSystemError {
    let code = errno
    return error(operation, path: path(of: file), code)
  }

  /// The path of an open file, for messages only. It is read from the kernel, so that a handle need not keep it.
  private func path(of file: FileHandle) -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { raw in
      raw.withMemoryRebound(to: CChar.self) { readlink("/proc/self/fd/\(file.rawValue)", $0.baseAddress!, $0.count) }
    }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "file \(file.rawValue)"
  }

  private func error(_ operation: FileSystemError.Operation, path: String, _ code: Int32) -> FileSystemError {
    FileSystemError(operation, path: path, reason: Self.reason(code, operation), errno: code)
  }

  /// What an error number says.
  static func reason(_ code: Int32, _ operation: FileSystemError.Operation) -> FileSystemError.Reason {
    switch code {
    case ENOENT: .notFound
    case EEXIST: .alreadyExists
    case ENOSPC, EDQUOT: .noSpace
    case EWOULDBLOCK where operation == .lock: .locked
    case EOPNOTSUPP, EINVAL, ENOSYS: .notSupported
    case EISDIR, ENXIO, ENOTDIR: .notAFile
    case EACCES, EPERM: .permissionDenied
    case EROFS: .readOnly
    case EMFILE, ENFILE: .noDescriptors
    default: .other
    }
  }
}

// Inside the type, its methods of the same names hide these functions of the C library.
private func platformClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func platformRename(_ path: String, _ newPath: String) -> Int32 { rename(path, newPath) }
private func platformOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o644) }

/// The flags with which `open(2)` makes writes direct; nil on platforms for which they are not known. Swift does not
/// import O_DIRECT from the C library.
#if os(Linux) && (arch(x86_64) || arch(i386))
  private let directFlags: Int32? = 0o40000 | O_DSYNC
#elseif os(Linux) && (arch(arm64) || arch(arm))
  private let directFlags: Int32? = 0o200000 | O_DSYNC
#else
  private let directFlags: Int32? = nil
#endif
