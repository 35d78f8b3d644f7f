#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Directories that are removed with the process that created them.
enum TemporaryDirectory {
  private static let prefix = "zkcli-sandbox-"

  private static var root: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// Creates a directory that only this user can enter; its name contains the process id.
  static func make() throws(SandboxError) -> String {
    var template = [CChar]("\(root)/\(prefix)\(getpid())-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw SandboxError("cannot make a directory in \(root): \(String(cString: strerror(errno)))")
    }
    return template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  /// Removes directories of processes that were killed before they could remove them.
  static func removeStale() {
    for name in list(root) where name.hasPrefix(prefix) {
      guard let process = Int32(name.dropFirst(prefix.count).prefix { $0 != "-" }) else { continue }
      if kill(process, 0) != 0, errno == ESRCH { remove("\(root)/\(name)") }
    }
  }

  /// Removes a directory with its contents; links are not followed.
  static func remove(_ path: String) {
    for name in list(path) {
      let child = "\(path)/\(name)"
      if unlink(child) != 0 { remove(child) }
    }
    rmdir(path)
  }

  private static func list(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
