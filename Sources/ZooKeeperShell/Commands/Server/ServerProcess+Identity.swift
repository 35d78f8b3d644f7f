#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The identity of the process that a server's process file names.
///
/// After a crash or a restart of the machine, the number can belong to another program. A process that runs a server on
/// the data directory has its lock file open, and no other process does.
enum ServerIdentity: Hashable, Sendable {
  /// No process is named, or the named one does not run.
  case none
  /// The server of this data directory: ours, or Apache's, which has no lock file.
  case server(pid_t)
  /// Another program.
  case stranger(pid_t)
  /// A process that this user cannot inspect.
  case unknown(pid_t)

  /// Identifies a process.
  ///
  /// - Parameters:
  ///   - lockFile: the lock file of the data directory.
  ///   - configurationFile: the file that Apache's server must have been started with to be that of this directory; nil
  ///     accepts any of Apache's servers.
  static func of(_ process: pid_t, lockFile: String, configurationFile: String?) -> ServerIdentity {
    guard process > 0 else { return .none }
    if kill(process, 0) != 0 {
      if errno == EPERM { return .unknown(process) }
      return .none
    }
    #if os(Linux)
      var lock = stat()
      if stat(lockFile, &lock) == 0 {
        switch holds(process, lock) {
        case true?: return .server(process)
        case nil: return .unknown(process)
        default: break
        }
      }
      return runsApaches(process, configurationFile) ? .server(process) : .stranger(process)
    #else
      // Without /proc, only the lock shows it: no server runs if the lock can be taken.
      let descriptor = open(lockFile, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { return .stranger(process) }
      defer { close(descriptor) }
      return flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? .stranger(process) : .server(process)
    #endif
  }

  #if os(Linux)
    /// Whether a process has a file open; nil if that cannot be determined.
    private static func holds(_ process: pid_t, _ file: stat) -> Bool? {
      guard let directory = opendir("/proc/\(process)/fd") else { return errno == EACCES ? nil : false }
      defer { closedir(directory) }
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        var status = stat()
        let isOpen = stat("/proc/\(process)/fd/\(name)", &status) == 0
        if isOpen, status.st_ino == file.st_ino, status.st_dev == file.st_dev { return true }
      }
      return false
    }

    /// Whether a process is a Java virtual machine that runs Apache's server with a configuration. A server with
    /// another configuration is a stranger.
    private static func runsApaches(_ process: pid_t, _ file: String?) -> Bool {
      guard let line = JavaEnvironment.read("/proc/\(process)/cmdline") else { return false }
      let words = line.split(separator: 0)
      guard let main = words.firstIndex(where: { $0.starts(with: "org.apache.zookeeper.server.".utf8) }),
        words.indices.contains(main + 1)
      else { return false }
      guard let file else { return true }
      let named = String(decoding: words[main + 1], as: UTF8.self)
      // A relative path is relative to the working directory of the process.
      return isSame(named.hasPrefix("/") ? named : "/proc/\(process)/cwd/\(named)", file)
    }

    private static func isSame(_ path: String, _ other: String) -> Bool {
      var (first, second) = (stat(), stat())
      guard stat(path, &first) == 0, stat(other, &second) == 0 else { return false }
      return first.st_ino == second.st_ino && first.st_dev == second.st_dev
    }
  #endif
}
