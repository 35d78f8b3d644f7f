/// Parses the values of options and arguments, and reports what was expected if they are not valid.
///
/// Each function takes the value and the name that error messages use, such as `--timeout` or `path`.
package enum ValueParser {
  /// A text; names and paths must be UTF-8.
  package static func text(_ word: Word, of name: String) throws(ShellError) -> String {
    guard let text = word.exactText else {
      throw .usage("\(name) \(Tokenizer.quote(word)) is not valid UTF-8")
    }
    return text
  }

  /// A time span with a unit: `500ms`, `10s`, `2m`, `1h`.
  package static func duration(_ word: Word, of name: String) throws(ShellError) -> Duration {
    let text = word.text
    if !text.isEmpty, text.utf8.allSatisfy({ $0.isDigit }) {
      throw .usage("\(name) \(text) has no unit", hint: "give a unit, e.g. \(text)s or \(text)ms")
    }
    guard let milliseconds = milliseconds(text) else {
      throw malformed(word, name, "duration", hint: "write it as 500ms, 10s, 2m or 1h")
    }
    return .milliseconds(milliseconds)
  }

  /// A time span, either in milliseconds without a unit as in zkCli.sh (`-timeout 5000`, `-t 5000`), or with a unit.
  ///
  /// - Returns: milliseconds.
  package static func milliseconds(_ word: Word, of name: String) throws(ShellError) -> Int64 {
    let text = word.text
    if let number = decimal(text) { return number }
    guard let milliseconds = milliseconds(text) else {
      throw malformed(word, name, "time in milliseconds", hint: "write it as 5000, 5s or 2m")
    }
    return milliseconds
  }

  /// A size in bytes: `65536`, `64K`, `16M`, `1G`; the letters mean powers of 1024.
  package static func sizeBytes(_ word: Word, of name: String) throws(ShellError) -> Int {
    let text = word.text
    let units: [(suffix: String, factor: Int64)] = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30), ("", 1)]
    for unit in units where text.uppercased().hasSuffix(unit.suffix) {
      guard let number = decimal(text.dropLast(unit.suffix.count)) else { break }
      let (bytes, overflows) = number.multipliedReportingOverflow(by: unit.factor)
      if overflows || bytes > Int64(Int32.max) { break }
      return Int(bytes)
    }
    throw malformed(word, name, "size below 2G", hint: "write it as 65536, 64K or 16M")
  }

  /// The expected version of a conditional write: at least 0, or -1 for any.
  package static func version(_ word: Word, of name: String) throws(ShellError) -> Int32 {
    guard let number = Int32(word.text), number >= -1 else {
      throw malformed(word, name, "version", hint: "a version is a number from 0, or -1 for any; stat shows it")
    }
    return number
  }

  /// A version of the ensemble's configuration: hexadecimal, with or without `0x`, as `config` prints it.
  package static func hexVersion(_ word: Word, of name: String) throws(ShellError) -> Int64 {
    let text = word.text.lowercased()
    if text == "-1" { return -1 }
    guard let number = UInt64(text.hasPrefix("0x") ? text.dropFirst(2) : text[...], radix: 16) else {
      throw malformed(word, name, "configuration version", hint: "config shows it, in hexadecimal")
    }
    return Int64(bitPattern: number)
  }

  /// A whole number in a range.
  package static func integer(
    _ word: Word, of name: String, in range: ClosedRange<Int64>
  ) throws(ShellError) -> Int64 {
    guard let number = Int64(word.text), range.contains(number) else {
      let upper = range.upperBound == .max ? "" : " to \(range.upperBound)"
      throw malformed(word, name, "number", hint: "it must be a whole number from \(range.lowerBound)\(upper)")
    }
    return number
  }

  /// One of a list, ignoring case; returns the list's spelling.
  package static func choice(_ word: Word, of name: String, among choices: [String]) throws(ShellError) -> String {
    let text = word.text.lowercased()
    guard let choice = choices.first(where: { $0.lowercased() == text }) else {
      let nearest = Suggestions.nearest(to: word.text, among: choices).map { "; did you mean \($0)?" } ?? ""
      throw .usage(
        "\(name) cannot be \(Tokenizer.quote(word))\(nearest)", hint: "choose from \(choices.joined(separator: ", "))")
    }
    return choice
  }

  private static func milliseconds(_ text: String) -> Int64? {
    // `ms` comes first, because it ends with `s` as well.
    let units: [(suffix: String, factor: Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let number = decimal(text.dropLast(unit.suffix.count))
    else { return nil }
    let (milliseconds, overflows) = number.multipliedReportingOverflow(by: unit.factor)
    return overflows ? nil : milliseconds
  }

  /// Digits only: no sign, no blanks.
  private static func decimal(_ text: some StringProtocol) -> Int64? {
    text.utf8.allSatisfy { $0.isDigit } ? Int64(text) : nil
  }

  private static func malformed(_ word: Word, _ name: String, _ expected: String, hint: String) -> ShellError {
    .usage("\(name) \(Tokenizer.quote(word)) is not a \(expected)", hint: hint)
  }
}

extension UInt8 {
  /// Whether it is one of `0` to `9`.
  var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
