/// A value of a TOML document.
struct TOMLValue {
  /// What it is.
  enum Content {
    case string(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    /// A date, a time or both, as written.
    case date(String)
    case array([TOMLValue])
    case table(TOMLTable)
    /// Tables with headers in double brackets.
    case tables([TOMLTable])
  }

  /// Where it begins, from 1.
  let line: Int
  var content: Content

  /// The kind of value, with its article, for messages.
  var kind: String {
    switch content {
    case .string: "a string"
    case .integer: "a number"
    case .float: "a fraction"
    case .boolean: "true or false"
    case .date: "a date"
    case .array, .tables: "an array"
    case .table: "a table"
    }
  }
}

/// A table of a TOML document, with its keys in the order of the file.
///
/// Only the reader changes it, and it is not used after a configuration has been read.
final class TOMLTable {
  /// How the table was defined, which decides whether keys can be added to it.
  enum Origin {
    /// By its own header, `[a.b]`.
    case header
    /// By the header of a table inside it: its own header may follow.
    case implicit
    /// By a dotted key, `a.b = 1`.
    case dotted
    /// In braces, `{ b = 1 }`, to which nothing can be added.
    case inline
  }

  /// A key with its value.
  struct Entry {
    let key: String
    /// Where the key is, from 1.
    let line: Int
    var value: TOMLValue
  }

  /// Where it begins, from 1.
  let line: Int
  var origin: Origin
  private(set) var entries: [Entry] = []
  /// The index of each key in `entries`.
  private var indices: [String: Int] = [:]

  init(line: Int, _ origin: Origin) {
    self.line = line
    self.origin = origin
  }

  /// The value of a key.
  subscript(key: String) -> TOMLValue? { indices[key].map { entries[$0].value } }

  /// Adds a key, or replaces the value of an existing one.
  func set(_ key: String, to value: TOMLValue, line: Int) {
    if let index = indices[key] {
      entries[index].value = value
    } else {
      indices[key] = entries.count
      entries.append(Entry(key: key, line: line, value: value))
    }
  }
}

/// A mistake in a TOML document, with its line.
struct TOMLError: Error, Hashable {
  /// From 1.
  let line: Int
  let reason: String
}
