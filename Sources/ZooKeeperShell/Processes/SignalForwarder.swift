import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Forwards the signals of this process to the command that it runs, and ends the pager.
///
/// *Thread*: any.
final class SignalForwarder: Sendable {
  private let child = Mutex<ChildProcess?>(nil)
  private let signal = Mutex<Int32?>(nil)
  /// The process that reads our output at present.
  private let reader = Mutex<ChildProcess?>(nil)

  /// The first signal that was not forwarded, and so ends the process; nil if there was none.
  var endingSignal: Int32? { signal.withLock(\.self) }

  /// Records a signal that ends the process and was handled elsewhere.
  func note(_ signal: Int32) {
    self.signal.withLock { $0 = $0 ?? signal }
    endReader(after: signal)
  }

  /// Sets the process that reads our output, which ends with this process; nil after its end.
  func setReader(_ reader: ChildProcess?) {
    self.reader.withLock { $0 = reader }
    if let endingSignal { endReader(after: endingSignal) }
  }

  /// How long the process that reads our output may take to end after a signal.
  private static let graceMilliseconds: Int32 = 1000

  /// Ends the process that reads our output, unless the signal is that of ^C, which pagers handle themselves.
  ///
  /// If it does not end, or other readers remain, this process ends at once, because a write may be blocked.
  private func endReader(after signal: Int32) {
    guard signal != SIGINT, let reader = reader.withLock(\.self) else { return }
    reader.send(SIGTERM)
    BlockingThread.start { [weak self] in
      poll(nil, 0, Self.graceMilliseconds)
      if self?.reader.withLock({ $0 === reader }) == true { _exit(128 + signal) }
    }
  }

  /// Sets the command that signals are forwarded to; nil for none.
  func setChild(_ child: ChildProcess?) { self.child.withLock { $0 = child } }

  /// Handles a signal.
  ///
  /// - Parameter isFromTerminal: whether a key has sent it to the whole foreground group, and so to a child process in
  ///   that group as well.
  /// - Returns: whether it was left to a command; otherwise it ends this process.
  func take(_ signal: Int32, isFromTerminal: Bool) -> Bool {
    guard let child = child.withLock(\.self) else {
      note(signal)
      return false
    }
    if !isFromTerminal || child.ownsGroup { child.send(signal) }
    return true
  }
}
