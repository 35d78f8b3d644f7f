import ZooKeeperProtocol
import ZooKeeperTrees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A local directory whose files are opened relative to its descriptor, one path component at a time. A symbolic link
/// on the way is an error, so that nothing outside the directory is read or written.
struct OpenDirectory {
  /// The name of a file that is being written.
  static let partName = ".zkcli.part"

  /// The path for messages.
  let name: String
  let descriptor: Int32

  /// - Throws: exit code 12 with the operating system's reason.
  init(_ path: String) throws(ShellError) {
    let isNamed = path.utf8.contains { $0 != UInt8(ascii: "/") }
    name = isNamed ? String(path.reversed().drop { $0 == "/" }.reversed()) : path
    descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileIO.failure("cannot open \(path)", errno) }
  }

  private init(name: String, descriptor: Int32) {
    self.name = name
    self.descriptor = descriptor
  }

  /// Opens a directory in this one.
  ///
  /// - Throws: exit code 12, also for a symbolic link.
  func directory(_ child: String) throws(ShellError) -> OpenDirectory {
    let path = "\(name)/\(child)"
    let opened = openat(descriptor, child, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard opened >= 0 else { throw FileIO.failure("cannot open \(path)", errno) }
    return OpenDirectory(name: path, descriptor: opened)
  }

  /// Creates a directory in this one if it does not exist, and replaces a file with its name.
  func makeDirectory(_ child: String) throws(ShellError) {
    if mkdirat(descriptor, child, 0o777) == 0 { return }
    var status = stat()
    if errno == EEXIST, fstatat(descriptor, child, &status, AT_SYMLINK_NOFOLLOW) == 0 {
      if status.st_mode & S_IFMT == S_IFDIR { return }
      if status.st_mode & S_IFMT == S_IFREG, unlinkat(descriptor, child, 0) == 0,
        mkdirat(descriptor, child, 0o777) == 0
      {
        return
      }
    }
    throw FileIO.failure("cannot create \(name)/\(child)", errno)
  }

  /// The content of a file.
  func read(_ file: String) throws(ShellError) -> [UInt8] {
    let path = "\(name)/\(file)"
    let opened = openat(descriptor, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard opened >= 0 else { throw FileIO.failure("cannot open \(path)", errno) }
    defer { closeDescriptor(opened) }
    return try FileIO.read(opened, name: path)
  }

  /// Replaces the content of a file in one step.
  func write(_ bytes: [UInt8], to file: String) throws(ShellError) {
    let path = "\(name)/\(file)"
    let part = Self.partName
    let opened = openat(descriptor, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard opened >= 0 else { throw FileIO.failure("cannot create \(path)", errno) }
    let failure = FileIO.writeAll(bytes, to: opened)
    closeDescriptor(opened)
    if let failure { throw FileIO.failure("cannot write \(path)", failure) }
    guard renameat(descriptor, part, descriptor, file) == 0 else {
      throw FileIO.failure("cannot write \(path)", errno)
    }
  }

  /// The entries except `.` and `..`, sorted by the bytes of their names, with their modes.
  func entries() throws(ShellError) -> [(name: String, mode: mode_t)] {
    let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw FileIO.failure("cannot list \(name)", errno) }
    defer { closedir(stream) }
    var entries: [(name: String, mode: mode_t)] = []
    while let entry = readdir(stream) {
      let child = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      var status = stat()
      guard child != ".", child != "..", fstatat(descriptor, child, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        continue
      }
      entries.append((child, status.st_mode & S_IFMT))
    }
    return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Removes a file, if there is one.
  func remove(_ file: String) { unlinkat(descriptor, file, 0) }

  /// Removes a directory, if it is empty.
  func removeDirectory(_ child: String) { unlinkat(descriptor, child, AT_REMOVEDIR) }

  /// Whether a file or directory with the name exists.
  func has(_ child: String) -> Bool {
    var status = stat()
    return fstatat(descriptor, child, &status, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// Closes the descriptor.
  func close() { closeDescriptor(descriptor) }
}

/// `close(2)`, under a name that does not clash with `OpenDirectory.close`.
private func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
