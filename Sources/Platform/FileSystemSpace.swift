#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The space of file systems.
package enum FileSystemSpace {
  /// The number of bytes that an unprivileged process can still write in a directory, and the total; nil if there is no
  /// such directory.
  package static func of(_ directory: String) -> (freeBytes: Int64, totalBytes: Int64)? {
    var space = statvfs()
    guard statvfs(directory, &space) == 0 else { return nil }
    let block = Int64(space.f_frsize)
    let (free, freeOverflows) = block.multipliedReportingOverflow(by: Int64(clamping: space.f_bavail))
    let (total, totalOverflows) = block.multipliedReportingOverflow(by: Int64(clamping: space.f_blocks))
    return (freeOverflows ? .max : free, totalOverflows ? .max : total)
  }
}
