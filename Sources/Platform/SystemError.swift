// Everything in this target uses the C library. Other targets use `Signal` and similar types instead of its constants
// where possible.
#if canImport(Glibc)
  package import Glibc
#elseif canImport(Musl)
  package import Musl
#elseif canImport(Darwin)
  package import Darwin
#endif

/// The C library's type of process ids.
package typealias ProcessID = pid_t

/// The error of a failed system call.
package struct SystemError: Error, Hashable, Sendable {
  /// The value of `errno`.
  package let number: Int32

  package init(_ number: Int32) { self.number = number }

  /// The error that `errno` describes at present.
  package static var current: SystemError { SystemError(errno) }

  /// The operating system's text for it.
  package var text: String { String(cString: strerror(number)) }

  /// There is no such file.
  package static let noSuchFile = SystemError(ENOENT)
}
