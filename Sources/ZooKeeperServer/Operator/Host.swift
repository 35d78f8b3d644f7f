#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the operating system reports about this process and machine.
enum Host {
  static let name = systemName.nodename
  static let operatingSystem = systemName.sysname
  static let release = systemName.release
  static let architecture = systemName.machine

  /// The user that the process runs as.
  static var userName: String { getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "?" }

  static var homeDirectory: String { getenv("HOME").map { String(cString: $0) } ?? "?" }

  static var temporaryDirectory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// The machine's memory: what is free, what this process may use, and the total.
  static var memoryMegabytes: (free: Int, maximum: Int, total: Int) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let total = sysconf(Int32(_SC_PHYS_PAGES)) * page
    #if os(Linux)
      let free = sysconf(Int32(_SC_AVPHYS_PAGES)) * page
    #else
      let free = 0
    #endif
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    return (free >> 20, min(total, Int(clamping: limit.rlim_cur)) >> 20, total >> 20)
  }

  static var workingDirectory: String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    return getcwd(&buffer, buffer.count).map { String(cString: $0) } ?? "?"
  }

  /// The absolute path of an existing file, without symbolic links; the unchanged path if the file does not exist.
  static func resolvedPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The number of open descriptors, and the largest number that is allowed.
  static var fileDescriptors: (open: Int, maximum: Int) {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    var count = 0
    if let directory = opendir("/proc/self/fd") {
      while readdir(directory) != nil { count += 1 }
      closedir(directory)
    }
    // `.`, `..` and the directory itself.
    return (max(0, count - 3), Int(clamping: limit.rlim_cur))
  }

  /// The bytes that this process may still write to a directory's file system, and those that there are altogether; nil
  /// if there is no such directory.
  static func space(of directory: String) -> (freeBytes: Int, totalBytes: Int)? {
    var space = statvfs()
    guard statvfs(directory, &space) == 0 else { return nil }
    func bytes(_ blocks: UInt) -> Int {
      let (product, overflows) = Int(clamping: blocks).multipliedReportingOverflow(by: Int(clamping: space.f_frsize))
      return overflows ? .max : product
    }
    return (bytes(UInt(space.f_bavail)), bytes(UInt(space.f_blocks)))
  }

  /// Milliseconds of a clock that cannot be set.
  static var monotonicMilliseconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
  }

  /// Milliseconds since 1970.
  static var wallMilliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private static let systemName: (sysname: String, nodename: String, release: String, machine: String) = {
    var name = utsname()
    uname(&name)
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return (text(name.sysname), text(name.nodename), text(name.release), text(name.machine))
  }()
}

/// Dates in the form of Java's `Date.toString`, in the local time zone.
enum JavaDate {
  /// `Mon Nov 23 06:38:24 UTC 2026`.
  static func text(milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    // The C locale, which is a program's default, has the same English names as Java.
    let count = strftime(&buffer, buffer.count, "%a %b %d %H:%M:%S %Z %Y", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
