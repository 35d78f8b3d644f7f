/// The entries of a text in the syntax of Java's properties: `zoo.cfg`, dynamic configurations, client settings.
///
/// `key=value`, `key: value` or `key value`; `#` and `!` begin a comment at the start of a line only; a backslash
/// quotes the next character, makes `\t \n \r \f \uXXXX`, and at the end of a line continues it in the next.
///
/// *Source*: the documentation of `java.util.Properties.load`.
public struct PropertiesText: Hashable, Sendable {
  /// A key and its value, both without blanks around them.
  public struct Entry: Hashable, Sendable {
    public var key: String
    public var value: String
    /// The line that the key stands on, from 1.
    public var line: Int
  }

  /// In the order of the text; a key may come more than once, and its last value counts.
  public let entries: [Entry]

  /// Reads a text.
  public init(parsing text: String) {
    var entries: [Entry] = []
    var logical = ""
    var start = 0
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let physical = line.hasSuffix("\r") ? line.dropLast() : line
      let trimmed = physical.drop { $0.isBlank }
      if logical.isEmpty {
        if trimmed.first == "#" || trimmed.first == "!" { continue }
        start = index + 1
      }
      logical += trimmed
      if Self.isContinued(logical) {
        logical.removeLast()
        continue
      }
      if let entry = Self.entry(logical, line: start) { entries.append(entry) }
      logical = ""
    }
    if let entry = Self.entry(logical, line: start) { entries.append(entry) }
    self.entries = entries
  }

  /// The last value of a key.
  public subscript(key: String) -> String? { entries.last { $0.key == key }?.value }

  /// An odd number of backslashes at the end: an even number are quoted backslashes.
  private static func isContinued(_ line: String) -> Bool {
    line.reversed().prefix { $0 == "\\" }.count % 2 == 1
  }

  private static func entry(_ line: String, line number: Int) -> Entry? {
    guard !line.isEmpty else { return nil }
    var rest = line[...]
    let key = unescaped(&rest) { $0 == "=" || $0 == ":" || $0.isBlank }
    rest = rest.drop { $0.isBlank }
    if rest.first == "=" || rest.first == ":" { rest = rest.dropFirst().drop { $0.isBlank } }
    var value = unescaped(&rest) { _ in false }
    while value.last?.isBlank == true { value.removeLast() }
    return Entry(key: key, value: value, line: number)
  }

  /// Takes characters up to one that ends the part, resolving escapes.
  private static func unescaped(_ rest: inout Substring, until isEnd: (Character) -> Bool) -> String {
    var result = ""
    while let character = rest.first, !isEnd(character) {
      rest.removeFirst()
      guard character == "\\" else {
        result.append(character)
        continue
      }
      guard let escaped = rest.popFirst() else { break }
      switch escaped {
      case "t": result.append("\t")
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "f": result.append("\u{c}")
      case "u":
        let digits = rest.prefix(4)
        guard digits.count == 4, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
          result.append(escaped)
          continue
        }
        rest.removeFirst(4)
        result.unicodeScalars.append(scalar)
      default: result.append(escaped)
      }
    }
    return result
  }
}

extension Character {
  fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\u{c}" }
}
