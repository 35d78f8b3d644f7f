/// How long the syncs of the log took since the server was started.
struct SyncStatistics: Hashable, Sendable {
  private(set) var count = 0
  /// The sum of all, in nanoseconds; at its largest value if it would be larger.
  private(set) var totalNanoseconds: UInt64 = 0
  private(set) var shortestNanoseconds: UInt64 = 0
  private(set) var longestNanoseconds: UInt64 = 0

  /// Takes a sync.
  mutating func add(_ nanoseconds: UInt64) {
    shortestNanoseconds = count == 0 ? nanoseconds : min(shortestNanoseconds, nanoseconds)
    longestNanoseconds = max(longestNanoseconds, nanoseconds)
    count += 1
    totalNanoseconds = totalNanoseconds.addingClamped(nanoseconds)
  }

  /// Takes the syncs of another log.
  mutating func add(_ other: SyncStatistics) {
    guard other.count > 0 else { return }
    shortestNanoseconds = count == 0 ? other.shortestNanoseconds : min(shortestNanoseconds, other.shortestNanoseconds)
    longestNanoseconds = max(longestNanoseconds, other.longestNanoseconds)
    count += other.count
    totalNanoseconds = totalNanoseconds.addingClamped(other.totalNanoseconds)
  }

  /// The mean in milliseconds, 0 without syncs.
  var averageMilliseconds: Double { count == 0 ? 0 : Double(totalNanoseconds) / Double(count) / 1e6 }
}

extension UInt64 {
  fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
