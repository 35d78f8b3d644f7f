/// A result of a command about the parts of one value.
package enum ValueResult: Hashable, Sendable {
  /// A value of a JSON text (`get --json-path`), as it was written and on one line.
  case json(path: String, jsonPath: String, value: [UInt8], line: [UInt8], version: Int32)
  /// A text that was changed in an editor, with the difference in the format of `diff -u`; the version is nil if it was
  /// not written (`edit --dry-run`).
  case edited(path: String, difference: [String], version: Int32?, isShown: Bool)
}
