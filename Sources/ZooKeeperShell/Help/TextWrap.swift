/// Breaks plain text into lines.
enum TextWrap {
  /// A paragraph as indented lines of at most `width` columns.
  ///
  /// Text without blanks that is longer than a line gets a separate line.
  static func wrap(_ text: String, width: Int, indent: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent + line.count + 1 + word.count > width {
        lines.append(margin + line)
        line = ""
      }
      line += line.isEmpty ? String(word) : " " + word
    }
    return line.isEmpty ? lines : lines + [margin + line]
  }

  /// A list of terms with their meanings beside them, or below terms that are too long for the column.
  static func definitions(_ items: [(term: String, meaning: String)], width: Int, indent: Int = 2) -> [String] {
    let longest = items.map(\.term.count).max() ?? 0
    let column = indent + min(longest, 26) + 2
    return items.flatMap { item in
      let term = String(repeating: " ", count: indent) + item.term
      let meaning = wrap(item.meaning, width: width, indent: column)
      guard term.count + 2 <= column, let first = meaning.first else { return [term] + meaning }
      return [term + first.dropFirst(term.count)] + meaning.dropFirst()
    }
  }
}
