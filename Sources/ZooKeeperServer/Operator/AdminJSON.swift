import JSONFormat

/// JSON in the layout of Apache's AdminServer: two blanks of indentation, ` : ` between key and value.
indirect enum AdminJSON: Sendable {
  case null
  case bool(Bool)
  case number(Int)
  case double(Double)
  case string(String)
  case array([AdminJSON])
  case object([(String, AdminJSON)])

  init(_ value: Monitor.Value) {
    switch value {
    case .integer(let number): self = .number(number)
    case .double(let number): self = .double(number)
    case .text(let text): self = .string(text)
    }
  }

  /// The document, followed by a line end.
  var text: String { rendered(indentation: "") + "\n" }

  /// *Source*: Jackson's default pretty printer: objects have a line for each key, arrays stay on one line.
  private func rendered(indentation: String) -> String {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .number(let value): return "\(value)"
    case .double(let value): return "\(value)"
    case .string(let value): return Self.quoted(value)
    case .array(let items):
      guard !items.isEmpty else { return "[ ]" }
      return "[ " + items.map { $0.rendered(indentation: indentation) }.joined(separator: ", ") + " ]"
    case .object(let entries):
      guard !entries.isEmpty else { return "{ }" }
      let inner = indentation + "  "
      let lines = entries.map { "\(inner)\(Self.quoted($0.0)) : \($0.1.rendered(indentation: inner))" }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
    }
  }

  private static func quoted(_ text: String) -> String { String(decoding: JSON.string(text).bytes, as: UTF8.self) }
}
