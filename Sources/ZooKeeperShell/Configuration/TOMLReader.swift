/// Parses a document of TOML 1.0.
///
/// Every value keeps its line for error messages. No TOML package that works without Foundation does this.
///
/// *Source*: https://toml.io/en/v1.0.0
struct TOMLReader {
  /// How deep arrays and inline tables may be nested.
  static let depthLimit = 32

  let bytes: [UInt8]
  var position = 0
  var line = 1
  var depth = 0
  private let root = TOMLTable(line: 1, .header)

  /// The root table of a document.
  ///
  /// - Throws: `TOMLError` for the first mistake.
  static func read(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
    var reader = TOMLReader(bytes)
    return try reader.document()
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func document() throws(TOMLError) -> TOMLTable {
    try requireUTF8()
    var current = root
    while true {
      skipBlanksAndLines()
      guard let byte = peek() else { return root }
      switch byte {
      case UInt8(ascii: "#"): try skipComment()
      case UInt8(ascii: "["): current = try header()
      default: try keyAndValue(into: current)
      }
      try endLine()
    }
  }

  private func requireUTF8() throws(TOMLError) {
    if String(validating: bytes, as: UTF8.self) != nil { return }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw TOMLError(line: index + 1, reason: "not valid UTF-8")
  }

  // MARK: Structure

  /// Reads `[a.b]` or `[[a.b]]`.
  ///
  /// - Returns: the table that the following keys belong to.
  private mutating func header() throws(TOMLError) -> TOMLTable {
    let start = line
    position += 1
    let isElement = skip("[")
    skipBlanks()
    let path = try key()
    skipBlanks()
    guard skip("]"), !isElement || skip("]") else { throw error("a header must end with \(isElement ? "]]" : "]")") }
    var parent = root
    for name in path.dropLast() { parent = try descend(into: name, of: parent, path, start) }
    let name = path[path.count - 1]
    return isElement
      ? try append(name, to: parent, path, start) : try define(name, in: parent, path, start)
  }

  /// The table that a component of a header other than the last one names; it is created if it does not exist.
  private func descend(
    into name: String, of table: TOMLTable, _ path: [String], _ start: Int
  ) throws(TOMLError) -> TOMLTable {
    switch table[name]?.content {
    case nil:
      let new = TOMLTable(line: start, .implicit)
      table.set(name, to: TOMLValue(line: start, content: .table(new)), line: start)
      return new
    case .table(let inner)? where inner.origin != .inline: return inner
    case .tables(let inner)?: return inner[inner.count - 1]
    default: throw TOMLError(line: start, reason: "\(path.joined(separator: ".")) is inside a value that is complete")
    }
  }

  private func define(
    _ name: String, in table: TOMLTable, _ path: [String], _ start: Int
  ) throws(TOMLError) -> TOMLTable {
    if let former = table[name] {
      guard case .table(let inner) = former.content, inner.origin == .implicit else {
        throw TOMLError(
          line: start, reason: "\(path.joined(separator: ".")) is already defined in line \(former.line)")
      }
      inner.origin = .header
      return inner
    }
    let new = TOMLTable(line: start, .header)
    table.set(name, to: TOMLValue(line: start, content: .table(new)), line: start)
    return new
  }

  private func append(
    _ name: String, to table: TOMLTable, _ path: [String], _ start: Int
  ) throws(TOMLError) -> TOMLTable {
    let new = TOMLTable(line: start, .header)
    switch table[name] {
    case nil: table.set(name, to: TOMLValue(line: start, content: .tables([new])), line: start)
    case let former?:
      guard case .tables(let elements) = former.content else {
        throw TOMLError(
          line: start, reason: "\(path.joined(separator: ".")) is already defined in line \(former.line)")
      }
      table.set(name, to: TOMLValue(line: former.line, content: .tables(elements + [new])), line: start)
    }
    return new
  }

  /// Reads `key = value`, where the key may be dotted.
  mutating func keyAndValue(into table: TOMLTable) throws(TOMLError) {
    let start = line
    let path = try key()
    skipBlanks()
    guard skip("=") else { throw error("= is missing after the key \(path.joined(separator: "."))") }
    skipBlanks()
    var inner = table
    for name in path.dropLast() {
      switch inner[name]?.content {
      case nil:
        let new = TOMLTable(line: start, .dotted)
        inner.set(name, to: TOMLValue(line: start, content: .table(new)), line: start)
        inner = new
      case .table(let next)? where next.origin == .dotted: inner = next
      default: throw TOMLError(line: start, reason: "\(name) is already defined, and cannot be added to here")
      }
    }
    let name = path[path.count - 1]
    if let former = inner[name] {
      throw TOMLError(
        line: start, reason: "\(path.joined(separator: ".")) is already defined in line \(former.line)")
    }
    inner.set(name, to: try value(), line: start)
  }

  /// Reads a key as its components.
  private mutating func key() throws(TOMLError) -> [String] {
    var parts: [String] = []
    while true {
      parts.append(try keyPart())
      let end = position
      skipBlanks()
      guard skip(".") else {
        position = end
        return parts
      }
      skipBlanks()
    }
  }

  private mutating func keyPart() throws(TOMLError) -> String {
    switch peek() {
    case UInt8(ascii: "\"")?: return try basicString()
    case UInt8(ascii: "'")?: return try literalString()
    default:
      let start = position
      while let byte = peek(), byte.isBareKey { position += 1 }
      guard position > start else { throw error("expected a key, not \(shownNext)") }
      return String(decoding: bytes[start..<position], as: UTF8.self)
    }
  }

  // MARK: Blanks and lines

  /// The next byte; nil at the end.
  func peek(_ offset: Int = 0) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  /// Consumes a character if it is the next one.
  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Skips spaces and tabs.
  mutating func skipBlanks() {
    while let byte = peek(), byte == 0x20 || byte == 0x09 { position += 1 }
  }

  /// Skips a line end, LF or CR LF.
  mutating func skipLineEnd() -> Bool {
    let length = peek() == 0x0a ? 1 : peek() == 0x0d && peek(1) == 0x0a ? 2 : 0
    if length == 0 { return false }
    position += length
    line += 1
    return true
  }

  private mutating func skipBlanksAndLines() {
    repeat { skipBlanks() } while skipLineEnd()
  }

  /// Skips blanks, line ends and comments, which are allowed in an array.
  mutating func skipFiller() throws(TOMLError) {
    while true {
      skipBlanksAndLines()
      guard peek() == UInt8(ascii: "#") else { return }
      try skipComment()
    }
  }

  private mutating func skipComment() throws(TOMLError) {
    while let byte = peek(), byte != 0x0a, !(byte == 0x0d && peek(1) == 0x0a) {
      guard !byte.isControl else { throw error("a comment contains a control character") }
      position += 1
    }
  }

  private mutating func endLine() throws(TOMLError) {
    skipBlanks()
    if peek() == UInt8(ascii: "#") { try skipComment() }
    guard peek() == nil || skipLineEnd() else { throw error("unexpected \(shownNext)") }
  }

  /// The next character for messages.
  var shownNext: String {
    guard let byte = peek() else { return "the end of the file" }
    if byte == 0x0a || byte == 0x0d { return "the end of the line" }
    return Tokenizer.quote(String(String(decoding: bytes[position...].prefix(4), as: UTF8.self).prefix(1)))
  }

  /// An error at the current line.
  func error(_ reason: String) -> TOMLError { TOMLError(line: line, reason: reason) }
}

extension UInt8 {
  fileprivate var isBareKey: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Whether it is a control character other than a tab.
  var isControl: Bool { self < 0x20 && self != 0x09 || self == 0x7f }
}
