import JSONFormat

/// A JSON text as it was written, with the places of its values.
///
/// A value of it can be replaced without a change to any other byte: numbers, the order of members, and blanks stay as
/// they are.
///
/// *Source*: RFC 8259.
struct JSONText: Sendable {
  let bytes: [UInt8]
  /// Where the outermost value is, without the blanks around it.
  let root: Range<Int>

  /// Reads a text.
  ///
  /// - Throws: `JSONTextError` where it is not JSON.
  init(_ bytes: [UInt8]) throws(JSONTextError) {
    var scanner = JSONScanner(bytes)
    root = try scanner.document()
    self.bytes = bytes
  }

  /// Whether a value is JSON.
  static func isJSON(_ bytes: [UInt8]) -> Bool { (try? JSONText(bytes)) != nil }

  /// Where a path leads to.
  enum Place: Hashable, Sendable {
    case value(Range<Int>)
    /// The object or array at this place does not have what the last step names, but can be given it.
    case addable(in: Range<Int>)
    /// There is nothing, and nothing that it could be added to.
    case missing
  }

  /// Finds the value that a path names; of members with the same name it is the last.
  func place(_ path: JSONPath) -> Place {
    var value = root
    for (index, step) in path.steps.enumerated() {
      let parts = parts(of: value)
      let isObject = bytes[value.lowerBound] == UInt8(ascii: "{")
      if let part = find(step, among: parts, isObject: isObject) {
        value = part.value
        continue
      }
      let isLast = index == path.steps.count - 1
      return isLast && canAdd(step, to: value, parts.count) ? .addable(in: value) : .missing
    }
    return .value(value)
  }

  /// The text with a value at a path: in place of the one that is there, or as a new member or item.
  ///
  /// - Parameter value: a JSON text.
  /// - Returns: nil if there is nothing that the value could be put into.
  func setting(_ path: JSONPath, to value: [UInt8]) -> [UInt8]? {
    switch place(path) {
    case .value(let range): return bytes[..<range.lowerBound] + value + bytes[range.upperBound...]
    case .missing: return nil
    case .addable(let container):
      let isObject = bytes[container.lowerBound] == UInt8(ascii: "{")
      let parts = parts(of: container)
      var addition: [UInt8] = []
      if isObject, let name = path.steps.last?.name {
        addition = JSON.string(name).bytes + (parts.last.map { separator(in: $0) } ?? [UInt8(ascii: ":")])
      }
      addition += value
      guard let last = parts.last else {
        let start = container.lowerBound + 1
        return bytes[..<start] + addition + bytes[start...]
      }
      let end = last.value.upperBound
      return bytes[..<end] + [UInt8(ascii: ",")] + blanks(before: last, isOnly: parts.count == 1) + addition
        + bytes[end...]
    }
  }

  /// A value of the text on one line, without blanks between its parts.
  func compacted(_ range: Range<Int>) -> [UInt8] {
    var result: [UInt8] = []
    var isInString = false
    var isEscaped = false
    for byte in bytes[range] {
      if isInString || !JSONScanner.isBlank(byte) { result.append(byte) }
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\"") {
        isInString.toggle()
      } else if isInString, byte == UInt8(ascii: "\\") {
        isEscaped = true
      }
    }
    return result
  }

  /// The parts of an object or array; none of another value.
  private func parts(of value: Range<Int>) -> [JSONScanner.Part] {
    var scanner = JSONScanner(bytes, at: value.lowerBound)
    // The text has been read before, so that this cannot fail.
    return (try? scanner.parts()) ?? []
  }

  private func find(
    _ step: JSONPath.Step, among parts: [JSONScanner.Part], isObject: Bool
  ) -> JSONScanner.Part? {
    if isObject {
      guard let name = step.name else { return nil }
      return parts.last { part in part.key.map { JSONReader.read([UInt8](bytes[$0]))?.text == name } ?? false }
    }
    guard let index = step.index(among: parts.count), parts.indices.contains(index) else { return nil }
    return parts[index]
  }

  private func canAdd(_ step: JSONPath.Step, to container: Range<Int>, _ count: Int) -> Bool {
    switch bytes[container.lowerBound] {
    case UInt8(ascii: "{"): step.name != nil
    case UInt8(ascii: "["): step.index(among: count) == count
    default: false
    }
  }

  /// What is between the name and the value of a member.
  private func separator(in part: JSONScanner.Part) -> [UInt8] {
    guard let key = part.key else { return [] }
    return [UInt8](bytes[key.upperBound..<part.value.lowerBound])
  }

  /// The blanks before a member or item, which a new one after it gets too.
  private func blanks(before part: JSONScanner.Part, isOnly: Bool) -> [UInt8] {
    let start = (part.key ?? part.value).lowerBound
    let blanks = bytes[..<start].reversed().prefix(while: JSONScanner.isBlank).reversed()
    // Between the brace and the only member there need not be what is after a comma.
    if isOnly, blanks.isEmpty, separator(in: part).last == UInt8(ascii: " ") { return [UInt8(ascii: " ")] }
    return [UInt8](blanks)
  }
}

/// Why a text is not JSON, and where.
struct JSONTextError: Error, Hashable, Sendable {
  /// From 1.
  var line: Int
  /// In bytes, from 1.
  var column: Int
  /// What was expected.
  var message: String

  /// `line 3, column 5: expected a value`
  var text: String { "line \(line), column \(column): \(message)" }
}

/// Goes through a JSON text.
struct JSONScanner {
  /// A member of an object, or an item of an array, which has no key.
  struct Part: Hashable, Sendable {
    var key: Range<Int>?
    var value: Range<Int>
  }

  private let bytes: [UInt8]
  private var position: Int
  private var depth = 0

  /// So deep may arrays and objects be nested.
  private static let depthLimit = 512

  init(_ bytes: [UInt8], at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// Whether a byte outside of strings means nothing.
  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

  /// Reads a whole text.
  ///
  /// - Returns: where its value is.
  mutating func document() throws(JSONTextError) -> Range<Int> {
    guard String(validating: bytes, as: UTF8.self) != nil else { throw failure("the text is not UTF-8") }
    let range = try value()
    skipBlanks()
    guard position == bytes.count else { throw failure("expected the end of the text") }
    return range
  }

  /// Reads the members of the object, or the items of the array, that is next; of another value there are none.
  mutating func parts() throws(JSONTextError) -> [Part] {
    var parts: [Part] = []
    switch peek() {
    case UInt8(ascii: "{"): try list(UInt8(ascii: "}"), isObject: true) { parts.append($0) }
    case UInt8(ascii: "["): try list(UInt8(ascii: "]"), isObject: false) { parts.append($0) }
    default: break
    }
    return parts
  }

  private mutating func value() throws(JSONTextError) -> Range<Int> {
    skipBlanks()
    let start = position
    switch peek() {
    case UInt8(ascii: "{"): try list(UInt8(ascii: "}"), isObject: true) { _ in }
    case UInt8(ascii: "["): try list(UInt8(ascii: "]"), isObject: false) { _ in }
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try take("true")
    case UInt8(ascii: "f"): try take("false")
    case UInt8(ascii: "n"): try take("null")
    case UInt8(ascii: "-"): try number()
    case let byte? where (0x30...0x39).contains(byte): try number()
    default: throw failure("expected a value")
    }
    return start..<position
  }

  private mutating func list(
    _ end: UInt8, isObject: Bool, _ body: (Part) -> Void
  ) throws(JSONTextError) {
    depth += 1
    guard depth <= Self.depthLimit else { throw failure("arrays and objects are nested too deeply") }
    defer { depth -= 1 }
    position += 1
    skipBlanks()
    if takeByte(end) { return }
    while true {
      var key: Range<Int>?
      if isObject {
        skipBlanks()
        let start = position
        guard peek() == UInt8(ascii: "\"") else { throw failure("expected a name in double quotes") }
        try string()
        key = start..<position
        skipBlanks()
        guard takeByte(UInt8(ascii: ":")) else { throw failure("expected a colon after the name") }
      }
      body(Part(key: key, value: try value()))
      skipBlanks()
      if takeByte(end) { return }
      guard takeByte(UInt8(ascii: ",")) else {
        throw failure("expected a comma or a \(Character(Unicode.Scalar(end)))")
      }
    }
  }

  private mutating func string() throws(JSONTextError) {
    let start = position
    position += 1
    while let byte = peek() {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return
      case 0..<0x20:
        position -= 1
        throw failure("a string cannot contain a line end or another control character")
      case UInt8(ascii: "\\"): try escape()
      default: break
      }
    }
    position = start
    throw failure("the string does not end")
  }

  private mutating func escape() throws(JSONTextError) {
    guard let byte = peek() else { return }
    if byte == UInt8(ascii: "u") {
      let digits = bytes[(position + 1)...].prefix(4)
      guard digits.count == 4, digits.allSatisfy({ $0.hexDigit != nil }) else {
        throw failure("expected four hexadecimal digits")
      }
      position += 5
    } else if "\"\\/bfnrt".utf8.contains(byte) {
      position += 1
    } else {
      throw failure("unknown escape in a string")
    }
  }

  private mutating func number() throws(JSONTextError) {
    _ = takeByte(UInt8(ascii: "-"))
    if !takeByte(UInt8(ascii: "0")) { try digits() }
    if takeByte(UInt8(ascii: ".")) { try digits() }
    if takeByte(UInt8(ascii: "e")) || takeByte(UInt8(ascii: "E")) {
      if !takeByte(UInt8(ascii: "-")) { _ = takeByte(UInt8(ascii: "+")) }
      try digits()
    }
  }

  private mutating func digits() throws(JSONTextError) {
    let start = position
    while let byte = peek(), (0x30...0x39).contains(byte) { position += 1 }
    guard position > start else { throw failure("expected a digit") }
  }

  private mutating func take(_ word: String) throws(JSONTextError) {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("expected a value") }
    position += word.utf8.count
  }

  private mutating func takeByte(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = peek(), Self.isBlank(byte) { position += 1 }
  }

  private func failure(_ message: String) -> JSONTextError {
    let before = bytes[..<position]
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return JSONTextError(
      line: before.count { $0 == 0x0a } + 1, column: position - lineStart + 1, message: message)
  }
}
