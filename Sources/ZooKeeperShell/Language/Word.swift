import ZnodeFormats

/// One token of a command line, as bytes: values can be any bytes, while names and paths are text.
///
/// The operating system passes bytes, and `\xHH` in a quoted token makes any byte. A `String` would silently repair
/// what is not UTF-8, so that something else would be stored than was given.
package struct Word: Hashable, Sendable {
  package var bytes: [UInt8]

  package init(bytes: [UInt8]) { self.bytes = bytes }

  package init(_ text: String) { bytes = [UInt8](text.utf8) }

  /// The token as text, with U+FFFD for invalid UTF-8.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The token as text, or nil if its bytes are not UTF-8.
  package var exactText: String? { String(validating: bytes, as: UTF8.self) }

  /// Whether it contains wildcards.
  var isPattern: Bool { Glob.isPattern(text) }
}

extension Word: ExpressibleByStringLiteral {
  package init(stringLiteral text: String) { self.init(text) }
}
