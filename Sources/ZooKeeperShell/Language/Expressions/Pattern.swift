/// A regular expression to search texts for.
///
/// Texts are matched byte by byte with a deterministic automaton that is built lazily. There is no backtracking, so the
/// time is linear in the length of the text for every pattern.
///
/// *Source*: Thompson, "Regular Expression Search Algorithm" (1968), with the states kept as `grep` and RE2 keep them.
struct Pattern: Sendable {
  /// A state of the automaton: the instructions that can be next.
  private struct State: Sendable {
    var instructions: [Int]
    var isMatch: Bool
    var isMatchAtEnd: Bool
  }

  private let program: PatternProgram
  private var states: [State] = []
  private var numbers: [[Int]: Int32] = [:]
  /// The state after each byte, 256 for each state; `unknown` until it is needed.
  private var transitions: [Int32] = []

  private static let unknown: Int32 = -1
  /// The maximum number of cached states, of 1 KiB or more each; when it is reached, the cache is emptied.
  private static let stateLimit = 2048
  /// The number of the initial state.
  private static let first: Int32 = 0

  /// A regular expression, found anywhere in a text.
  ///
  /// The syntax is that of POSIX's extended or basic expressions, with `\d`, `\w`, `\s`, `\xHH` and `(?:...)`. There
  /// are no back-references, which cannot be matched in linear time.
  ///
  /// - Throws: `PatternError` for an expression that is malformed, too large, or uses what is not supported.
  init(expression: String, isBasic: Bool = false, ignoresCase: Bool = false) throws(PatternError) {
    var parser = ExpressionParser(expression, isBasic: isBasic, ignoresCase: ignoresCase)
    try self.init(try parser.parse())
  }

  /// A text in which every character means itself.
  ///
  /// - Throws: `PatternError` if it is too long.
  init(text: String, ignoresCase: Bool = false) throws(PatternError) {
    let nodes = text.unicodeScalars.map { scalar in
      PatternNode.set(ignoresCase ? ScalarSet(scalar).ignoringCase : ScalarSet(scalar))
    }
    try self.init(.sequence(nodes))
  }

  private init(_ node: PatternNode) throws(PatternError) {
    program = try PatternProgram(node)
    begin()
  }

  /// Whether a text matches.
  mutating func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches($0) }
  }

  /// Whether bytes match.
  ///
  /// *Complexity*: linear in the number of bytes.
  mutating func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var state = Self.first
    if states[Int(state)].isMatch { return true }
    for byte in bytes {
      let known = transitions[Int(state) << 8 | Int(byte)]
      if known == Self.unknown {
        state = advance(state, byte)
        // A newly created state can be a match; known transitions to matches are marked.
        if states[Int(state)].isMatch { return true }
      } else {
        state = known & Self.numberMask
        if known & Self.matchBit != 0 { return true }
      }
    }
    return states[Int(state)].isMatchAtEnd
  }

  /// Set in transitions to states that are matches, so that the states need not be read.
  private static let matchBit: Int32 = 1 << 30
  private static let numberMask: Int32 = (1 << 30) - 1

  private mutating func begin() {
    states = []
    numbers = [:]
    transitions = []
    _ = add(closure(of: [program.entry], atStart: true))
  }

  /// Creates the state that follows another on a byte.
  private mutating func advance(_ number: Int32, _ byte: UInt8) -> Int32 {
    let next = states[Int(number)].instructions.compactMap { index -> Int? in
      guard case .byte(let range, let next) = program.instructions[index], range.contains(byte) else { return nil }
      return next
    }
    let state = closure(of: next, atStart: false)
    var source = number
    if let known = numbers[state.instructions], known != Self.first {
      transitions[Int(source) << 8 | Int(byte)] = known | (state.isMatch ? Self.matchBit : 0)
      return known
    }
    if states.count >= Self.stateLimit {
      let current = states[Int(source)]
      begin()
      source = source == Self.first ? source : add(current)
    }
    let target = add(state)
    transitions[Int(source) << 8 | Int(byte)] = target | (state.isMatch ? Self.matchBit : 0)
    return target
  }

  private mutating func add(_ state: State) -> Int32 {
    let number = Int32(states.count)
    states.append(state)
    // The initial state is not shared: only there is the start of the text passed, which the instructions do not show.
    if number != Self.first { numbers[state.instructions] = number }
    transitions += Array(repeating: Self.unknown, count: 256)
    return number
  }

  /// All instructions that can be reached without consuming a byte.
  private func closure(of entries: [Int], atStart: Bool) -> State {
    let now = reach(entries, atStart: atStart, atEnd: false)
    let atEnd = now.usesEnd ? reach(entries, atStart: atStart, atEnd: true).isMatch : now.isMatch
    return State(instructions: now.kept, isMatch: now.isMatch, isMatchAtEnd: atEnd)
  }

  private func reach(
    _ entries: [Int], atStart: Bool, atEnd: Bool
  ) -> (kept: [Int], isMatch: Bool, usesEnd: Bool) {
    var seen = Set<Int>()
    var (kept, isMatch, usesEnd) = ([Int](), false, false)
    var rest = entries
    while let index = rest.popLast() {
      guard seen.insert(index).inserted else { continue }
      switch program.instructions[index] {
      case .byte: kept.append(index)
      case .either(let first, let second): rest += [second, first]
      case .start(let next): if atStart { rest.append(next) }
      case .end(let next):
        usesEnd = true
        // Kept, because two states that differ only in it differ at the end of the text.
        if atEnd { rest.append(next) } else { kept.append(index) }
      case .match: isMatch = true
      }
    }
    return (isMatch ? [] : kept.sorted(), isMatch, usesEnd)
  }
}
