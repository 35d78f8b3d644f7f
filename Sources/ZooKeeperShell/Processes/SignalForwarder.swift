import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Passes the signals of this process on to the command that it runs, while it runs one, and ends the pager.
///
/// *Thread*: any.
final class SignalForwarder: Sendable {
  private let child = Mutex<ChildProcess?>(nil)
  private let signal = Mutex<Int32?>(nil)
  /// What reads our answer at present.
  private let reader = Mutex<ChildProcess?>(nil)

  /// The first signal that was ours, which ends the process; nil before.
  var endingSignal: Int32? { signal.withLock(\.self) }

  /// Notes a signal that ends the process and was taken elsewhere.
  func note(_ signal: Int32) {
    self.signal.withLock { $0 = $0 ?? signal }
    endReader(after: signal)
  }

  /// Takes a process that reads our answer, which we wait for: it ends with us. nil after it has ended.
  func setReader(_ reader: ChildProcess?) {
    self.reader.withLock { $0 = reader }
    if let endingSignal { endReader(after: endingSignal) }
  }

  /// So long the process that reads our answer may take to end after a signal.
  private static let graceMilliseconds: Int32 = 1000

  /// Ends the process that reads our answer, unless the signal is that of ^C, which a pager has a use for itself.
  ///
  /// Should it not end, or leave others that read on, this process ends at once: a write may be waiting for them.
  private func endReader(after signal: Int32) {
    guard signal != SIGINT, let reader = reader.withLock(\.self) else { return }
    reader.send(SIGTERM)
    BlockingThread.start { [weak self] in
      poll(nil, 0, Self.graceMilliseconds)
      if self?.reader.withLock({ $0 === reader }) == true { _exit(128 + signal) }
    }
  }

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
