/// The syntax tree of a regular expression.
indirect enum PatternNode: Sendable {
  /// One character of a set.
  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  /// A repetition of the node; without an upper bound if `most` is nil.
  case repeated(PatternNode, least: Int, most: Int?)
  /// The start of the text.
  case start
  /// The end of the text.
  case end
}

/// Why a pattern cannot be used.
struct PatternError: Error, Hashable, Sendable {
  /// What is wrong, without a final stop.
  var message: String
}

/// A set of Unicode scalars, as ranges of their numbers.
struct ScalarSet: Hashable, Sendable {
  /// In order, without overlaps.
  private(set) var ranges: [ClosedRange<UInt32>]

  init(_ ranges: [ClosedRange<UInt32>]) { self.ranges = Self.merged(ranges) }

  init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

  /// Everything that is not in the set.
  var inverted: ScalarSet {
    var inverted: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges {
      if range.lowerBound > next { inverted.append(next...(range.lowerBound - 1)) }
      next = range.upperBound + 1
    }
    if next <= 0x10_ffff { inverted.append(next...0x10_ffff) }
    return ScalarSet(inverted)
  }

  /// The members of both.
  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

  /// The set with both cases of its letters, as far as these are single characters.
  ///
  /// Very large ranges are not expanded: patterns do not use them to list letters.
  var ignoringCase: ScalarSet {
    var all = ranges
    for range in ranges where range.count <= Self.largestFoldedRange {
      for scalar in range.lazy.compactMap(Unicode.Scalar.init) {
        for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
          let scalars = text.unicodeScalars
          if scalars.count == 1, let other = scalars.first { all.append(other.value...other.value) }
        }
      }
    }
    return ScalarSet(all)
  }

  private static let largestFoldedRange = 1024

  private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var merged: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        merged.append(range)
      }
    }
    return merged
  }
}

extension ScalarSet {
  static let digits = ScalarSet([0x30...0x39])
  static let blanks = ScalarSet([0x09...0x0d, 0x20...0x20])
  static let lowercase = ScalarSet([0x61...0x7a])
  static let uppercase = ScalarSet([0x41...0x5a])
  static let letters = lowercase.union(uppercase)
  static let wordCharacters = letters.union(digits).union(ScalarSet("_"))

  /// The classes of POSIX, in the C locale.
  static func posixClass(_ name: String) -> ScalarSet? {
    switch name {
    case "alpha": letters
    case "digit": digits
    case "alnum": letters.union(digits)
    case "upper": uppercase
    case "lower": lowercase
    case "space": blanks
    case "blank": ScalarSet([0x09...0x09, 0x20...0x20])
    case "punct": ScalarSet([0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e])
    case "xdigit": digits.union(ScalarSet([0x41...0x46, 0x61...0x66]))
    case "cntrl": ScalarSet([0x00...0x1f, 0x7f...0x7f])
    case "print": ScalarSet([0x20...0x7e])
    case "graph": ScalarSet([0x21...0x7e])
    default: nil
    }
  }
}
