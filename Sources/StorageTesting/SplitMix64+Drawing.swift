package import ZooKeeperProtocol

/// How tests and simulations draw.
extension SplitMix64 {
  /// A number of the range.
  package mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  /// A place among `count`.
  package mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  /// True in so many of a thousand cases.
  package mutating func chance(_ permille: Int) -> Bool { Int(next() % 1000) < permille }
}
