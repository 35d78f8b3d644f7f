import ZnodeFormats

/// One word of a command line, as bytes: a value may be anything, while names and paths are text.
///
/// The operating system hands over bytes, and `\xHH` in a quoted word makes any byte: a word kept as a
/// `String` would silently repair what is not UTF-8 and so store something else than was given.
package struct Word: Hashable, Sendable {
  package var bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = [UInt8](text.utf8) }

  /// The word as text; invalid UTF-8 shows as U+FFFD.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The word as text, or nil when its bytes are not UTF-8.
  package var exactText: String? { String(validating: bytes, as: UTF8.self) }

  /// Whether it has wildcards.
  var isPattern: Bool { Glob.isPattern(text) }
}

extension Word: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(text) }
}
