/// A histogram of times in a fixed amount of memory.
///
/// Times are counted in classes whose width is at most 1/32 of the time, so that every percentile is accurate to about
/// 3 %, whatever the range of times.
///
/// *Source*: Gil Tene's HdrHistogram, whose classes are of this kind.
public struct LatencyHistogram: Hashable, Sendable {
  private static let subBits = 5
  private static let classCount = (64 - subBits) << subBits

  private var counts = [UInt64](repeating: 0, count: classCount)
  public private(set) var count: UInt64 = 0
  /// The sum of all times in nanoseconds, saturated at the largest value.
  public private(set) var sum: UInt64 = 0
  /// In nanoseconds; 0 without any time.
  public private(set) var shortest: UInt64 = 0
  /// In nanoseconds; 0 without any time.
  public private(set) var longest: UInt64 = 0

  /// An empty histogram.
  public init() {}

  /// Adds a time in nanoseconds; a negative one counts as zero.
  public mutating func add(nanoseconds: Int64) {
    let time = UInt64(max(0, nanoseconds))
    counts[Self.index(of: time)] += 1
    shortest = count == 0 ? time : min(shortest, time)
    longest = max(longest, time)
    count += 1
    let (total, overflows) = sum.addingReportingOverflow(time)
    sum = overflows ? .max : total
  }

  /// Adds all times of another histogram.
  public mutating func add(_ other: LatencyHistogram) {
    guard other.count > 0 else { return }
    for index in counts.indices { counts[index] += other.counts[index] }
    shortest = count == 0 ? other.shortest : min(shortest, other.shortest)
    longest = max(longest, other.longest)
    count += other.count
    let (total, overflows) = sum.addingReportingOverflow(other.sum)
    sum = overflows ? .max : total
  }

  /// The average in nanoseconds; 0 without any time.
  public var average: UInt64 { count == 0 ? 0 : sum / count }

  /// The time in nanoseconds that a share of all times does not exceed.
  ///
  /// - Parameter share: from 0 to 1, 0.99 for the 99th percentile.
  public func percentile(_ share: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let wanted = max(1, UInt64((Double(count) * min(max(share, 0), 1)).rounded(.up)))
    var seen: UInt64 = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= wanted { return min(max(Self.upperEnd(of: index), shortest), longest) }
    }
    return longest
  }

  private static func index(of time: UInt64) -> Int {
    let width = 64 - time.leadingZeroBitCount
    guard width > subBits + 1 else { return Int(time) }
    let shift = width - subBits - 1
    return shift << subBits + Int(time >> UInt64(shift))
  }

  /// The longest time of a class.
  private static func upperEnd(of index: Int) -> UInt64 {
    guard index >= 2 << subBits else { return UInt64(index) }
    let shift = index >> subBits - 1
    let start = UInt64(index - shift << subBits) << UInt64(shift)
    return start + (1 << UInt64(shift) - 1)
  }
}
