/// What a load is made of.
public struct LoadPlan: Hashable, Sendable {
  /// What the requests are.
  public enum Work: String, CaseIterable, Sendable {
    /// Data is read.
    case read
    /// Data is replaced.
    case write
    /// Data is read, and a part of the requests replaces it.
    case mixed
    /// Znodes are created and deleted in turn.
    case create
  }

  public var work: Work
  /// How many clients there are.
  public var sessionCount = 1
  /// How many requests of each client wait for their replies at a time.
  public var inFlight = 1
  /// How large data is.
  public var sizeBytes = 100
  /// How many znodes there are to read and to change.
  public var keyCount = 1000
  /// The share of reads in mixed work, in percent.
  public var readPercent = 90
  /// After how many requests the load ends; nil for none.
  public var requestCount: Int?
  /// After which time it ends; nil for none.
  public var duration: Duration?

  public init(_ work: Work) { self.work = work }
}

/// What a load has come to.
public struct LoadResult: Hashable, Sendable {
  public var reads = LatencyHistogram()
  public var writes = LatencyHistogram()
  /// How many requests failed, by the name of the failure.
  public var failures: [String: Int] = [:]
  public var seconds = 0.0

  /// The requests that succeeded.
  public var count: UInt64 { reads.count + writes.count }

  /// Requests a second.
  public var rate: Double { seconds > 0 ? Double(count) / seconds : 0 }

  /// Takes what another session has come to.
  mutating func add(_ other: LoadResult) {
    reads.add(other.reads)
    writes.add(other.writes)
    failures.merge(other.failures, uniquingKeysWith: +)
  }
}
