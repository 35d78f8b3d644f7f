import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Hides descriptors that this process has opened, above all its connections, from the commands that it runs. Inherited
/// descriptors are passed on.
///
/// Neither the sockets nor the poll descriptors of SwiftNIO are closed by `exec`. A command would keep the connection
/// of the session open, and could write to it.
///
/// *Thread*: any.
enum InheritedDescriptors {
  // An array, because there are few of them, and for a set the runtime would search the whole program for a
  // conformance.
  private static let inherited = Mutex<[Int32]>([])

  /// Records the open descriptors. Must be called before any is opened.
  static func remember() {
    let present = present
    inherited.withLock { $0 = present }
  }

  /// Makes `exec` close all descriptors that have been opened since `remember`. Must be called before a command is
  /// started.
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
