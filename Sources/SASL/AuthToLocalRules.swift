/// The rules by which the name of a Kerberos principal becomes a short name: `security.auth_to_local`.
///
/// The first rule that applies to a name decides. A rule is `DEFAULT`, which takes the first component of a name of the
/// own realm, or one of the form below. It applies to names with `n` components for which the format, with the realm
/// for `$0` and the components for `$1` and `$2`, is matched by the first expression as a whole.
///
/// *Shape*: `RULE:[n:format](expression)s/from/to/gL`, of which the parts from `(` on may be missing.
///
/// *Source*: `org.apache.zookeeper.server.auth.KerberosName.Rule`. The last flag, which makes the result lower case, is
/// known to Hadoop's rules only, from which those of ZooKeeper are often copied; Hadoop writes it after another slash.
package struct AuthToLocalRules: Hashable, Sendable {
  /// One rule.
  private enum Rule: Hashable {
    case ownRealm
    case transformation(Transformation)
  }

  /// A rule of the longer form.
  private struct Transformation: Hashable {
    var componentCount: Int
    var format: [Piece]
    var expression: String?
    var substitution: Substitution?
    var makesLowerCase: Bool
  }

  /// A part of a format, or of what replaces a match.
  private enum Piece: Hashable {
    case text(String)
    case reference(Int)
  }

  private struct Substitution: Hashable {
    var from: String
    var to: [Piece]
    var isRepeated: Bool
  }

  private var rules = [Rule.ownRealm]

  /// The rule that is used if nothing is configured: `DEFAULT`.
  package init() {}

  /// Parses rules, which white space may separate.
  ///
  /// - Throws: what is wrong, and where.
  package init(parsing text: String) throws(AuthToLocalFault) {
    var reader = RuleReader(text)
    rules = []
    while reader.skipWhitespace(), !reader.isAtEnd { rules.append(try Self.rule(&reader)) }
    // Without any rule Apache's server refuses all principals, which cannot be meant.
    if rules.isEmpty { rules = [.ownRealm] }
  }

  /// The short name of a principal.
  ///
  /// *Complexity*: that of the expressions; it is for threads that may block.
  ///
  /// - Parameter parameters: the realm, and then the one or two components.
  /// - Returns: nil if no rule applies, or the first that does makes a name that is empty or contains `/` or `@`.
  func shortName(_ parameters: [String], defaultRealm: String?) -> String? {
    for rule in rules {
      let result: String? =
        switch rule {
        case .ownRealm: parameters[0] == defaultRealm ? parameters[1] : nil
        case .transformation(let transformation): Self.apply(transformation, to: parameters)
        }
      if let result { return result.isEmpty || result.contains { $0 == "/" || $0 == "@" } ? nil : result }
    }
    return nil
  }

  // MARK: Use

  private static func apply(_ rule: Transformation, to parameters: [String]) -> String? {
    guard parameters.count - 1 == rule.componentCount else { return nil }
    var name = rule.format.map { piece in
      switch piece {
      case .text(let text): text
      case .reference(let index): parameters[index]
      }
    }.joined()
    if let expression = rule.expression {
      guard let regex = regex(expression), (try? regex.wholeMatch(in: name)) != nil else { return nil }
    }
    if let substitution = rule.substitution {
      guard let replaced = replace(substitution, in: name) else { return nil }
      name = replaced
    }
    return rule.makesLowerCase ? name.lowercased() : name
  }

  private static func replace(_ substitution: Substitution, in name: String) -> String? {
    guard let regex = regex(substitution.from) else { return nil }
    return name.replacing(regex, maxReplacements: substitution.isRepeated ? .max : 1) { match in
      substitution.to.map { piece in
        switch piece {
        case .text(let text): text
        case .reference(let group): match.output[group].substring.map(String.init) ?? ""
        }
      }.joined()
    }
  }

  /// Like Java's expressions, it matches Unicode scalars and not grapheme clusters.
  private static func regex(_ pattern: String) -> Regex<AnyRegexOutput>? {
    (try? Regex(pattern))?.matchingSemantics(.unicodeScalar)
  }

  // MARK: Parsing

  private static func rule(_ reader: inout RuleReader) throws(AuthToLocalFault) -> Rule {
    if reader.skip("DEFAULT") { return .ownRealm }
    guard reader.skip("RULE:[") else { throw reader.fault("a rule is DEFAULT or begins with RULE:[") }
    guard let count = Int(try reader.text(until: ":")), count >= 0 else {
      throw reader.fault("RULE:[ is followed by a number of components and a colon")
    }
    let format = try pieces(try reader.text(until: "]"), last: min(count, 2), isFormat: true, reader)
    let expression = reader.skip("(") ? try checked(try reader.text(until: ")"), reader).pattern : nil
    var transformation = Transformation(
      componentCount: count, format: format, expression: expression, substitution: nil, makesLowerCase: false)
    if reader.skip("s/") {
      let from = try checked(try reader.text(until: "/"), reader)
      let to = try pieces(try reader.text(until: "/"), last: from.groupCount, isFormat: false, reader)
      transformation.substitution = Substitution(from: from.pattern, to: to, isRepeated: reader.skip("g"))
    }
    transformation.makesLowerCase = reader.skip("/L") || reader.skip("L")
    return .transformation(transformation)
  }

  /// Checks an expression, and counts its groups.
  private static func checked(
    _ pattern: String, _ reader: RuleReader
  ) throws(AuthToLocalFault) -> (pattern: String, groupCount: Int) {
    // With an alternative that is always found, a match shows how many groups there are.
    guard regex(pattern) != nil, let counting = regex("(?:\(pattern))|"), let match = try? counting.firstMatch(in: "")
    else { throw reader.fault("\"\(pattern)\" is not a regular expression") }
    return (pattern, match.output.count - 1)
  }

  /// Splits a format, or the replacement of a substitution, at its references, such as `$1`.
  ///
  /// - Parameter last: the largest number that can be referred to.
  private static func pieces(
    _ text: String, last: Int, isFormat: Bool, _ reader: RuleReader
  ) throws(AuthToLocalFault) -> [Piece] {
    var pieces: [Piece] = []
    var literal = ""
    var rest = text[...]
    while let character = rest.popFirst() {
      if character == "\\", !isFormat, let escaped = rest.popFirst() {
        literal.append(escaped)
      } else if character == "$" {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= last else {
          throw reader.fault("\"\(text)\": $ is followed by a number from 0 to \(last)")
        }
        rest = rest.dropFirst(digits.count)
        pieces += [.text(literal), .reference(number)]
        literal = ""
      } else {
        literal.append(character)
      }
    }
    return pieces + [.text(literal)]
  }
}

/// Why rules cannot be used.
package struct AuthToLocalFault: Error, Hashable, Sendable {
  /// What is wrong, and in which rule.
  package let reason: String
}

/// Reads rules from the beginning to the end.
private struct RuleReader {
  private var rest: Substring
  private let all: String

  init(_ text: String) {
    all = text
    rest = all[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  /// Skips white space; always true.
  mutating func skipWhitespace() -> Bool {
    rest = rest.drop(while: \.isWhitespace)
    return true
  }

  /// Skips a text if it comes next.
  mutating func skip(_ text: String) -> Bool {
    guard rest.hasPrefix(text) else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  /// Takes the text before a character, and skips the character.
  mutating func text(until end: Character) throws(AuthToLocalFault) -> String {
    guard let index = rest.firstIndex(of: end) else { throw fault("there is no \(end) after \"\(rest)\"") }
    defer { rest = rest[rest.index(after: index)...] }
    return String(rest[..<index])
  }

  func fault(_ reason: String) -> AuthToLocalFault {
    let offset = all.distance(from: all.startIndex, to: rest.startIndex)
    return AuthToLocalFault(reason: "\(reason) (at character \(offset + 1) of \"\(all)\")")
  }
}
