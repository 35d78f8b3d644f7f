/// Why a line editor could not be made.
package struct LineEditorError: Error, Equatable, Sendable {
  /// The step that failed.
  package enum Code: Equatable, Sendable {
    /// The eventfd by which other threads wake the reading thread.
    case wakeUpDescriptor
    /// The signalfd from which signals are read.
    case signalDescriptor
    /// libedit itself, which gives no reason but lack of memory.
    case lineEditing
  }

  /// The step that failed.
  package let code: Code

  /// The system's reason, an `errno` value; 0 when it gave none.
  package let errno: Int32
}
