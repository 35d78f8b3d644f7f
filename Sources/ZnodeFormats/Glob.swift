/// A pattern of file names, as shells have them: `*` for any characters, `?` for one, `[a-z]` and `[!a-z]` for one of
/// several, and a backslash before a character that is meant literally.
///
/// The time that a match takes grows with the product of both lengths at most.
package struct Glob: Hashable, Sendable {
  private enum Part: Hashable {
    case literal(Unicode.Scalar)
    case anyOne
    case anyMany
    case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  }

  private let parts: [Part]

  /// Reads a pattern; any text is one.
  package init(_ pattern: some StringProtocol) {
    var parts: [Part] = []
    var rest = Substring(pattern).unicodeScalars
    while let scalar = rest.popFirst() {
      switch scalar {
      case "*": if parts.last != .anyMany { parts.append(.anyMany) }
      case "?": parts.append(.anyOne)
      case "\\": parts.append(.literal(rest.popFirst() ?? "\\"))
      case "[":
        if let set = Self.set(&rest) { parts.append(set) } else { parts.append(.literal("[")) }
      default: parts.append(.literal(scalar))
      }
    }
    self.parts = parts
  }

  /// Whether a text has characters that make it a pattern.
  package static func isPattern(_ text: some StringProtocol) -> Bool {
    text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
  }

  /// Whether the pattern describes the whole text.
  package func matches(_ text: some StringProtocol) -> Bool {
    let scalars = Array(text.unicodeScalars)
    var (position, part) = (0, 0)
    // The position to retry from, with one more character for the last star, if the rest does not match.
    var retry: (position: Int, part: Int)?
    while position < scalars.count {
      if part < parts.count, parts[part] == .anyMany {
        retry = (position, part + 1)
        part += 1
      } else if part < parts.count, Self.matches(parts[part], scalars[position]) {
        position += 1
        part += 1
      } else if let last = retry {
        retry = (last.position + 1, last.part)
        (position, part) = (last.position + 1, last.part)
      } else {
        return false
      }
    }
    return parts[part...].allSatisfy { $0 == .anyMany }
  }

  private static func matches(_ part: Part, _ scalar: Unicode.Scalar) -> Bool {
    switch part {
    case .literal(let wanted): wanted == scalar
    case .anyOne: true
    case .anyMany: false
    case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
    }
  }

  /// The set after an opening bracket; nil if it is not closed, and then nothing is taken.
  private static func set(_ rest: inout Substring.UnicodeScalarView) -> Part? {
    var scan = rest
    var isNegated = false
    if scan.first == "!" || scan.first == "^" {
      isNegated = true
      scan.removeFirst()
    }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    // A closing bracket that comes first is one of the characters.
    while let scalar = scan.popFirst() {
      if scalar == "]", !ranges.isEmpty {
        rest = scan
        return .oneOf(ranges, isNegated: isNegated)
      }
      if scan.first == "-", let end = scan.dropFirst().first, end != "]" {
        scan.removeFirst(2)
        if scalar <= end { ranges.append(scalar...end) }
      } else {
        ranges.append(scalar...scalar)
      }
    }
    return nil
  }
}
