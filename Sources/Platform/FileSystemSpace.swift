#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The space of file systems.
package enum FileSystemSpace {
  /// The bytes that an unprivileged process may still write below a directory, and those that there are altogether; nil
  /// if there is no such directory.
  package static func of(_ directory: String) -> (freeBytes: Int64, totalBytes: Int64)? {
    var space = statvfs()
    guard statvfs(directory, &space) == 0 else { return nil }
    let block = Int64(space.f_frsize)
    let (free, freeOverflows) = block.multipliedReportingOverflow(by: Int64(clamping: space.f_bavail))
    let (total, totalOverflows) = block.multipliedReportingOverflow(by: Int64(clamping: space.f_blocks))
    return (freeOverflows ? .max : free, totalOverflows ? .max : total)
  }
}
