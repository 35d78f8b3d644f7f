/// A Swift source whose comments and strings are told apart from its code, column by column.
///
/// The scanner is small and knows only what the rules need: comments (nested too), strings (raw, multi-line, with
/// interpolations) and brackets. It does not know regular-expression literals between slashes, which the tree does not
/// use.
struct SwiftText {
  /// The lines as written.
  let lines: [String]
  /// The same text with every character of a comment or string replaced by a space; line feeds stay.
  let code: [Character]

  /// Scans `text`.
  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var scanner = Blanker(text: Array(text))
    scanner.blankAll()
    code = scanner.output
  }

  /// The lines of `code`.
  var codeLines: [String] {
    code.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
  }
}

/// Replaces comments and strings by spaces.
private struct Blanker {
  let text: [Character]
  var output: [Character]
  var index = 0

  init(text: [Character]) {
    self.text = text
    output = text
  }

  mutating func blankAll() {
    while index < text.count { step() }
  }

  /// Passes one character of code, or one whole comment or string.
  private mutating func step() {
    if starts(with: "//") {
      while index < text.count, text[index] != "\n" { blank(1) }
    } else if starts(with: "/*") {
      blankBlockComment()
    } else if text[index] == "\"" || text[index] == "#" {
      blankStringIfAny()
    } else {
      index += 1
    }
  }

  private mutating func blankBlockComment() {
    var depth = 0
    repeat {
      if starts(with: "/*") {
        depth += 1
        blank(2)
      } else if starts(with: "*/") {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && index < text.count
  }

  /// A string starts with any number of `#` and one or three quotes; a `#` without quotes is code.
  private mutating func blankStringIfAny() {
    var poundCount = 0
    while index + poundCount < text.count, text[index + poundCount] == "#" { poundCount += 1 }
    guard index + poundCount < text.count, text[index + poundCount] == "\"" else { return index += max(1, poundCount) }
    blank(poundCount)
    let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    blank(quotes.count)
    let pounds = String(repeating: "#", count: poundCount)
    while index < text.count {
      if starts(with: quotes + pounds) { return blank(quotes.count + poundCount) }
      if starts(with: "\\" + pounds + "(") {
        blankInterpolation(introducerLength: poundCount + 2)
      } else if starts(with: "\\" + pounds) {
        blank(min(poundCount + 2, text.count - index))
      } else {
        blank(1)
      }
    }
  }

  /// Code inside a string, which may hold strings again, up to the parenthesis that closes it.
  private mutating func blankInterpolation(introducerLength: Int) {
    blank(introducerLength)
    var depth = 1
    while index < text.count, depth > 0 {
      let start = index
      if text[index] == "(" { depth += 1 }
      if text[index] == ")" { depth -= 1 }
      step()
      for position in start..<index where text[position] != "\n" { output[position] = " " }
    }
  }

  private mutating func blank(_ count: Int) {
    for position in index..<index + count where text[position] != "\n" { output[position] = " " }
    index += count
  }

  private func starts(with prefix: String) -> Bool {
    index + prefix.count <= text.count && zip(text[index...], prefix).allSatisfy { $0 == $1 }
  }
}
