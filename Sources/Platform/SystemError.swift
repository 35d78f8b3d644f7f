// Everything in this target uses the C library; others that need a constant of it, such as SIGTERM, take it from
// `Signal` and the like where they can.
#if canImport(Glibc)
  package import Glibc
#elseif canImport(Musl)
  package import Musl
#elseif canImport(Darwin)
  package import Darwin
#endif

/// The C library's own type of process numbers.
package typealias ProcessID = pid_t

/// A call of the operating system that failed.
package struct SystemError: Error, Hashable, Sendable {
  /// The value of `errno`.
  package let number: Int32

  package init(_ number: Int32) { self.number = number }

  /// The reason that `errno` gives at this moment.
  package static var current: SystemError { SystemError(errno) }

  /// The operating system's text for it.
  package var text: String { String(cString: strerror(number)) }

  /// There is no such file.
  package static let noSuchFile = SystemError(ENOENT)
}
