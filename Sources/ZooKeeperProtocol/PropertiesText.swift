/// The entries of a text in the syntax of Java's properties: `zoo.cfg`, dynamic configurations, client settings.
///
/// `key=value`, `key: value` or `key value`; `#` and `!` begin a comment at the start of a line only; a backslash
/// quotes the next character, makes `\t \n \r \f \uXXXX`, and at the end of a line continues it in the next. Lines end
/// with LF, CR LF or CR, whatever system the file was written on.
///
/// Unlike in Java, a byte order mark in front is not part of the first key.
///
/// *Source*: the documentation of `java.util.Properties.load`.
public struct PropertiesText: Hashable, Sendable {
  /// A key and its value, both without blanks around them.
  public struct Entry: Hashable, Sendable {
    /// Without its escapes.
    public var key: String
    /// Without its escapes; empty if there is none.
    public var value: String
    /// The line of the key, counted from 1.
    public var line: Int

    public init(key: String, value: String, line: Int) {
      self.key = key
      self.value = value
      self.line = line
    }
  }

  /// An entry that counts, and an earlier one of the same key that does not.
  public struct Duplicate: Hashable, Sendable {
    /// The last entry of the key.
    public var counting: Entry
    /// The earlier entry, which has no effect.
    public var overridden: Entry
  }

  /// In the order of the text; a key may come more than once, and its last value counts.
  public let entries: [Entry]

  /// Reads a text.
  public init(parsing text: String) {
    var entries: [Entry] = []
    var logical: [Unicode.Scalar] = []
    var start = 0
    var isContinuing = false
    for (index, line) in Self.lines(of: text).enumerated() {
      let trimmed = line.drop { $0.isBlank }.prefix { !$0.isLineEnd }
      if !isContinuing {
        if trimmed.first == "#" || trimmed.first == "!" { continue }
        start = index + 1
      }
      logical += trimmed
      isContinuing = Self.isContinued(logical)
      if isContinuing {
        logical.removeLast()
        continue
      }
      if let entry = Self.entry(logical[...], line: start) { entries.append(entry) }
      logical.removeAll(keepingCapacity: true)
    }
    if let entry = Self.entry(logical[...], line: start) { entries.append(entry) }
    self.entries = entries
  }

  /// The last value of a key.
  public subscript(key: String) -> String? { entries.last { $0.key == key }?.value }

  /// The entries that count: of a key that comes more than once, the last.
  ///
  /// - Returns: those, in the order of the text, and every entry that a later one overrides.
  public func counting() -> (entries: [Entry], duplicates: [Duplicate]) {
    var last: [String: Int] = [:]
    for (index, entry) in entries.enumerated() { last[entry.key] = index }
    var counting: [Entry] = []
    var duplicates: [Duplicate] = []
    for (index, entry) in entries.enumerated() {
      guard let final = last[entry.key] else { continue }
      if final == index {
        counting.append(entry)
      } else {
        duplicates.append(Duplicate(counting: entries[final], overridden: entry))
      }
    }
    return (counting, duplicates)
  }

  /// Decodes a file: UTF-16 if a byte order mark says so, otherwise UTF-8, and what is not valid UTF-8 as Latin-1, as
  /// which Java reads all such files. A byte order mark is not part of the text.
  public static func text(of bytes: [UInt8]) -> String {
    let isBigEndian = bytes.starts(with: [0xfe, 0xff])
    if isBigEndian || bytes.starts(with: [0xff, 0xfe]) {
      let units = stride(from: 2, to: bytes.count - 1, by: 2).map { index in
        let (high, low) = isBigEndian ? (bytes[index], bytes[index + 1]) : (bytes[index + 1], bytes[index])
        return UInt16(high) << 8 | UInt16(low)
      }
      return String(decoding: units, as: UTF16.self)
    }
    let content = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
    if let text = String(validating: content, as: UTF8.self) { return text }
    var text = ""
    text.unicodeScalars.append(contentsOf: content.lazy.map(Unicode.Scalar.init))
    return text
  }

  /// The lines of a text, each with the LF, CR LF or CR that ends it. Nothing follows the last line's end.
  public static func lines(of text: String) -> [Substring.UnicodeScalarView] {
    var rest = text.unicodeScalars[...]
    if rest.first == "\u{feff}" { rest.removeFirst() }
    var lines: [Substring.UnicodeScalarView] = []
    while !rest.isEmpty {
      guard var end = rest.firstIndex(where: { $0.isLineEnd }) else {
        lines.append(rest)
        break
      }
      let isCarriageReturn = rest[end] == "\r"
      end = rest.index(after: end)
      if isCarriageReturn, end < rest.endIndex, rest[end] == "\n" { end = rest.index(after: end) }
      lines.append(rest[..<end])
      rest = rest[end...]
    }
    return lines
  }

  /// Whether a line, without its end, continues in the next one: it ends with an odd number of backslashes. An even
  /// number are quoted backslashes.
  public static func isContinued(_ line: some BidirectionalCollection<Unicode.Scalar>) -> Bool {
    !line.reversed().prefix { $0 == "\\" }.count.isMultiple(of: 2)
  }

  private static func entry(_ line: ArraySlice<Unicode.Scalar>, line number: Int) -> Entry? {
    guard !line.isEmpty else { return nil }
    var rest = line
    let key = unescaped(&rest) { $0 == "=" || $0 == ":" || $0.isBlank }
    rest = rest.drop { $0.isBlank }
    if rest.first == "=" || rest.first == ":" { rest = rest.dropFirst().drop { $0.isBlank } }
    var value = unescaped(&rest) { _ in false }
    while value.last?.isBlank == true { value.removeLast() }
    return Entry(key: String(key), value: String(value), line: number)
  }

  /// Takes characters up to one that ends the part, resolving escapes.
  private static func unescaped(
    _ rest: inout ArraySlice<Unicode.Scalar>, until isEnd: (Unicode.Scalar) -> Bool
  ) -> String.UnicodeScalarView {
    var result = String.UnicodeScalarView()
    while let scalar = rest.first, !isEnd(scalar) {
      rest.removeFirst()
      guard scalar == "\\" else {
        result.append(scalar)
        continue
      }
      guard let escaped = rest.popFirst() else { break }
      switch escaped {
      case "t": result.append("\t")
      case "n": result.append("\n")
      case "r": result.append("\r")
      case "f": result.append("\u{c}")
      case "u": result.append(codePoint(&rest) ?? escaped)
      default: result.append(escaped)
      }
    }
    return result
  }

  /// The character after `\u`: four digits, or two such escapes for a character outside of the basic plane.
  private static func codePoint(_ rest: inout ArraySlice<Unicode.Scalar>) -> Unicode.Scalar? {
    guard let first = codeUnit(rest) else { return nil }
    if let scalar = Unicode.Scalar(UInt32(first)) {
      rest = rest.dropFirst(4)
      return scalar
    }
    let next = rest.dropFirst(4)
    guard next.starts(with: ["\\", "u"]), let second = codeUnit(next.dropFirst(2)),
      UTF16.isLeadSurrogate(first), UTF16.isTrailSurrogate(second)
    else { return nil }
    rest = next.dropFirst(6)
    return UTF16.decode(UTF16.EncodedScalar([first, second]))
  }

  private static func codeUnit(_ rest: ArraySlice<Unicode.Scalar>) -> UInt16? {
    var digits = String.UnicodeScalarView()
    digits.append(contentsOf: rest.prefix(4))
    guard digits.count == 4, digits.first != "+" else { return nil }
    return UInt16(String(digits), radix: 16)
  }
}

extension Unicode.Scalar {
  fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\u{c}" }
  fileprivate var isLineEnd: Bool { self == "\n" || self == "\r" }
}
