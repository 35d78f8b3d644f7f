/// The comma-separated directives of which the messages of DIGEST-MD5 consist.
///
/// *Shape*: `name=token` or `name="quoted string"`, in which the character after a backslash is meant as it
/// is. Names do not depend on case.
///
/// *Source*: RFC 2831, sections 2.1.1 and 7.2.
struct DigestDirectives {
  private var values: [String: [UInt8]] = [:]
  /// The values of `realm`, the only directive that may be repeated.
  private(set) var realms: [[UInt8]] = []

  /// Parses a whole message.
  ///
  /// - Throws: `malformed` if the message is longer than `limitBytes`, is not such a list, or repeats a directive.
  init(parsing message: [UInt8], limitBytes: Int) throws(SASLError) {
    guard message.count <= limitBytes else {
      throw SASLError(.malformed, "the message has \(message.count) bytes; DIGEST-MD5 allows \(limitBytes)")
    }
    var scanner = Scanner(bytes: message)
    while true {
      scanner.skipSeparators()
      if scanner.isAtEnd { break }
      let name = try scanner.token(what: "name").map { $0 | ($0 >= 0x41 && $0 <= 0x5a ? 0x20 : 0) }
      try scanner.expect(UInt8(ascii: "="))
      let value = try scanner.value()
      try scanner.expectEndOfDirective()
      try add(String(decoding: name, as: UTF8.self), value)
    }
  }

  private mutating func add(_ name: String, _ value: [UInt8]) throws(SASLError) {
    if name == "realm" {
      realms.append(value)
    } else if values.updateValue(value, forKey: name) != nil {
      throw SASLError(.malformed, "the directive \(name) occurs twice")
    }
  }

  /// The value of a directive that may be missing.
  subscript(name: String) -> [UInt8]? { values[name] }

  /// The value of a directive.
  ///
  /// - Throws: `malformed` if it is missing.
  func required(_ name: String) throws(SASLError) -> [UInt8] {
    guard let value = values[name] else { throw SASLError(.malformed, "the directive \(name) is missing") }
    return value
  }

  /// Appends `name="value"` to a message.
  static func appendQuoted(_ name: String, _ value: some Sequence<UInt8>, to message: inout [UInt8]) {
    if !message.isEmpty { message.append(UInt8(ascii: ",")) }
    message += Array(name.utf8) + Array("=\"".utf8)
    for byte in value {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { message.append(UInt8(ascii: "\\")) }
      message.append(byte)
    }
    message.append(UInt8(ascii: "\""))
  }

  /// Appends `name=value` to a message.
  static func append(_ name: String, _ value: String, to message: inout [UInt8]) {
    if !message.isEmpty { message.append(UInt8(ascii: ",")) }
    message += Array("\(name)=\(value)".utf8)
  }

  /// Walks over a message.
  private struct Scanner {
    let bytes: [UInt8]
    var offset = 0

    var isAtEnd: Bool { offset >= bytes.count }

    /// Skips white space and commas: a list may have empty elements.
    mutating func skipSeparators() {
      while !isAtEnd, bytes[offset] == UInt8(ascii: ",") || Self.isSpace(bytes[offset]) { offset += 1 }
    }

    mutating func skipSpace() { while !isAtEnd, Self.isSpace(bytes[offset]) { offset += 1 } }

    /// A sequence of characters that are neither separators nor control characters; not empty.
    mutating func token(what: String) throws(SASLError) -> [UInt8] {
      let start = offset
      while !isAtEnd, Self.isTokenByte(bytes[offset]) { offset += 1 }
      guard offset > start else { throw SASLError(.malformed, "a \(what) is missing at offset \(start)") }
      return Array(bytes[start..<offset])
    }

    mutating func expect(_ byte: UInt8) throws(SASLError) {
      skipSpace()
      guard !isAtEnd, bytes[offset] == byte else {
        throw SASLError(.malformed, "'\(Character(Unicode.Scalar(byte)))' is missing at offset \(offset)")
      }
      offset += 1
      skipSpace()
    }

    mutating func value() throws(SASLError) -> [UInt8] {
      guard !isAtEnd, bytes[offset] == UInt8(ascii: "\"") else { return try token(what: "value") }
      let start = offset
      var value: [UInt8] = []
      offset += 1
      while !isAtEnd, bytes[offset] != UInt8(ascii: "\"") {
        if bytes[offset] == UInt8(ascii: "\\") { offset += 1 }
        guard !isAtEnd else { break }
        value.append(bytes[offset])
        offset += 1
      }
      guard !isAtEnd else { throw SASLError(.malformed, "the quoted string at offset \(start) has no end") }
      offset += 1
      return value
    }

    mutating func expectEndOfDirective() throws(SASLError) {
      skipSpace()
      guard isAtEnd || bytes[offset] == UInt8(ascii: ",") else {
        throw SASLError(.malformed, "a comma is missing at offset \(offset)")
      }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
      byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
    }
  }
}
