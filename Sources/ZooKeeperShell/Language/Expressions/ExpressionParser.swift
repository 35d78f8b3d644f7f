/// Reads regular expressions.
///
/// *Source*: POSIX.1-2017, section 9.4 (extended expressions); `\d`, `\w`, `\s`, `\xHH` and `(?:...)` are Perl's.
struct ExpressionParser {
  private let scalars: [Unicode.Scalar]
  private let ignoresCase: Bool
  private var position = 0
  private var depth = 0

  /// The maximum depth of nested groups.
  private static let depthLimit = 100
  /// The maximum count of a repetition such as `{1000}`.
  private static let repetitionLimit = 1000

  /// - Parameter isBasic: whether the text is a basic expression of POSIX, in which a backslash makes an operator.
  init(_ text: String, isBasic: Bool, ignoresCase: Bool) {
    let scalars = [Unicode.Scalar](text.unicodeScalars)
    self.scalars = isBasic ? Self.extended(fromBasic: scalars) : scalars
    self.ignoresCase = ignoresCase
  }

  /// A basic expression as an extended one.
  private static func extended(fromBasic scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var index = 0
    // At the start of an expression or a group, a star is a literal, and a circumflex matches the start of the text.
    var isAtStart = true
    while index < scalars.count {
      let scalar = scalars[index]
      let next = index + 1 < scalars.count ? scalars[index + 1] : nil
      let wasAtStart = isAtStart
      isAtStart = false
      index += 1
      switch scalar {
      case "\\":
        guard let next else { return result + ["\\"] }
        index += 1
        result += operators.contains(next) ? [next] : ["\\", next]
        isAtStart = next == "(" || next == "|"
      case "*" where wasAtStart: result += ["\\", "*"]
      case "^": result += wasAtStart ? ["^"] : ["\\", "^"]
      case "$":
        let after = index + 1 < scalars.count && next == "\\" ? scalars[index + 1] : nil
        result += next == nil || after == ")" || after == "|" ? ["$"] : ["\\", "$"]
      case "[":
        let end = bracketEnd(scalars, from: index)
        result += [scalar] + scalars[index..<end]
        index = end
      default: result += operators.contains(scalar) ? ["\\", scalar] : [scalar]
      }
      if scalar == "^", wasAtStart { isAtStart = true }
    }
    return result
  }

  private static let operators: Set<Unicode.Scalar> = ["(", ")", "{", "}", "|", "+", "?"]

  /// The index of what follows the bracket that closes a set.
  private static func bracketEnd(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
    var index = start
    if index < scalars.count, scalars[index] == "^" { index += 1 }
    if index < scalars.count, scalars[index] == "]" { index += 1 }
    while index < scalars.count, scalars[index] != "]" {
      let isClass = scalars[index] == "[" && index + 1 < scalars.count && scalars[index + 1] == ":"
      if isClass, let end = scalars[(index + 2)...].firstIndex(of: "]") { index = end }
      index += 1
    }
    return min(index + 1, scalars.count)
  }

  /// The whole expression.
  mutating func parse() throws(PatternError) -> PatternNode {
    let node = try alternatives()
    guard position == scalars.count else { throw failure("an unmatched )") }
    return node
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    var all = [try sequence()]
    while take("|") { all.append(try sequence()) }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var nodes: [PatternNode] = []
    while let next = peek(), next != "|", next != ")" {
      var node = try atom()
      while let (least, most) = try quantifier() {
        node = .repeated(node, least: least, most: most)
        // Greedy and lazy repetitions match the same texts, and only whether there is a match is of interest.
        _ = take("?")
      }
      nodes.append(node)
    }
    return .sequence(nodes)
  }

  private mutating func atom() throws(PatternError) -> PatternNode {
    let scalar = scalars[position]
    position += 1
    switch scalar {
    case "(":
      if take("?"), !take(":") { throw failure("an unsupported group (?") }
      depth += 1
      guard depth <= Self.depthLimit else { throw failure("groups that are nested too deeply") }
      let node = try alternatives()
      depth -= 1
      guard take(")") else { throw failure("an unclosed (") }
      return node
    case ".": return .set(ScalarSet([0x0a...0x0a]).inverted)
    case "^": return .start
    case "$": return .end
    case "[": return .set(try brackets())
    case "\\": return .set(folded(try escape()))
    case "*", "+", "?": throw failure("a \(scalar) with nothing before it to repeat")
    default: return .set(folded(ScalarSet(scalar)))
    }
  }

  /// The repetition that follows an item; nil if there is none. A brace without a number is a literal.
  private mutating func quantifier() throws(PatternError) -> (least: Int, most: Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = position
    guard take("{") else { return nil }
    guard let least = number() else {
      position = start
      return nil
    }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else {
      position = start
      return nil
    }
    guard least <= Self.repetitionLimit, most ?? 0 <= Self.repetitionLimit, most ?? .max >= least else {
      throw failure("a repetition out of range, of 0 to \(Self.repetitionLimit)")
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let next = peek(), ("0"..."9").contains(next), digits.utf8.count < 6 {
      digits.unicodeScalars.append(next)
      position += 1
    }
    return Int(digits)
  }

  /// Reads what follows a backslash.
  private mutating func escape() throws(PatternError) -> ScalarSet {
    guard let scalar = peek() else { throw failure("a \\ at its end") }
    position += 1
    switch scalar {
    case "d": return .digits
    case "D": return ScalarSet.digits.inverted
    case "w": return .wordCharacters
    case "W": return ScalarSet.wordCharacters.inverted
    case "s": return .blanks
    case "S": return ScalarSet.blanks.inverted
    case "t": return ScalarSet("\t")
    case "n": return ScalarSet("\n")
    case "r": return ScalarSet("\r")
    case "x":
      let digits = scalars[position...].prefix(2)
      var text = String.UnicodeScalarView()
      text.append(contentsOf: digits)
      guard digits.count == 2, let number = UInt32(String(text), radix: 16), let scalar = Unicode.Scalar(number) else {
        throw failure("a \\x without two hexadecimal digits")
      }
      position += 2
      return ScalarSet(scalar)
    case "a"..."z", "A"..."Z", "0"..."9": throw failure("an unsupported \\\(scalar)")
    default: return ScalarSet(scalar)
    }
  }

  /// Reads a bracket expression after its opening bracket.
  private mutating func brackets() throws(PatternError) -> ScalarSet {
    let isInverted = take("^")
    var set = ScalarSet([])
    let first = position
    while true {
      guard let scalar = peek() else { throw failure("an unclosed [") }
      position += 1
      // A closing bracket in the first place is a member of the set.
      if scalar == "]", position - 1 > first { break }
      if scalar == "[", take(":") {
        set = set.union(try posixClass())
        continue
      }
      let low = scalar == "\\" ? try escape() : ScalarSet(scalar)
      guard peek() == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        set = set.union(low)
        continue
      }
      position += 2
      let high = scalars[position - 1] == "\\" ? try escape() : ScalarSet(scalars[position - 1])
      guard let from = low.onlyMember, let to = high.onlyMember, from <= to else {
        throw failure("a range in [] whose ends are out of order")
      }
      set = set.union(ScalarSet([from...to]))
    }
    set = folded(set)
    return isInverted ? set.inverted : set
  }

  private mutating func posixClass() throws(PatternError) -> ScalarSet {
    var name = ""
    while let scalar = peek(), scalar != ":" {
      name.unicodeScalars.append(scalar)
      position += 1
    }
    guard take(":"), take("]"), let set = ScalarSet.posixClass(name) else {
      throw failure("an unknown class [:\(name):]")
    }
    return set
  }

  private func folded(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.ignoringCase : set }

  private func peek() -> Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek() == scalar else { return false }
    position += 1
    return true
  }

  private func failure(_ what: String) -> PatternError { PatternError(message: "the expression has \(what)") }
}

extension ScalarSet {
  /// The only member of a set with one member.
  fileprivate var onlyMember: UInt32? {
    guard ranges.count == 1, ranges[0].count == 1 else { return nil }
    return ranges[0].lowerBound
  }
}
