/// The rows of the tree that the document itself has.
///
/// With them, the browser's first paint shows the tree, for which it would otherwise wait for the script. The script
/// draws the same rows a moment later, and takes these away (`leaveFirstView` in app.js).
///
/// The markup is the page's own: in index.html, comments stand around the view and around the row of a child, which is
/// repeated for each child of the root.
struct FirstView {
  /// The number of rows: as many as are seen in a high window.
  static let rows = 60
  private static let name = "NAME"

  /// The document without the view.
  let frame: String
  private let beforeRows: Substring
  private let row: Substring
  private let afterRows: Substring

  /// Takes the document apart; nil if a comment is missing.
  init?(_ document: String) {
    guard let beforeView = document.firstRange(of: "<!-- first view -->\n"),
      let row = document.firstRange(of: "<!-- row -->\n"),
      let rowEnd = document.firstRange(of: "<!-- end of the row -->\n"),
      let viewEnd = document.firstRange(of: "<!-- end of the first view -->\n"),
      beforeView.upperBound <= row.lowerBound, row.upperBound <= rowEnd.lowerBound,
      rowEnd.upperBound <= viewEnd.lowerBound
    else { return nil }
    frame = String(document[..<beforeView.lowerBound] + document[viewEnd.upperBound...])
    beforeRows = document[..<beforeView.lowerBound] + document[beforeView.upperBound..<row.lowerBound]
    self.row = document[row.upperBound..<rowEnd.lowerBound]
    afterRows = document[rowEnd.upperBound..<viewEnd.lowerBound] + document[viewEnd.upperBound...]
  }

  /// The document with a row for each of the first children of the root.
  ///
  /// - Parameter names: the children's names, in the order of the tree.
  func document(_ names: [String]) -> String {
    let rows = names.prefix(Self.rows).map { row.replacing(Self.name, with: Self.text($0)) }
    return beforeRows + rows.joined() + afterRows
  }

  /// A name as the tree shows it (`visible` in paths.js), as text of a document.
  static func text(_ name: String) -> String {
    let scalars = name.unicodeScalars
    let start = scalars.firstIndex { $0 != " " } ?? scalars.endIndex
    let end = scalars.lastIndex { $0 != " " }.map { scalars.index(after: $0) } ?? start
    var text = String(repeating: "␣", count: scalars[..<start].count)
    for scalar in scalars[start..<end] {
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case _ where isUnseen(scalar):
        let number = String(scalar.value, radix: 16, uppercase: true)
        text += "⟨U+\(String(repeating: "0", count: max(0, 4 - number.count)))\(number)⟩"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + String(repeating: "␣", count: scalars[end...].count)
  }

  /// Whether a character would not be seen, or would turn the text around it: control characters, marks of direction,
  /// zero-width ones, soft hyphens, odd spaces. A test compares them with `unseen` in paths.js.
  static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0xa0, 0xad, 0x61c, 0x180e, 0x2000...0x200f, 0x2028...0x202f, 0x205f...0x206f, 0x3000, 0xfeff,
      0xfff9...0xfffb:
      true
    default: false
    }
  }
}
