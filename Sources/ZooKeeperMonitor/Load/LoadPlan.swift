/// The parameters of a load.
public struct LoadPlan: Hashable, Sendable {
  /// The kinds of requests.
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
  /// The number of clients.
  public var sessionCount = 1
  /// The number of requests that each client has in flight.
  public var inFlight = 1
  /// The size of the data.
  public var sizeBytes = 100
  /// The number of znodes to read and change.
  public var keyCount = 1000
  /// The share of reads in mixed work, in percent.
  public var readPercent = 90
  /// The number of requests after which the load ends; nil for no limit.
  public var requestCount: Int?
  /// The time after which it ends; nil for no limit.
  public var duration: Duration?

  public init(_ work: Work) { self.work = work }
}

/// The result of a load.
public struct LoadResult: Hashable, Sendable {
  public var reads = LatencyHistogram()
  public var writes = LatencyHistogram()
  /// The numbers of failed requests by error.
  public var failures: [String: Int] = [:]
  public var seconds = 0.0

  /// The number of successful requests.
  public var count: UInt64 { reads.count + writes.count }

  /// Requests a second.
  public var rate: Double { seconds > 0 ? Double(count) / seconds : 0 }

  /// Adds the result of another session.
  mutating func add(_ other: LoadResult) {
    reads.add(other.reads)
    writes.add(other.writes)
    failures.merge(other.failures, uniquingKeysWith: +)
  }
}
