/// An article of a DocC catalogue, or the README, as far as rules look at it.
struct Article {
  /// The path from the root of the repository.
  let path: String
  let lines: [String]
  /// The lines outside of code blocks, at their places; an empty line stands for each line of a block.
  let prose: [String]

  /// Splits `text` into lines and blanks its code blocks.
  init(path: String, _ text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var isInBlock = false
    prose = lines.map { line in
      let isFence = line.drop { $0 == " " }.hasPrefix("```")
      defer { if isFence { isInBlock.toggle() } }
      return isFence || isInBlock ? "" : line
    }
  }

  /// The name by which comments cite it: that of the file, without the extension.
  var name: String { String((path.split(separator: "/").last ?? "").dropLast(".md".count)) }

  /// The target whose catalogue holds the article; nil outside of catalogues.
  var target: String? {
    let parts = path.split(separator: "/")
    return parts.count >= 4 && parts[0] == "Sources" && parts[2].hasSuffix(".docc") ? String(parts[1]) : nil
  }

  /// The numbers of its numbered headings: `4.3` for `### 4.3 create`, `B` for `## B. Leader and learners`.
  ///
  /// The dot after a number without one distinguishes it from the first word of a title.
  var sections: Set<String> {
    Set(
      prose.compactMap { line in
        // The title of the article has one mark.
        guard line.hasPrefix("##") else { return nil }
        let title = line.drop { $0 == "#" || $0 == " " }
        guard let number = Citation.section(atStartOf: title) else { return nil }
        let rest = title.dropFirst(number.count)
        return rest.hasPrefix(number.contains(".") ? " " : ". ") ? number : nil
      })
  }

  /// The lines under the heading `title`, up to the next heading of any level.
  func body(under title: String) -> [String]? {
    guard let start = prose.firstIndex(of: "## \(title)") else { return nil }
    return Array(prose[(start + 1)...].prefix { !$0.hasPrefix("#") })
  }
}

/// A reference to a section of an article: the article's name in backticks, and the numbers of sections.
///
/// The numbers are separated by commas, `and` or `to`; after `to`, only the ends of the range are looked up.
struct Citation: Equatable {
  let article: String
  let sections: [String]
  /// Counted from 1.
  let line: Int

  /// The citations in `lines`, which may go on in the next line of a comment.
  ///
  /// A name in backticks is a citation if it is among `articles`, or if what follows it can only be a section. The
  /// second finds names that are no articles.
  static func all(in lines: [String], articles: Set<String>) -> [Citation] {
    lines.indices.flatMap { index -> [Citation] in
      guard lines[index].utf8.contains(UInt8(ascii: "`")) else { return [] }
      let next = index + 1 < lines.count ? " " + withoutCommentMark(lines[index + 1]) : ""
      let pieces = (lines[index] + "\u{0}" + next).split(separator: "`", omittingEmptySubsequences: false)
      var found: [Citation] = []
      // Names are the odd pieces, as long as they begin in this line.
      for position in stride(from: 1, to: pieces.count - 1, by: 2) {
        let isInThisLine = !pieces[..<position].joined().contains("\u{0}")
        guard isInThisLine, !pieces[position].contains("\u{0}") else { break }
        let following = pieces[position + 1].filter { $0 != "\u{0}" }
        let sections = sections(atStartOf: following[...])
        let isArticle = articles.contains(String(pieces[position]))
        let isSurelyMeant = sections.contains { $0.contains(".") }
        guard isArticle || isSurelyMeant else { continue }
        found.append(Citation(article: String(pieces[position]), sections: sections, line: index + 1))
      }
      return found
    }
  }

  /// The number of a section at the start of a text: `4.3`, `12`, `B`, `B.9`; nil if there is none.
  static func section(atStartOf text: Substring) -> String? {
    guard let first = text.first, first.isASCII, first.isNumber || first.isUppercase else { return nil }
    let head = first.isNumber ? text.prefix { $0.isASCII && $0.isNumber } : text.prefix(1)
    var number = String(head)
    var rest = text.dropFirst(head.count)
    if rest.first == "." {
      let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
      if !digits.isEmpty {
        number += "." + digits
        rest = rest.dropFirst(digits.count + 1)
      }
    }
    guard let next = rest.first else { return number }
    return next.isLetter || next.isNumber || next == "_" || next == "-" ? nil : number
  }

  private static func sections(atStartOf text: Substring) -> [String] {
    var sections: [String] = []
    var rest = text
    while rest.first == " " {
      guard let section = section(atStartOf: rest.drop { $0 == " " }) else { break }
      sections.append(section)
      rest = rest.drop { $0 == " " }.dropFirst(section.count)
      for separator in [",", " and", " to"] where rest.hasPrefix(separator + " ") {
        rest = rest.dropFirst(separator.count)
        break
      }
    }
    return sections
  }

  private static func withoutCommentMark(_ line: String) -> String {
    String(line.drop { $0 == " " || $0 == "/" })
  }
}
