import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The descriptors with which this process was started, besides the standard ones. `Spawn` passes them on to the
/// commands that it starts, and no others.
///
/// *Thread*: any.
package enum InheritedDescriptors {
  // An array, because there are few of them, and for a set the runtime would search the whole program for a
  // conformance.
  private static let inherited = Mutex<[Int32]>([])

  /// Records the open descriptors. Must be called before any is opened.
  package static func remember() {
    let open = open
    inherited.withLock { $0 = open }
  }

  /// Those that `remember` has recorded.
  package static var all: [Int32] { inherited.withLock(\.self) }

  /// The descriptors that are open now.
  static var open: [Int32] {
    var found: [Int32] = []
    guard let directory = opendir("/dev/fd") else { return found }
    defer { closedir(directory) }
    let own = dirfd(directory)
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if let descriptor = Int32(name), descriptor > 2, descriptor != own { found.append(descriptor) }
    }
    return found
  }
}
