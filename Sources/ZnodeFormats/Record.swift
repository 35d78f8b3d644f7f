package import JSONFormat

/// A result of the simplest form: named values, and the line that people read.
///
/// The values are the members of its JSON object and the columns of its table; their names are a contract as the
/// shapes of `JSONRenderer` are.
package struct Record: Hashable, Sendable {
  /// A value.
  package enum Value: Hashable, Sendable {
    case text(String)
    case number(Int64)
    /// A number with a fraction, which is written with three digits of it.
    case decimal(Double)
    case flag(Bool)
    case list([String])
    case records([Record])
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

  /// A record that people read as a row of a table.
  package init(_ fields: KeyValuePairs<String, Value>) { self.init("", fields) }

  /// A number with at most three digits of its fraction.
  package static func text(of number: Double) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "0" }
    let thousandths = Int64((number * 1000).rounded())
    let (whole, rest) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
    let sign = thousandths < 0 ? "-" : ""
    guard rest > 0 else { return "\(sign)\(whole)" }
    var digits = String(1000 + rest).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(whole).\(digits)"
  }
}

extension JSON {
  /// The object of a record.
  package static func of(_ record: Record) -> JSON {
    .object(
      record.fields.map { field in
        let value: JSON =
          switch field.value {
          case .text(let text): .string(text)
          case .number(let number): .number(number)
          case .decimal(let number): .raw([UInt8](Record.text(of: number).utf8))
          case .flag(let flag): .bool(flag)
          case .list(let items): .array(items.map(JSON.string))
          case .records(let records): .array(records.map { of($0) })
          case .missing: .null
          }
        return (key: field.name, value: value)
      })
  }
}
