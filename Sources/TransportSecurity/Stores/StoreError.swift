/// Why keys or certificates cannot be used.
///
/// The message says what is wrong with which file, and never contains a password.
public struct TLSStoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The path of the file.
  public let file: String
  /// What is wrong with it, as a clause that can follow the path.
  public let reason: String
  /// What to do, if that is not obvious; otherwise nil.
  public let hint: String?

  init(_ file: String, _ reason: String, hint: String? = nil) {
    self.file = file
    self.reason = reason
    self.hint = hint
  }

  public var description: String { "\(file): \(reason)" }
}

/// What is wrong with the contents of a store, before it is known which file they come from.
struct StoreFault: Error {
  let reason: String
  var hint: String?

  init(_ reason: String, hint: String? = nil) {
    self.reason = reason
    self.hint = hint
  }

  static let truncated = StoreFault("the file is incomplete or damaged")
  static let wrongPassword = StoreFault("the password does not open it, or the file is damaged")
}
