/// A result of the simplest form: named values, and the line that people read.
///
/// The values are the members of its JSON object and the columns of its table; their names are a contract as the
/// shapes of `JSONRenderer` are.
package struct Record: Hashable, Sendable {
  /// A value.
  package enum Value: Hashable, Sendable {
    case text(String)
    case number(Int64)
    case flag(Bool)
    case list([String])
    case missing
  }

  /// A value with its name.
  package struct Field: Hashable, Sendable {
    package let name: String
    package let value: Value
  }

  package let fields: [Field]
  /// One or more lines without the last line end.
  package let text: String

  /// A record with its fields in order.
  package init(_ text: String, _ fields: KeyValuePairs<String, Value>) {
    self.text = text
    self.fields = fields.map { Field(name: $0.key, value: $0.value) }
  }
}

extension JSON {
  /// The object of a record.
  static func of(_ record: Record) -> JSON {
    .object(
      record.fields.map { field in
        let value: JSON =
          switch field.value {
          case .text(let text): .string(text)
          case .number(let number): .number(number)
          case .flag(let flag): .bool(flag)
          case .list(let items): .array(items.map(JSON.string))
          case .missing: .null
          }
        return (key: field.name, value: value)
      })
  }
}
