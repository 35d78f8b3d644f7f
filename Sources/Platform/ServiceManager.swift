#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The service manager that has started this process and wants to be notified of its state, such as systemd.
///
/// *Source*: `sd_notify(3)`, `sd_watchdog_enabled(3)`.
///
/// *Thread*: any. No call blocks.
package final class ServiceManager: Sendable {
  /// The interval of keep-alive messages in milliseconds: half of the time after which the manager would end the
  /// service. nil if there is no watchdog.
  package let watchdogMilliseconds: Int?
  private let descriptor: Int32
  private let path: String

  /// Opens a socket for messages to the manager.
  ///
  /// - Parameter variable: the value of an environment variable.
  /// - Returns: nil if there is no manager that accepts messages.
  package init?(variable: (String) -> String?) {
    // A path, or after @ the name of an abstract socket.
    guard let path = variable("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
    #if os(Linux)
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
      descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
    #endif
    guard descriptor >= 0 else { return nil }
    self.path = path
    let isOurs = variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
    let limit = variable("WATCHDOG_USEC").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    watchdogMilliseconds = isOurs ? limit.map { max(1, $0 / 2000) } : nil
  }

  deinit { close(descriptor) }

  /// Sends variables, such as `READY=1`. Does not block if the manager does not read.
  package func notify(_ variables: String...) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { room in
      room.copyBytes(from: bytes)
      if bytes[0] == UInt8(ascii: "@") { room[0] = 0 }
    }
    // The length of the address limits an abstract name; a path ends with a zero byte.
    let isAbstract = bytes[0] == UInt8(ascii: "@")
    let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path)! + bytes.count + (isAbstract ? 0 : 1)
    let message = Array(variables.joined(separator: "\n").utf8)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(descriptor, message, message.count, Self.flags, $0, socklen_t(length))
      }
    }
  }

  /// Reports that the service works.
  package func keepAlive() { notify("WATCHDOG=1") }

  /// Reports that the service reloads its files; `READY=1` reports the end of the reload.
  package func notifyReloading() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    notify("RELOADING=1", "MONOTONIC_USEC=\(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)")
  }

  #if os(Linux)
    private static let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
  #else
    private static let flags = MSG_DONTWAIT
  #endif
}
