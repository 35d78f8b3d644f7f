/// A file of Java properties, as `-client-configuration` names one.
///
/// *Source*: `java.util.Properties.load`: `key=value`, `key: value` or `key value`, `#` and `!` comments, a backslash
/// at the end continues the line. Unicode escapes are left as they are: no key of ours has one.
struct JavaProperties {
  let file: String
  let entries: [(key: String, value: String)]

  /// Reads a file.
  ///
  /// - Throws: `ClientConfiguration` with exit code 12 when it cannot be read.
  init(file: String) throws(ShellError) {
    self.file = file
    do throws(ShellError) {
      entries = Self.parse(String(decoding: try Files.read(file), as: UTF8.self))
    } catch {
      var error = error
      error.word = "ClientConfiguration"
      error.apacheExitCode = .usage
      throw error
    }
  }

  /// The entries of a text, in order.
  static func parse(_ text: String) -> [(key: String, value: String)] {
    var entries: [(key: String, value: String)] = []
    var pending = ""
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let trimmed = line.drop { $0 == " " || $0 == "\t" }
      if pending.isEmpty, trimmed.first == "#" || trimmed.first == "!" { continue }
      pending += trimmed
      if pending.hasSuffix("\\") {
        pending.removeLast()
        continue
      }
      if let entry = entry(pending) { entries.append(entry) }
      pending = ""
    }
    if let entry = entry(pending) { entries.append(entry) }
    return entries
  }

  private static func entry(_ line: String) -> (key: String, value: String)? {
    let key = line.prefix { !"=: \t".contains($0) }
    guard !key.isEmpty else { return nil }
    var value = line.dropFirst(key.count).drop { $0 == " " || $0 == "\t" }
    if value.first == "=" || value.first == ":" { value = value.dropFirst().drop { $0 == " " || $0 == "\t" } }
    while value.last == " " || value.last == "\t" { value.removeLast() }
    return (String(key), String(value))
  }
}
