import JSONFormat

/// Renders results of commands about the parts of one value as text.
extension TextRenderer {
  /// Renders one result.
  func render(_ result: ValueResult) -> Rendered {
    switch result {
    // A string is printed as the text that it stands for.
    case .json(_, _, let value, _, _): Rendered(stdout: Self.plain(value) + [UInt8(ascii: "\n")])
    case .edited(_, _, .some, isShown: true): Rendered()
    case .edited(_, let difference, _, _): .lines(difference)
    }
  }

  private static func plain(_ value: [UInt8]) -> [UInt8] {
    guard value.first == UInt8(ascii: "\""), let text = JSONReader.read(value)?.text else { return value }
    return [UInt8](text.utf8)
  }
}

extension JSON {
  /// The document of a result of a command about the parts of one value.
  static func of(_ result: ValueResult) -> JSON {
    switch result {
    case .json(let path, let jsonPath, _, let line, let version):
      .object([
        ("path", .string(path)), ("jsonPath", .string(jsonPath)), ("value", .raw(line)), ("version", .number(version)),
      ])
    case .edited(let path, let difference, let version, _):
      .object([
        (version == nil ? "path" : "changed", .string(path)), ("version", version.map { .number($0) } ?? .null),
        ("diff", .string(difference.map { $0 + "\n" }.joined())),
      ])
    }
  }
}
