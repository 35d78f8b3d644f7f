/// Names in columns, filled from top to bottom as `ls` does.
struct CandidateList {
  /// The blanks between two columns.
  private static let gapWidth = 2

  /// The rows, without line ends.
  let rows: [String]

  /// Arranges the names within a screen of `columns` by `rowLimit`; the last row counts the names that did not fit.
  ///
  /// *Complexity*: linear in the length of all names.
  init(_ names: [String], columns: Int, rowLimit: Int) {
    let names = names.map { name in String(String.UnicodeScalarView(name.unicodeScalars.map(printable))) }
    let widths = names.map(Self.width)
    let columnWidth = min(columns, (widths.max() ?? 0) + Self.gapWidth)
    // A row that is filled to the last column would make the terminal begin another one.
    let perRow = max(1, (columns + Self.gapWidth - 1) / max(1, columnWidth))
    let neededRows = (names.count + perRow - 1) / perRow
    let isClipped = neededRows > max(2, rowLimit)
    let rowCount = isClipped ? max(2, rowLimit) - 1 : neededRows

    var rows: [String] = []
    for row in 0..<rowCount {
      let indices = stride(from: row, to: min(names.count, rowCount * perRow), by: rowCount)
      var text = ""
      var blanks = 0
      for index in indices {
        text += String(repeating: " ", count: blanks) + names[index]
        blanks = max(0, columnWidth - widths[index])
      }
      rows.append(text)
    }
    if isClipped { rows.append("... and \(names.count - rowCount * perRow) more") }
    self.rows = rows
  }

  /// The number of columns that a text occupies on the terminal.
  static func width(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in width + max(0, scalarColumnWidth(scalar)) }
  }
}
