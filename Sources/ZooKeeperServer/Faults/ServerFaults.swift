/// The faults of a server of a local ensemble: of its links to other servers, of its disk, and of its clock.
package struct ServerFaults: Hashable, Sendable {
  /// The faults of what a server sends to another one.
  package struct Link: Hashable, Sendable {
    /// How much later each message arrives.
    package var delay = Duration.zero
    /// The most by which the delay of a message differs from that, in either direction.
    package var jitter = Duration.zero
    /// The probability with which a message breaks the connection instead of arriving.
    package var breakProbability = 0.0

    package init() {}
  }

  /// Servers with which traffic is blocked in both directions.
  package var severed: Set<Int64> = []
  /// By the id of the other server.
  package var links: [Int64: Link] = [:]
  /// What the decisions about messages are derived from.
  package var seed: UInt64 = 0
  /// How much longer each sync of the log takes.
  package var syncDelay = Duration.zero
  /// What is added to the wall clock.
  package var clockOffset = Duration.zero

  package init() {}
}
