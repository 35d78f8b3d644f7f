import CLibEdit
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// A flag that another thread raises to end ``LineEditor/wait(for:)``.
///
/// It may be raised before the wait begins, which then ends at once; each wait that ends with `.done` lowers it, so one
/// flag serves one command after another. It owns no descriptor: all flags ring one bell, as a process has one reading
/// thread.
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

/// The one descriptor by which other threads wake the reading thread, whatever the reason.
///
/// *Thread*: any.
final class WakeDescriptor: Sendable {
  /// The bell of this process.
  static let shared = WakeDescriptor()

  /// An eventfd for `poll`, or -1 if the system had none left; ``LineEditor/init(_:)`` then throws.
  let descriptor: Int32

  /// The `errno` of making the descriptor; 0 when that went well.
  let openErrno: Int32

  private init() {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    openErrno = descriptor < 0 ? errno : 0
  }

  /// Makes the descriptor readable.
  func signal() {
    // It fails only when the counter is full, and then it is readable anyway.
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  /// Makes the descriptor unreadable until the next ring.
  func drain() {
    var rings: UInt64 = 0
    _ = read(descriptor, &rings, 8)
  }
}
