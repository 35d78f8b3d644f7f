/// Why a line editor could not be made.
public struct LineEditorError: Error, Equatable, Sendable {
  /// The step that failed.
  public enum Code: Equatable, Sendable {
    /// The eventfd by which other threads wake the reading thread.
    case wakeUpDescriptor
    /// The signalfd from which signals are read.
    case signalDescriptor
    /// libedit itself, which gives no reason but lack of memory.
    case lineEditing
  }

  /// The step that failed.
  public let code: Code

  /// The system's reason, an `errno` value; 0 when it gave none.
  public let errno: Int32
}
