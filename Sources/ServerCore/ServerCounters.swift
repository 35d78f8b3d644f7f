/// The statistics of the whole server, for `stat`, `mntr` and metrics.
package struct ServerCounters: Hashable, Sendable {
  /// Frames read.
  package var packetsReceived = 0
  /// Replies and events written.
  package var packetsSent = 0
  /// Requests read and not yet answered.
  package var outstandingRequests = 0
  /// Times from request to reply.
  package var latency = LatencyStatistics()
  /// Sizes of the replies, without the lengths in front of them.
  package var responseSizes = ResponseSizes()
  package var sessionsCreated = 0
  package var sessionsExpired = 0
  package var eventsSent = 0
  /// Events that were not sent because the client may not read the znode.
  package var eventsFiltered = 0
  package var authFailures = 0
  /// Transactions after which the digest was not the one that the leader had computed.
  package var digestMismatches = 0
  package var containersDeleted = 0

  /// All zero.
  package init() {}
}

/// The sizes of the last, the smallest and the largest reply, in bytes; -1 before the first.
///
/// *Source*: `org.apache.zookeeper.server.quorum.BufferStats`.
package struct ResponseSizes: Hashable, Sendable {
  package private(set) var last = -1
  package private(set) var minimum = -1
  package private(set) var maximum = -1

  package init() {}

  /// Adds the size of a reply.
  @inline(__always)
  mutating func note(_ bytes: Int) {
    last = bytes
    if minimum < 0 || bytes < minimum { minimum = bytes }
    if bytes > maximum { maximum = bytes }
  }
}
