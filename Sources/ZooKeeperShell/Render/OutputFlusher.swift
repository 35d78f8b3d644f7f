import Platform

/// A thread that writes buffered output after a short delay, whatever the command is doing.
///
/// So output is not held back or lost if a command hangs. *Thread*: `ring` any.
final class OutputFlusher: Sendable {
  /// Open while there is buffered output.
  private let gate = Gate<Void>()

  /// The delay: long enough that a fast script causes few writes, and too short to be noticed.
  private static let delayMicroseconds: UInt32 = 20_000

  /// Starts the thread, which lives as long as the process.
  ///
  /// Must be called after the signals that end the process have been blocked, so that the thread does not receive them.
  ///
  /// - Parameter flush: writes the buffered output.
  init(_ flush: @escaping @Sendable () -> Void) {
    BlockingThread.start { [gate] in
      while true {
        gate.take()
        BlockingThread.sleep(microseconds: Self.delayMicroseconds)
        flush()
      }
    }
  }

  /// Reports that there is buffered output.
  func ring() { gate.open(()) }
}
