import LineEditor
package import ZnodeFormats

/// Records with the same fields, which are printed to people as a table.
package struct RecordTable: Hashable, Sendable {
  package let records: [Record]
  /// The fields that the table shows, and the heads of their columns.
  let columns: [Column]

  /// A column of the table.
  struct Column: Hashable, Sendable {
    var field: String
    var head: String

    init(_ field: String, _ head: String? = nil) {
      self.field = field
      self.head = head ?? field
    }
  }

  init(_ records: [Record], columns: [Column]) {
    self.records = records
    self.columns = columns
  }

  /// The rows, their columns aligned: numbers to the right, everything else to the left.
  func lines(withHead hasHead: Bool) -> [String] {
    typealias Cell = (text: String, isNumber: Bool)
    var rows = records.map { record in
      columns.map { column -> Cell in
        let value = record.fields.first { $0.name == column.field }?.value ?? .missing
        return (value.cell, value.isNumber)
      }
    }
    if hasHead {
      rows.insert(
        columns.enumerated().map { index, column in (column.head, rows.contains { $0[index].isNumber }) }, at: 0)
    }
    let widths = columns.indices.map { index in rows.map { $0[index].text.count }.max() ?? 0 }
    return rows.map { row in
      var line = zip(row, widths).map { cell, width in
        let blanks = String(repeating: " ", count: width - cell.text.count)
        return cell.isNumber ? blanks + cell.text : cell.text + blanks
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

extension Record.Value {
  /// The value as it is printed in a table. Text from servers is escaped, so that it cannot break the line.
  fileprivate var cell: String {
    switch self {
    case .text(let text): TerminalText([UInt8](text.utf8)).text
    case .number(let number): "\(number)"
    case .decimal(let number): Record.text(of: number)
    case .flag(let flag): flag ? "yes" : "no"
    case .list(let items): TerminalText([UInt8](items.joined(separator: ",").utf8)).text
    case .records(let records): "\(records.count)"
    case .missing: "-"
    }
  }

  fileprivate var isNumber: Bool {
    switch self {
    case .number, .decimal, .missing: true
    case .text, .flag, .list, .records: false
    }
  }
}
