/// The thresholds for warnings.
public struct HealthLimits: Hashable, Sendable {
  /// The average time from a request to its answer, since the server's start.
  public var latencyMilliseconds = 100.0
  /// The requests that wait in a server.
  public var outstandingCount: Int64 = 100
  /// The average time of a sync of the log.
  public var averageSyncMilliseconds = 50.0
  /// The longest sync of the log; Apache's servers log those above a second.
  public var longestSyncMilliseconds = 1000.0
  /// The allowed difference of clocks. Times of znodes are the leader's, and certificates and Kerberos depend on
  /// clocks.
  public var clockMilliseconds: Int64 = 1000
  /// The share of the allowed descriptors that may be in use.
  public var descriptorShare = 0.85
  /// The share of the disk that must be free.
  public var freeDiskShare = 0.05
  /// The space that must be free, in bytes: a new file of the log takes 64 MiB.
  public var freeDiskBytes: Int64 = 256 << 20

  public init() {}
}
