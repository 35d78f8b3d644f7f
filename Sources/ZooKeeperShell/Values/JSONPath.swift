/// The way to a value in a JSON text: `$.servers[0].host` or `servers[0].host`, or as a pointer `/servers/0/host`.
///
/// *Source*: RFC 9535 without selectors of more than one value, and RFC 6901.
struct JSONPath: Hashable, Sendable {
  /// From a value to one of its parts.
  enum Step: Hashable, Sendable {
    case member(String)
    /// From 0, or from the end if it is negative.
    case item(Int)
    /// Of a pointer, which does not distinguish names and numbers.
    case token(String)

    /// The name of the member, if the value is an object.
    var name: String? {
      switch self {
      case .member(let name), .token(let name): name
      case .item: nil
      }
    }

    /// The place of the item, if the value is an array of so many; `-` is the place after the last.
    func index(among count: Int) -> Int? {
      switch self {
      case .member: return nil
      case .item(let index): return index < 0 ? count + index : index
      case .token("-"): return count
      case .token(let token):
        guard token == "0" || token.utf8.first != UInt8(ascii: "0") else { return nil }
        return token.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(token) : nil
      }
    }
  }

  let steps: [Step]
  /// As it was given.
  let text: String

  /// Reads a path.
  ///
  /// - Throws: a usage error for one that is malformed, or names several values.
  init(_ text: String) throws(ShellError) {
    self.text = text
    if text.isEmpty || text.utf8.first == UInt8(ascii: "/") {
      steps = try Self.pointer(text)
    } else {
      var parser = Parser(text)
      steps = try parser.steps()
    }
  }

  private static func pointer(_ text: String) throws(ShellError) -> [Step] {
    var steps: [Step] = []
    for token in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      var name = ""
      var rest = token.unicodeScalars
      while let scalar = rest.popFirst() {
        guard scalar == "~" else {
          name.unicodeScalars.append(scalar)
          continue
        }
        switch rest.popFirst() {
        case "0": name += "~"
        case "1": name += "/"
        default: throw malformed(text)
        }
      }
      steps.append(.token(name))
    }
    return steps
  }

  private static func malformed(_ text: String) -> ShellError {
    .usage(
      "--json-path \(Tokenizer.quote(text)) is not the path of one value",
      hint: "write it as $.a.b[0], $['a b'], or as a pointer, /a/b/0")
  }

  private struct Parser {
    private let text: String
    private var rest: Substring.UnicodeScalarView

    init(_ text: String) {
      self.text = text
      rest = text[...].unicodeScalars
    }

    mutating func steps() throws(ShellError) -> [Step] {
      // The dollar may be left out, as in jq, and so may the first dot.
      let hasRoot = take("$")
      if text == "." { return [] }
      var steps: [Step] = []
      if !hasRoot, rest.first != ".", rest.first != "[" {
        // With a slash it is rather a pointer whose first slash is missing.
        guard !rest.contains("/") else { throw malformed(text) }
        steps.append(.member(try name()))
      }
      while !rest.isEmpty {
        if take(".") {
          steps.append(.member(try name()))
        } else if take("[") {
          steps.append(try bracket())
        } else {
          throw malformed(text)
        }
      }
      return steps
    }

    private mutating func name() throws(ShellError) -> String {
      let name = rest.prefix { $0 != "." && $0 != "[" }
      rest = rest[name.endIndex...]
      guard !name.isEmpty, name.first != "*" else { throw malformed(text) }
      return String(name)
    }

    private mutating func bracket() throws(ShellError) -> Step {
      let step: Step
      if let quote = rest.first, quote == "'" || quote == "\"" {
        rest.removeFirst()
        step = .member(try quoted(until: quote))
      } else {
        let number = rest.prefix { $0 != "]" }
        rest = rest[number.endIndex...]
        guard let index = Int(String(number)), number.first != "+" else { throw malformed(text) }
        step = .item(index)
      }
      guard take("]") else { throw malformed(text) }
      return step
    }

    private mutating func quoted(until quote: Unicode.Scalar) throws(ShellError) -> String {
      var name = ""
      while let scalar = rest.popFirst() {
        if scalar == quote { return name }
        if scalar == "\\" {
          guard let escaped = rest.popFirst(), escaped == quote || escaped == "\\" else { break }
          name.unicodeScalars.append(escaped)
        } else {
          name.unicodeScalars.append(scalar)
        }
      }
      throw malformed(text)
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard rest.first == scalar else { return false }
      rest.removeFirst()
      return true
    }
  }
}
