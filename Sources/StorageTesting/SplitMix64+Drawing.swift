package import ZooKeeperProtocol

/// Random choices for tests and simulations.
extension SplitMix64 {
  /// A number in the range.
  package mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
    range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
  }

  /// An index below `count`.
  package mutating func index(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  /// True in `permille` of a thousand cases.
  package mutating func chance(_ permille: Int) -> Bool { Int(next() % 1000) < permille }
}
