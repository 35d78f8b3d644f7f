/// A pattern as a nondeterministic automaton over the bytes of UTF-8.
struct PatternProgram: Sendable {
  /// A step of the automaton, with the indices of the steps that follow.
  enum Instruction: Hashable, Sendable {
    /// One byte of a range, then another instruction.
    case byte(ClosedRange<UInt8>, then: Int)
    case either(Int, Int)
    case start(then: Int)
    case end(then: Int)
    case match
  }

  private(set) var instructions: [Instruction] = [.match]
  /// The first instruction.
  private(set) var entry = 0

  /// The maximum number of instructions, which bounds the work for each byte.
  private static let limit = 10_000

  /// The automaton that finds the pattern anywhere in a text.
  ///
  /// - Throws: `PatternError` if the pattern is too large.
  init(_ node: PatternNode) throws(PatternError) {
    let body = try add(node, then: 0)
    let loop = try add(.either(body, 0))
    let skip = try add(.byte(0...255, then: loop))
    instructions[loop] = .either(body, skip)
    entry = loop
  }

  private mutating func add(_ instruction: Instruction) throws(PatternError) -> Int {
    guard instructions.count < Self.limit else { throw PatternError(message: "the pattern is too large") }
    instructions.append(instruction)
    return instructions.count - 1
  }

  /// Adds instructions that match a node and continue at `next`.
  private mutating func add(_ node: PatternNode, then next: Int) throws(PatternError) -> Int {
    switch node {
    case .set(let set): return try add(set, then: next)
    case .sequence(let nodes):
      var next = next
      for node in nodes.reversed() { next = try add(node, then: next) }
      return next
    case .alternatives(let nodes):
      var entries: [Int] = []
      for node in nodes { entries.append(try add(node, then: next)) }
      return try either(entries)
    case .repeated(let node, let least, let most):
      var next = next
      if let most {
        let end = next
        for _ in 0..<(most - least) { next = try add(.either(try add(node, then: next), end)) }
      } else {
        let loop = try add(.either(next, next))
        instructions[loop] = .either(try add(node, then: loop), next)
        next = loop
      }
      for _ in 0..<least { next = try add(node, then: next) }
      return next
    case .start: return try add(.start(then: next))
    case .end: return try add(.end(then: next))
    }
  }

  private mutating func either(_ entries: [Int]) throws(PatternError) -> Int {
    guard var chosen = entries.last else { return try nothing() }
    for entry in entries.dropLast().reversed() { chosen = try add(.either(entry, chosen)) }
    return chosen
  }

  /// Adds an instruction that never matches: it leads only to itself.
  private mutating func nothing() throws(PatternError) -> Int {
    let index = instructions.count
    return try add(.either(index, index))
  }

  private mutating func add(_ set: ScalarSet, then next: Int) throws(PatternError) -> Int {
    var entries: [Int] = []
    for range in set.ranges {
      for sequence in UTF8Ranges.sequences(of: range) {
        var next = next
        for bytes in sequence.reversed() { next = try add(.byte(bytes, then: next)) }
        entries.append(next)
      }
    }
    return try either(entries)
  }
}

/// Ranges of characters as sequences of ranges of bytes.
///
/// A range is split until the encodings of its ends have the same length, and differ only in positions where every byte
/// in between is allowed.
private enum UTF8Ranges {
  /// The sequences for one range.
  static func sequences(of range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var sequences: [[ClosedRange<UInt8>]] = []
    var rest = [range]
    while let range = rest.popLast() {
      if let parts = parts(of: range) {
        rest += parts
      } else if let first = Unicode.Scalar(range.lowerBound), let last = Unicode.Scalar(range.upperBound) {
        sequences.append(zip(UTF8.encode(first)!, UTF8.encode(last)!).map { $0...$1 })
      }
    }
    return sequences
  }

  /// Two or more ranges that together are the given one; nil if it need not be split.
  private static func parts(of range: ClosedRange<UInt32>) -> [ClosedRange<UInt32>]? {
    let (low, high) = (range.lowerBound, range.upperBound)
    // Surrogates are not characters.
    if low < 0xd800, high >= 0xd800 { return [low...0xd7ff, 0xd800...high] }
    if (0xd800..<0xe000).contains(low) { return high < 0xe000 ? [] : [0xe000...high] }
    for limit: UInt32 in [0x7f, 0x7ff, 0xffff] where low <= limit && high > limit {
      return [low...limit, (limit + 1)...high]
    }
    guard high > 0x7f else { return nil }
    for level: UInt32 in 1...3 {
      let mask = UInt32(1) << (6 * level) - 1
      guard low & ~mask != high & ~mask else { return nil }
      if low & mask != 0 { return [low...(low | mask), ((low | mask) + 1)...high] }
      if high & mask != mask { return [low...((high & ~mask) - 1), (high & ~mask)...high] }
    }
    return nil
  }
}
