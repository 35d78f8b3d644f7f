#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The number of descriptors that this process can still open.
///
/// Event loops trap if there is no descriptor for them, so this is checked before they are created.
enum Descriptors {
  /// The number that a session needs: an event loop, sockets, and files for name resolution.
  static let ofClient = 8
  /// The number that a server needs without clients.
  static let ofServer = 32

  /// The number that local servers, the connections between them, and a session with them need.
  static func ofSandbox(size: Int) -> Int { size == 1 ? 24 : 30 + size * (10 + size) }

  /// Makes sure that `count` descriptors can be opened, by raising the limit if necessary and permitted.
  ///
  /// - Parameter purpose: what they are for, with an article.
  /// - Throws: exit code 12 if there are too few.
  static func require(_ count: Int, for purpose: String) throws(ShellError) {
    let free = free(upTo: count)
    if free == count { return }
    var limit = rlimit()
    getrlimit(resource, &limit)
    let taken = limit.rlim_cur > rlim_t(free) ? limit.rlim_cur - rlim_t(free) : 0
    let wanted = taken + rlim_t(count)
    if free < count, limit.rlim_max >= wanted {
      limit.rlim_cur = wanted
      if setrlimit(resource, &limit) == 0, self.free(upTo: count) == count { return }
    }
    throw ShellError(
      .localInputOutput, "Descriptors",
      "too few file descriptors: \(purpose) needs \(count), and \(free) are available",
      hint: "raise the limit: ulimit -n \(max(256, roundedUp(wanted)))")
  }

  #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let resource = RLIMIT_NOFILE
  #endif

  /// The number of descriptors that can be opened, up to `count`.
  private static func free(upTo count: Int) -> Int {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    while opened.count < count {
      let descriptor = fcntl(2, F_DUPFD_CLOEXEC, 3)
      if descriptor < 0 { break }
      opened.append(descriptor)
    }
    return opened.count
  }

  private static func roundedUp(_ limit: rlim_t) -> rlim_t {
    var result: rlim_t = 1
    while result < limit { result *= 2 }
    return result
  }
}
