/// Reads the sections of a login configuration.
struct LoginConfigurationParser {
  private enum Token: Equatable {
    case text(String)
    case symbol(Character)
    case end
  }

  private let text: [UInt8]
  private var offset = 0
  private var line = 1
  /// The token after those that were taken, and its line.
  private var next = Token.end
  private var nextLine = 1

  init(text: [UInt8]) { self.text = text }

  /// All sections of the file.
  mutating func sections() throws(LoginConfigurationError) -> [LoginConfiguration.Section] {
    try advance()
    var sections: [LoginConfiguration.Section] = []
    var names: Set<String> = []
    while next != .end {
      let section = try section()
      guard names.insert(section.name).inserted else {
        throw LoginConfigurationError(line: section.line, reason: "there is an earlier section \(section.name)")
      }
      sections.append(section)
    }
    return sections
  }

  private mutating func section() throws(LoginConfigurationError) -> LoginConfiguration.Section {
    let start = nextLine
    let name = try takeText("the name of a section")
    try take("{")
    var modules: [LoginConfiguration.Module] = []
    while next != .symbol("}") { modules.append(try module()) }
    try take("}")
    try take(";")
    return LoginConfiguration.Section(name: name, modules: modules, line: start)
  }

  private mutating func module() throws(LoginConfigurationError) -> LoginConfiguration.Module {
    let start = nextLine
    let className = try takeText("the class of a login module, or '}'")
    let flagLine = nextLine
    let flag = try takeText("required, requisite, sufficient or optional").lowercased()
    guard ["required", "requisite", "sufficient", "optional"].contains(flag) else {
      throw LoginConfigurationError(
        line: flagLine, reason: "'\(flag)' is not one of required, requisite, sufficient and optional")
    }
    var options: [LoginConfiguration.Option] = []
    while next != .symbol(";") {
      let optionLine = nextLine
      let key = try takeText("an option, or ';'")
      try take("=")
      let value = try takeText("the value of \(key)")
      options.append(LoginConfiguration.Option(key: key, value: value, line: optionLine))
    }
    try take(";")
    return LoginConfiguration.Module(className: className, flag: flag, options: options, line: start)
  }

  private mutating func takeText(_ what: String) throws(LoginConfigurationError) -> String {
    guard case .text(let text) = next else { throw missing(what) }
    try advance()
    return text
  }

  private mutating func take(_ symbol: Character) throws(LoginConfigurationError) {
    guard next == .symbol(symbol) else { throw missing("'\(symbol)'") }
    try advance()
  }

  /// The error for a missing token. The token in its place is not shown, because it may be a password.
  private func missing(_ what: String) -> LoginConfigurationError {
    let place = next == .end ? "the file ends" : "the line goes on otherwise"
    return LoginConfigurationError(line: nextLine, reason: "\(what) is missing; \(place)")
  }

  // MARK: Tokens

  private mutating func advance() throws(LoginConfigurationError) {
    try skipSpaceAndComments()
    nextLine = line
    guard offset < text.count else { return next = .end }
    let byte = text[offset]
    if byte == UInt8(ascii: "\"") { return next = .text(try expanded(try quoted())) }
    if Self.isTextByte(byte) {
      let start = offset
      while offset < text.count, Self.isTextByte(text[offset]) { offset += 1 }
      return next = .text(try decoded(text[start..<offset]))
    }
    guard "{};=".utf8.contains(byte) else {
      throw LoginConfigurationError(line: line, reason: "a character that must be inside of double quotes")
    }
    offset += 1
    next = .symbol(Character(Unicode.Scalar(byte)))
  }

  private mutating func skipSpaceAndComments() throws(LoginConfigurationError) {
    while offset < text.count {
      let byte = text[offset]
      if byte == UInt8(ascii: "\n") { line += 1 }
      if byte <= 0x20 {
        offset += 1
      } else if starts(with: "//") {
        while offset < text.count, text[offset] != UInt8(ascii: "\n") { offset += 1 }
      } else if starts(with: "/*") {
        try skipComment()
      } else {
        return
      }
    }
  }

  private mutating func skipComment() throws(LoginConfigurationError) {
    let start = line
    offset += 2
    while offset < text.count, !starts(with: "*/") {
      if text[offset] == UInt8(ascii: "\n") { line += 1 }
      offset += 1
    }
    guard offset < text.count else { throw LoginConfigurationError(line: start, reason: "the comment has no end") }
    offset += 2
  }

  private func starts(with prefix: String) -> Bool { text[offset...].starts(with: prefix.utf8) }

  /// A text in double quotes, with Java's escapes.
  private mutating func quoted() throws(LoginConfigurationError) -> String {
    var bytes: [UInt8] = []
    offset += 1
    while offset < text.count, text[offset] != UInt8(ascii: "\""), text[offset] != UInt8(ascii: "\n") {
      if text[offset] == UInt8(ascii: "\\") {
        offset += 1
        if offset < text.count { bytes.append(escaped()) }
      } else {
        bytes.append(text[offset])
        offset += 1
      }
    }
    guard offset < text.count, text[offset] == UInt8(ascii: "\"") else {
      throw LoginConfigurationError(line: line, reason: "the double quotes are not closed on their line")
    }
    offset += 1
    return try decoded(bytes[...])
  }

  /// The character that the escape at `offset` means, as in `java.io.StreamTokenizer`.
  private mutating func escaped() -> UInt8 {
    let byte = text[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "a"): return 0x07
    case UInt8(ascii: "b"): return 0x08
    case UInt8(ascii: "f"): return 0x0c
    case UInt8(ascii: "n"): return 0x0a
    case UInt8(ascii: "r"): return 0x0d
    case UInt8(ascii: "t"): return 0x09
    case UInt8(ascii: "v"): return 0x0b
    case 0x30...0x37:
      var value = Int(byte - 0x30)
      // Three digits only if the first is at most 3, so that the number fits a byte.
      let most = byte <= 0x33 ? 2 : 1
      for _ in 0..<most where offset < text.count && (0x30...0x37).contains(text[offset]) {
        value = value * 8 + Int(text[offset] - 0x30)
        offset += 1
      }
      return UInt8(truncatingIfNeeded: value)
    default: return byte
    }
  }

  private func decoded(_ bytes: ArraySlice<UInt8>) throws(LoginConfigurationError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LoginConfigurationError(line: line, reason: "the text is not valid UTF-8")
    }
    return text
  }

  /// Refuses a text in which Java would replace a system property, which do not exist here.
  private func expanded(_ text: String) throws(LoginConfigurationError) -> String {
    let bytes = Array(text.utf8)
    for index in bytes.indices.dropLast() where bytes[index] == UInt8(ascii: "$") {
      guard bytes[index + 1] != UInt8(ascii: "{") else {
        throw LoginConfigurationError(
          line: line,
          reason: "'${' refers to a system property of Java, which do not exist here; write the value itself")
      }
    }
    return text
  }

  private static func isTextByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x80...: true
    default: "$_-*.".utf8.contains(byte)
    }
  }
}
