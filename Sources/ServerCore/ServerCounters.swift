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
