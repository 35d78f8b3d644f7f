import JSONFormat

/// Writes JSON documents as rows: aligned columns, lines of `key=value`, or CSV.
///
/// The columns are the members of the documents, those of nested objects with a dot: `stat.version`. In a table and in
/// CSV a list is a row for each item.
struct TabularWriter: Sendable {
  /// A value by the name of its column.
  typealias Cell = (key: String, value: JSON)

  /// The number of rows that are buffered to determine columns and widths, which are then used for all further rows.
  static let windowCount = 1000

  private let format: OutputFormat
  private var columns: [String] = []
  private var widths: [Int] = []
  private var hasHead = false
  private var hasRecord = false
  private var hasWarned = false
  private var waiting: [[Cell]] = []

  /// - Parameter format: table, fields or csv.
  init(_ format: OutputFormat) { self.format = format }

  /// Adds a document.
  ///
  /// - Parameter mayWait: whether its rows may be buffered until more have arrived.
  mutating func add(_ document: JSON, mayWait: Bool) -> Rendered {
    if format == .fields { return fields(of: document) }
    let (keys, rows) = Self.rows(of: document)
    if !hasHead { for key in keys where !columns.contains(key) { columns.append(key) } }
    waiting += rows
    return mayWait && waiting.count < Self.windowCount ? Rendered() : flush()
  }

  /// Writes the buffered rows.
  mutating func flush() -> Rendered {
    var result = Rendered()
    defer { waiting = [] }
    if !hasHead {
      guard !columns.isEmpty else { return result }
      hasHead = true
      widths = columns.map(\.count)
      for row in waiting { widen(for: row) }
      result = Rendered(stdout: line(columns.map { (text: $0, isNumber: false) }))
    }
    for row in waiting {
      if let unknown = row.first(where: { !columns.contains($0.key) }), !hasWarned {
        hasWarned = true
        result = result + .err("zkcli: warning: there is no column for \(unknown.key); -o jsonl has all values\n")
      }
      result.stdout += line(
        columns.map { column in
          let value = row.first { $0.key == column }?.value ?? .null
          if case .number = value { return (Self.text(value), true) }
          return (Self.text(value), false)
        })
    }
    return result
  }

  private mutating func widen(for row: [Cell]) {
    for (index, column) in columns.enumerated() {
      guard let value = row.first(where: { $0.key == column })?.value else { continue }
      widths[index] = max(widths[index], Self.shown(Self.text(value)).count)
    }
  }

  // MARK: Lines

  private func line(_ cells: [(text: String, isNumber: Bool)]) -> [UInt8] {
    if format == .csv { return [UInt8]((cells.map { Self.quoted($0.text) }.joined(separator: ",") + "\r\n").utf8) }
    let padded = zip(cells, widths).map { cell, width in
      let text = Self.shown(cell.text)
      let blanks = String(repeating: " ", count: max(0, width - text.count))
      return cell.isNumber ? blanks + text : text + blanks
    }
    var bytes = [UInt8](padded.joined(separator: "  ").utf8)
    while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return bytes + [UInt8(ascii: "\n")]
  }

  private mutating func fields(of document: JSON) -> Rendered {
    var text = ""
    let records: [JSON] = if case .array(let items) = document { items } else { [document] }
    for record in records {
      if hasRecord { text += "\n" }
      hasRecord = true
      for (key, value) in Self.leaves(of: record, "") {
        if case .string(let string) = value {
          text += "\(key)=\(Tokenizer.quote(string))\n"
        } else {
          text += "\(key)=\(Self.text(value))\n"
        }
      }
    }
    return .out(text)
  }

  /// A cell of CSV.
  ///
  /// *Source*: RFC 4180.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      byte != UInt8(ascii: ",") && byte != UInt8(ascii: "\"") && byte != 0x0a && byte != 0x0d
    }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// A cell of a table. Characters that would break its line are escaped.
  private static func shown(_ text: String) -> String {
    text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? Tokenizer.quote(text) : text
  }

  // MARK: Rows

  private static func text(_ value: JSON) -> String {
    switch value {
    case .null: ""
    case .string(let text): text
    case .bool, .number, .array, .object, .raw: String(decoding: value.bytes, as: UTF8.self)
    }
  }

  /// The columns and rows of a document.
  static func rows(of document: JSON) -> (keys: [String], rows: [[Cell]]) {
    switch document {
    case .array(let items):
      return items.reduce(into: (keys: [], rows: [])) { result, item in
        let (keys, rows) = self.rows(of: item)
        for key in keys where !result.keys.contains(key) { result.keys.append(key) }
        result.rows += rows
      }
    case .object(let members):
      guard let list = members.firstIndex(where: { if case .array = $0.value { true } else { false } }),
        case .array(let items) = members[list].value
      else {
        let row = flat(members, "")
        return (row.map(\.key), [row])
      }
      return rows(of: members, list, items)
    case .null, .bool, .number, .string, .raw: return (["value"], [[("value", document)]])
    }
  }

  /// The rows of an object with a list: one for each item, with the other members repeated.
  private static func rows(of members: [Cell], _ list: Int, _ items: [JSON]) -> (keys: [String], rows: [[Cell]]) {
    let before = flat([Cell](members[..<list]), "")
    let after = flat([Cell](members[(list + 1)...]), "")
    let taken = Set((before + after).map(\.key))
    let rows = items.map { item -> [Cell] in
      guard case .object(let inner) = item else { return before + [(members[list].key, item)] + after }
      let cells = flat(inner, "").map { cell in
        (key: taken.contains(cell.key) ? "\(members[list].key).\(cell.key)" : cell.key, value: cell.value)
      }
      return before + cells + after
    }
    let own = rows.first?.dropFirst(before.count).dropLast(after.count).map(\.key) ?? [members[list].key]
    return (before.map(\.key) + own + after.map(\.key), rows)
  }

  /// The members of an object, with nested objects flattened; lists stay as they are.
  private static func flat(_ members: [Cell], _ prefix: String) -> [Cell] {
    members.flatMap { key, value -> [Cell] in
      if case .object(let inner) = value { return flat(inner, "\(prefix)\(key).") }
      return [(prefix + key, value)]
    }
  }

  /// The scalar values of a document; items of lists by their indices.
  private static func leaves(of value: JSON, _ key: String) -> [Cell] {
    func inner(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }
    return switch value {
    case .object(let members): members.flatMap { leaves(of: $0.value, inner($0.key)) }
    case .array(let items): items.enumerated().flatMap { leaves(of: $1, inner("\($0)")) }
    case .null, .bool, .number, .string, .raw: [(key.isEmpty ? "value" : key, value)]
    }
  }
}

extension OutputFormat {
  /// Whether answers are rows of cells.
  var isTabular: Bool { self == .table || self == .fields || self == .csv }
}
