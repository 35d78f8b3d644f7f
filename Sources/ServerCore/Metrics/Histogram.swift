/// The distribution of numbers such as durations and sizes, in buckets whose width grows with the numbers.
///
/// Numbers below 16 have a bucket each. Every range from a power of two to the next one, above that, has eight buckets
/// of the same width:
///
/// ```
/// 0 1 2 … 15 │ 16–17 18–19 … 30–31 │ 32–35 36–39 … 60–63 │ 64–71 …
/// ```
///
/// So count, sum, minimum and maximum are exact, and a quantile, which is taken from the middle of its bucket, differs
/// from the true one by at most a sixteenth of it. Numbers from 2^40 on, such as twelve days in microseconds, count in
/// the last bucket.
///
/// Adding a number costs a dozen instructions and allocates nothing: the buckets have a fixed size and belong to this
/// value alone, which is why it cannot be copied. What is reported of it is a `Distribution`.
package struct Histogram: ~Copyable {
  /// A power of two has as many buckets as this many bits can tell apart.
  private static let bucketBits = 3
  /// The numbers below have a bucket each.
  private static let exactLimit = 2 << bucketBits
  /// The largest number that is told apart from larger ones.
  private static let largest = (1 << 40) - 1
  static let bucketCount = bucket(of: largest) + 1

  private let buckets: UnsafeMutablePointer<Int>
  private var sum = 0
  private var minimum = Int.max
  private var maximum = 0

  /// A distribution of no numbers.
  package init() {
    buckets = .allocate(capacity: Self.bucketCount)
    buckets.initialize(repeating: 0, count: Self.bucketCount)
  }

  deinit { buckets.deallocate() }

  /// The bucket that a number from 0 to `largest` belongs to.
  @inline(__always)
  static func bucket(of number: Int) -> Int {
    if number < exactLimit { return number }
    let shift = Int.bitWidth - 1 - number.leadingZeroBitCount - bucketBits
    return shift << bucketBits + number >> shift
  }

  /// The numbers that belong to a bucket.
  static func numbers(in bucket: Int) -> ClosedRange<Int> {
    if bucket < exactLimit { return bucket...bucket }
    let shift = bucket >> bucketBits - 1
    let first = (bucket - shift << bucketBits) << shift
    return first...(first + 1 << shift - 1)
  }

  /// Adds a number, several times if `count` says so. A negative one, such as the time between two clocks that
  /// disagree, counts as 0.
  @inline(__always)
  package mutating func add(_ number: Int, count: Int = 1) {
    let number = min(max(0, number), Self.largest)
    sum &+= number &* count
    if number < minimum { minimum = number }
    if number > maximum { maximum = number }
    buckets[Self.bucket(of: number)] &+= count
  }

  /// Forgets all numbers.
  package mutating func reset() {
    buckets.update(repeating: 0, count: Self.bucketCount)
    sum = 0
    minimum = .max
    maximum = 0
  }

  /// What was added so far.
  ///
  /// *Complexity*: one pass over the buckets.
  package var distribution: Distribution {
    let all = UnsafeBufferPointer(start: buckets, count: Self.bucketCount)
    var result = Distribution()
    result.count = all.reduce(0, &+)
    guard result.count > 0 else { return result }
    result.sum = sum
    result.minimum = minimum
    result.maximum = maximum
    var seen = 0
    var next = 0
    for (bucket, count) in all.enumerated() where count > 0 {
      seen += count
      while next < Distribution.levels.count, Double(seen) >= Distribution.levels[next] * Double(result.count) {
        let range = Self.numbers(in: bucket)
        result.quantiles[next] = min(max((range.lowerBound + range.upperBound) / 2, minimum), maximum)
        next += 1
      }
    }
    return result
  }
}

/// What is reported of a `Histogram`.
package struct Distribution: Hashable, Sendable {
  /// The quantiles that are reported, ascending.
  package static let levels = [0.5, 0.9, 0.95, 0.99, 0.999]

  package var count = 0
  package var sum = 0
  /// 0 if there are no numbers.
  package var minimum = 0
  /// 0 if there are no numbers.
  package var maximum = 0
  /// For each of `levels`, the number that this share of all numbers does not exceed, within the error bound of
  /// `Histogram`; 0 if there are no numbers.
  package var quantiles = [Int](repeating: 0, count: levels.count)

  /// A distribution of no numbers.
  package init() {}

  /// One of the quantiles of `levels`.
  package func quantile(_ level: Double) -> Int { Self.levels.firstIndex(of: level).map { quantiles[$0] } ?? 0 }

  /// The mean, 0 if there are no numbers.
  package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }
}
