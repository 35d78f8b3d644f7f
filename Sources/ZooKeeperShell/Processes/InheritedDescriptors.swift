import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Keeps what this process has opened, above all its connections, from the commands that it runs; what it was given
/// itself is passed on.
///
/// Neither the sockets nor the poll descriptors of SwiftNIO are closed by `exec`. A command would hold the connection
/// of the session open, and could write to it.
///
/// *Thread*: any.
enum InheritedDescriptors {
  // An array, for these are few, and a set would have the runtime look for a conformance through the whole program.
  private static let inherited = Mutex<[Int32]>([])

  /// Notes what is open. To be called before anything is opened.
  static func remember() {
    let present = present
    inherited.withLock { $0 = present }
  }

  /// Makes `exec` close everything that has been opened since `remember`. To be called before a command is started.
  static func protectOwn() {
    let inherited = inherited.withLock(\.self)
    for descriptor in present where descriptor > 2 && !inherited.contains(descriptor) {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }

  private static var present: [Int32] {
    var found: [Int32] = []
    guard let directory = opendir("/dev/fd") else { return found }
    defer { closedir(directory) }
    let own = dirfd(directory)
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if let descriptor = Int32(name), descriptor != own { found.append(descriptor) }
    }
    return found
  }
}
