import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Passes the signals of this process on to the command that it runs, while it runs one.
///
/// *Thread*: any.
final class SignalForwarder: Sendable {
  private let child = Mutex<ChildProcess?>(nil)
  private let signal = Mutex<Int32?>(nil)

  /// The first signal that was ours, which ends the process; nil before.
  var endingSignal: Int32? { signal.withLock(\.self) }

  /// Notes a signal that ends the process and was taken elsewhere.
  func note(_ signal: Int32) { self.signal.withLock { $0 = $0 ?? signal } }

  /// Passes signals on to `child` from now on; nil passes none.
  func setChild(_ child: ChildProcess?) { self.child.withLock { $0 = child } }

  /// Takes a signal.
  ///
  /// - Parameter isFromTerminal: whether a key has sent it to the whole foreground group, and so to a child in that
  ///   group as well.
  /// - Returns: whether there is a command whose concern it is; otherwise it is ours.
  func take(_ signal: Int32, isFromTerminal: Bool) -> Bool {
    guard let child = child.withLock(\.self) else {
      note(signal)
      return false
    }
    if !isFromTerminal || child.ownsGroup { child.send(signal) }
    return true
  }
}
