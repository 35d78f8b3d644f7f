import Platform

/// A thread that writes what an answer has gathered a moment after it was gathered, whatever the command is doing.
///
/// An answer that is ready is never held back, and none is lost with the process, even if a command
/// hangs. *Thread*: `ring` any.
final class OutputFlusher: Sendable {
  /// Open while something waits to be written.
  private let gate = Gate<Void>()

  /// How long an answer may gather: long enough that a fast script writes seldom, too short for anybody to notice.
  private static let delayMicroseconds: UInt32 = 20_000

  /// Starts the thread, which lives as long as the process.
  ///
  /// To be called when the signals that end the process are blocked, for the thread shall not take them.
  ///
  /// - Parameter flush: writes what there is.
  init(_ flush: @escaping @Sendable () -> Void) {
    BlockingThread.start { [gate] in
      while true {
        gate.take()
        BlockingThread.sleep(microseconds: Self.delayMicroseconds)
        flush()
      }
    }
  }

  /// Says that something waits to be written.
  func ring() { gate.open(()) }
}
