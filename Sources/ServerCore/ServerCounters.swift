/// Plain numbers about the whole server, for `stat`, `mntr` and metrics.
public struct ServerCounters: Hashable, Sendable {
  /// Frames read.
  public var packetsReceived = 0
  /// Replies and events written.
  public var packetsSent = 0
  /// Requests read and not yet answered.
  public var outstandingRequests = 0
  /// Times from request to answer.
  public var latency = LatencyStatistics()
  /// Bytes of the answers, without their lengths.
  public var responseSizes = ResponseSizes()
  public var sessionsCreated = 0
  public var sessionsExpired = 0
  public var eventsSent = 0
  /// Events kept from connections that may not read the znode.
  public var eventsFiltered = 0
  public var authFailures = 0
  /// Transactions after which the digest was not the one that the leader had computed.
  public var digestMismatches = 0
  public var containersDeleted = 0

  /// All zero.
  public init() {}
}

/// Bytes of the last, the smallest and the largest answer; -1 before the first.
///
/// *Source*: `org.apache.zookeeper.server.quorum.BufferStats`.
public struct ResponseSizes: Hashable, Sendable {
  public private(set) var last = -1
  public private(set) var minimum = -1
  public private(set) var maximum = -1

  /// None yet.
  public init() {}

  /// Counts an answer.
  @inline(__always)
  mutating func note(_ bytes: Int) {
    last = bytes
    if minimum < 0 || bytes < minimum { minimum = bytes }
    if bytes > maximum { maximum = bytes }
  }
}
