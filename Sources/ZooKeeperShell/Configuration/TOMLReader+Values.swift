import JSONFormat

/// Values: strings, numbers, dates, arrays and inline tables.
extension TOMLReader {
  /// Reads a value.
  mutating func value() throws(TOMLError) -> TOMLValue {
    let start = line
    let content: TOMLValue.Content =
      switch peek() {
      case UInt8(ascii: "\"")?: .string(isTripled(UInt8(ascii: "\"")) ? try longString() : try basicString())
      case UInt8(ascii: "'")?: .string(isTripled(UInt8(ascii: "'")) ? try longLiteral() : try literalString())
      case UInt8(ascii: "[")?: .array(try array())
      case UInt8(ascii: "{")?: .table(try inlineTable())
      default: try scalar()
      }
    return TOMLValue(line: start, content: content)
  }

  // MARK: Strings

  private func isTripled(_ quote: UInt8) -> Bool { peek(1) == quote && peek(2) == quote }

  /// Reads `"..."`.
  mutating func basicString() throws(TOMLError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = peek(), byte != 0x0a, byte != 0x0d {
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case _ where byte.isControl: throw error("a string contains a control character")
      default: text.append(byte)
      }
    }
    throw error("the string does not end in this line")
  }

  /// Reads `'...'`.
  mutating func literalString() throws(TOMLError) -> String {
    position += 1
    let start = position
    while let byte = peek(), !byte.isControl {
      position += 1
      if byte == UInt8(ascii: "'") { return String(decoding: bytes[start..<(position - 1)], as: UTF8.self) }
    }
    throw error("the string does not end in this line")
  }

  /// Reads `"""..."""`.
  private mutating func longString() throws(TOMLError) -> String {
    position += 3
    _ = skipLineEnd()
    var text: [UInt8] = []
    while let byte = peek() {
      if byte == UInt8(ascii: "\""), let quotes = closingQuotes(byte) {
        return String(decoding: text + [UInt8](repeating: byte, count: quotes), as: UTF8.self)
      }
      let start = position
      if skipLineEnd() {
        text += bytes[start..<position]
        continue
      }
      position += 1
      switch byte {
      case UInt8(ascii: "\\"): if try !skipFoldedLines() { try escape(into: &text) }
      case _ where byte.isControl: throw error("a string contains a control character")
      default: text.append(byte)
      }
    }
    throw error("the string does not end")
  }

  /// Reads `'''...'''`.
  private mutating func longLiteral() throws(TOMLError) -> String {
    position += 3
    _ = skipLineEnd()
    var text: [UInt8] = []
    while let byte = peek() {
      if byte == UInt8(ascii: "'"), let quotes = closingQuotes(byte) {
        return String(decoding: text + [UInt8](repeating: byte, count: quotes), as: UTF8.self)
      }
      let start = position
      if !skipLineEnd() {
        guard !byte.isControl else { throw error("a string contains a control character") }
        position += 1
      }
      text += bytes[start..<position]
    }
    throw error("the string does not end")
  }

  /// Consumes the three quotes that end a long string, and up to two quotes before them that belong to it.
  ///
  /// - Returns: the number of quotes that belong to the string; nil if it does not end here.
  private mutating func closingQuotes(_ quote: UInt8) -> Int? {
    var count = 0
    while count < 5, peek(count) == quote { count += 1 }
    guard count >= 3 else { return nil }
    position += count
    return count - 3
  }

  /// After a backslash, skips a line end and all blanks that follow it.
  private mutating func skipFoldedLines() throws(TOMLError) -> Bool {
    let (start, startLine) = (position, line)
    skipBlanks()
    guard skipLineEnd() else {
      (position, line) = (start, startLine)
      return false
    }
    repeat { skipBlanks() } while skipLineEnd()
    return true
  }

  private mutating func escape(into text: inout [UInt8]) throws(TOMLError) {
    guard let byte = peek() else { throw error("the string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
    case UInt8(ascii: "u"): text += try scalarEscape(digitCount: 4).utf8
    case UInt8(ascii: "U"): text += try scalarEscape(digitCount: 8).utf8
    default:
      throw error("\\\(Character(Unicode.Scalar(byte))) is not an escape; use single quotes for text with backslashes")
    }
  }

  private mutating func scalarEscape(digitCount: Int) throws(TOMLError) -> String {
    let digits = bytes[position...].prefix(digitCount)
    guard digits.count == digitCount, digits.allSatisfy({ $0.hexDigit != nil }),
      let scalar = Unicode.Scalar(digits.reduce(UInt32(0)) { $0 << 4 | UInt32($1.hexDigit ?? 0) })
    else { throw error("an escape with u needs the \(digitCount) hexadecimal digits of a character") }
    position += digitCount
    return String(scalar)
  }

  // MARK: Arrays and inline tables

  private mutating func array() throws(TOMLError) -> [TOMLValue] {
    try enter()
    position += 1
    var items: [TOMLValue] = []
    while true {
      try skipFiller()
      if skip("]") { break }
      items.append(try value())
      try skipFiller()
      if skip("]") { break }
      guard skip(",") else { throw error("expected , or ] in an array, not \(shownNext)") }
    }
    depth -= 1
    return items
  }

  private mutating func inlineTable() throws(TOMLError) -> TOMLTable {
    try enter()
    position += 1
    let table = TOMLTable(line: line, .header)
    skipBlanks()
    if !skip("}") {
      while true {
        skipBlanks()
        try keyAndValue(into: table)
        skipBlanks()
        if skip("}") { break }
        guard skip(",") else { throw error("expected , or } in a table in braces, not \(shownNext)") }
      }
    }
    Self.seal(table)
    depth -= 1
    return table
  }

  /// Marks an inline table, and the tables that its dotted keys created, as complete.
  private static func seal(_ table: TOMLTable) {
    table.origin = .inline
    for entry in table.entries {
      if case .table(let inner) = entry.value.content, inner.origin == .dotted { seal(inner) }
    }
  }

  private mutating func enter() throws(TOMLError) {
    depth += 1
    if depth > Self.depthLimit { throw error("arrays and tables are nested more than \(Self.depthLimit) times") }
  }

  // MARK: Numbers, booleans, dates

  private mutating func scalar() throws(TOMLError) -> TOMLValue.Content {
    let start = position
    while let byte = peek(), byte.isOfScalar { position += 1 }
    // A date and a time can be separated by a blank.
    if position - start == 10, peek() == 0x20, bytes[start + 4] == UInt8(ascii: "-"), peek(1)?.digit != nil {
      position += 1
      while let byte = peek(), byte.isOfScalar { position += 1 }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    switch text {
    case "": throw error("expected a value, not \(shownNext)")
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    default: break
    }
    if let integer = try integer(text) { return .integer(integer) }
    if let float = Self.float(text) { return .float(float) }
    if TOMLDate.isValid(text) { return .date(text) }
    throw error("\(Tokenizer.quote(text)) is not a value", hint: text)
  }

  private func error(_ reason: String, hint text: String) -> TOMLError {
    let isText = text.utf8.first.map { $0.digit == nil } ?? false
    return error(isText ? "\(reason); put text in quotes" : reason)
  }

  private func integer(_ text: String) throws(TOMLError) -> Int64? {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
      guard let digits = Self.digits(text.dropFirst(2), radix: radix) else { return nil }
      guard let number = Int64(digits, radix: radix) else { throw error("\(text) does not fit in 64 bits") }
      return number
    }
    let sign = text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0
    guard let digits = Self.digits(text.dropFirst(sign), radix: 10), digits.count == 1 || digits.first != "0" else {
      return nil
    }
    guard let number = Int64((text.hasPrefix("-") ? "-" : "") + digits) else {
      throw error("\(text) does not fit in 64 bits")
    }
    return number
  }

  /// The digits without the underscores between them; nil if there is any other character.
  private static func digits(_ text: some StringProtocol, radix: Int) -> String? {
    var digits = ""
    var mayEnd = false
    for character in text.utf8 {
      if character == UInt8(ascii: "_"), mayEnd {
        mayEnd = false
      } else if let digit = character.hexDigit, Int(digit) < radix {
        digits.append(Character(Unicode.Scalar(character)))
        mayEnd = true
      } else {
        return nil
      }
    }
    return mayEnd ? digits : nil
  }

  private static func float(_ text: String) -> Double? {
    let isNegative = text.hasPrefix("-")
    let unsigned = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
    if unsigned == "inf" { return isNegative ? -.infinity : .infinity }
    if unsigned == "nan" { return .nan }
    let parts = unsigned.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    let mantissa = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 || mantissa.count == 2, let whole = digits(mantissa[0], radix: 10),
      whole.count == 1 || whole.first != "0"
    else { return nil }
    var number = (isNegative ? "-" : "") + whole
    if mantissa.count == 2 {
      guard let fraction = digits(mantissa[1], radix: 10) else { return nil }
      number += "." + fraction
    }
    if parts.count == 2 {
      let sign = parts[1].hasPrefix("-") ? "-" : ""
      let hasSign = parts[1].hasPrefix("-") || parts[1].hasPrefix("+")
      guard let exponent = digits(parts[1].dropFirst(hasSign ? 1 : 0), radix: 10) else { return nil }
      number += "e" + sign + exponent
    }
    return Double(number)
  }
}

/// Dates and times. No setting needs them, so only their form is checked.
enum TOMLDate {
  /// Whether a text is a date, a time, or both, with or without an offset from UTC.
  ///
  /// *Source*: RFC 3339.
  static func isValid(_ text: String) -> Bool {
    let bytes = [UInt8](text.utf8)
    if bytes.count > 2, bytes[2] == UInt8(ascii: ":") { return timeLength(bytes[...]) == bytes.count }
    guard let date = numbers(bytes.prefix(10), [4, 2, 2], UInt8(ascii: "-")), bytes.count >= 10,
      (1...12).contains(date[1]), (1...days(of: date[1], in: date[0])).contains(date[2])
    else { return false }
    if bytes.count == 10 { return true }
    guard [UInt8(ascii: "T"), UInt8(ascii: "t"), 0x20].contains(bytes[10]), let length = timeLength(bytes[11...])
    else { return false }
    let offset = bytes[(11 + length)...]
    switch offset.first {
    case nil: return true
    case UInt8(ascii: "Z")?, UInt8(ascii: "z")?: return offset.count == 1
    case UInt8(ascii: "+")?, UInt8(ascii: "-")?:
      guard offset.count == 6, let parts = numbers(offset.dropFirst(), [2, 2], UInt8(ascii: ":")) else { return false }
      return parts[0] < 24 && parts[1] < 60
    default: return false
    }
  }

  /// The length in bytes of the time at the start of the text; nil if there is none.
  private static func timeLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let time = numbers(bytes.prefix(8), [2, 2, 2], UInt8(ascii: ":")), bytes.count >= 8, time[0] < 24,
      time[1] < 60, time[2] < 61
    else { return nil }
    let rest = bytes.dropFirst(8)
    guard rest.first == UInt8(ascii: ".") else { return 8 }
    let count = rest.dropFirst().prefix { $0.digit != nil }.count
    return count == 0 ? nil : 9 + count
  }

  /// Numbers with the given widths, separated by a separator; nil for any other text.
  private static func numbers(_ bytes: ArraySlice<UInt8>, _ widths: [Int], _ separator: UInt8) -> [Int]? {
    let parts = bytes.split(separator: separator, omittingEmptySubsequences: false)
    guard parts.map(\.count) == widths, parts.allSatisfy({ $0.allSatisfy { $0.digit != nil } }) else { return nil }
    return parts.map { $0.reduce(0) { $0 * 10 + Int($1.digit ?? 0) } }
  }

  private static func days(of month: Int, in year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }
}

extension UInt8 {
  /// The value of a decimal digit; nil for any other byte.
  fileprivate var digit: UInt8? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) ? self - UInt8(ascii: "0") : nil
  }

  /// Whether it can be part of a number, a date, or of `true` and `false`.
  fileprivate var isOfScalar: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "+-_.:".utf8.contains(self)
    }
  }
}
