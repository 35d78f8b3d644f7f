#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The time of day.
package enum WallClock {
  /// Milliseconds since 1970, by this machine's clock.
  package static func nowMilliseconds() -> Int64 { milliseconds(of: CLOCK_REALTIME) }
}

/// A clock that cannot be set and that continues while the machine sleeps. All processes of a machine read the same
/// time from it.
package enum BootClock {
  /// Milliseconds since the machine was started.
  package static func nowMilliseconds() -> Int64 {
    #if os(Linux)
      milliseconds(of: CLOCK_BOOTTIME)
    #else
      milliseconds(of: CLOCK_MONOTONIC)
    #endif
  }
}

extension Duration {
  /// Whole milliseconds.
  package var inMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

private func milliseconds(of clock: clockid_t) -> Int64 {
  var now = timespec()
  clock_gettime(clock, &now)
  return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}
