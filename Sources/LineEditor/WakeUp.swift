import CLibEdit
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A flag that another thread raises to end ``LineEditor/wait(for:)``.
///
/// It can be raised before the wait begins, which then ends at once. Each wait that ends with `.done` lowers it, so one
/// flag can be used for successive commands. All flags share one descriptor, because a process has one reading thread.
///
/// *Thread*: any.
package final class WakeUp: Sendable {
  private let isRaised = Atomic(false)

  /// Makes a flag that is not raised.
  package init() {}

  /// Raises the flag and wakes the reading thread.
  package func signal() {
    isRaised.store(true, ordering: .releasing)
    WakeDescriptor.shared.signal()
  }

  /// Lowers the flag and returns whether it was raised.
  func consume() -> Bool {
    isRaised.exchange(false, ordering: .acquiring)
  }
}

/// The descriptor by which other threads wake the reading thread.
///
/// *Thread*: any.
final class WakeDescriptor: Sendable {
  /// The descriptor of this process.
  static let shared = WakeDescriptor()

  /// An eventfd for `poll`, or -1 if no descriptors are left; ``LineEditor/init(_:)`` then throws.
  let descriptor: Int32

  /// The `errno` of creating the descriptor; 0 for success.
  let openErrno: Int32

  private init() {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    openErrno = descriptor < 0 ? errno : 0
  }

  /// Makes the descriptor readable.
  func signal() {
    // It fails only if the counter is full, so that the descriptor is readable anyway.
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Makes the descriptor unreadable until the next `signal`.
  func drain() {
    var rings: UInt64 = 0
    _ = read(descriptor, &rings, 8)
  }
}
