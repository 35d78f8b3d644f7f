/// Why a line editor could not be created.
package struct LineEditorError: Error, Equatable, Sendable {
  /// The step that failed.
  package enum Code: Equatable, Sendable {
    /// The eventfd by which other threads wake the reading thread.
    case wakeUpDescriptor
    /// The signalfd from which signals are read.
    case signalDescriptor
    /// libedit itself, which only fails if there is no memory.
    case lineEditing
  }

  /// The step that failed.
  package let code: Code

  /// The system's reason, an `errno` value; 0 if there is none.
  package let errno: Int32
}
