internal import DequeModule
internal import ZooKeeperProtocol

/// How many requests a server handles at a time, and how many bytes of large ones.
///
/// With none of the limits, a request passes one branch.
///
/// *Source*: `RequestThrottler`, `Request.isStale`, `ZooKeeperServer.checkRequestSizeWhenMessageReceived`, with their
/// defaults; names in comments are those of system properties.
package struct RequestLimits: Hashable, Sendable {
  /// `request_throttle_max_requests`: with so many unanswered requests, others wait; 0 for any number.
  package var maximumRequests = 0
  /// `request_throttle_stall_time`: how often those that wait are looked at, if nothing happens, in milliseconds.
  package var stallMilliseconds = 100
  /// `request_throttle_drop_stale`: whether requests that wait are dropped when they have become stale.
  package var dropsStaleRequests = true
  /// `request_stale_connection_check`: whether requests of a closed connection are stale.
  package var isStaleWithoutConnection = true
  /// `request_stale_latency_check`: whether requests that are older than the timeout of their session are stale.
  package var isStaleAfterSessionTimeout = false
  /// `throttled_op_wait_time`: requests that have waited for longer, in milliseconds, are refused; 0 for none.
  package var refusalMilliseconds = 0
  /// `largeRequestThreshold`: requests of more bytes are large; nil for none.
  package var largeRequestThresholdBytes: Int?
  /// `largeRequestMaxBytes`: the bytes of all large requests that are not answered.
  package var largeRequestLimitBytes = 100 << 20

  /// The requests of closed connections that are kept because stale ones are not dropped, in bytes. Apache's servers
  /// keep any number.
  static let orphanLimitBytes = 16 << 20

  /// The limits of an Apache server whose configuration says nothing of them: none.
  package init() {}

  /// Whether there is any limit.
  var isOn: Bool { maximumRequests > 0 || largeRequestThresholdBytes != nil }
}

/// A request that waits until fewer are unanswered: the payload of its frame.
struct WaitingRequest {
  let bytes: [UInt8]
  /// When it came, in milliseconds of the monotonic clock.
  let sinceMilliseconds: Int64

  /// nil for an operation that is not known, or a frame that is too short.
  var opCode: OpCode? {
    guard bytes.count >= 8 else { return nil }
    return bytes.withUnsafeBytes { OpCode(rawValue: $0.loadBigEndian(at: 4, as: Int32.self)) }
  }

  var xid: Xid {
    guard bytes.count >= 8 else { return Xid(rawValue: 0) }
    return bytes.withUnsafeBytes { Xid(rawValue: $0.loadBigEndian(at: 0, as: Int32.self)) }
  }
}

/// The connections whose requests wait. Each has its turn with one request, so that a client with many of them does not
/// keep the others waiting.
struct WaitingConnections {
  /// Each connection with requests that wait once, and some that no longer have any.
  var ring = Deque<ClientConnection>()
  /// The requests of all of them.
  var requestCount = 0
  /// The bytes of those whose connections are closed.
  var orphanBytes = 0
  /// The bytes of large requests that have come, or are coming, and are not answered.
  var largeBytes = 0
  /// The connections whose clients do not read their answers, by number.
  var slow: [UInt64: ClientConnection] = [:]

  /// Adds a request at the end of those of its connection.
  mutating func append(_ request: WaitingRequest, of connection: ClientConnection) {
    connection.waiting.append(request)
    requestCount += 1
    guard !connection.isInRing else { return }
    connection.isInRing = true
    ring.append(connection)
  }

  /// Removes and returns the oldest request of the first connection, which then is the last one.
  mutating func popFirst() -> (request: WaitingRequest, connection: ClientConnection)? {
    guard let connection = ring.popFirst() else { return nil }
    guard let request = connection.waiting.popFirst() else {
      connection.isInRing = false
      return nil
    }
    requestCount -= 1
    if connection.waiting.isEmpty { connection.isInRing = false } else { ring.append(connection) }
    return (request, connection)
  }

  /// Drops the requests of a connection from the one at `index` on.
  ///
  /// - Returns: their number.
  mutating func drop(of connection: ClientConnection, from index: Int = 0) -> Int {
    let count = connection.waiting.count - index
    guard count > 0 else { return 0 }
    connection.waiting.removeLast(count)
    requestCount -= count
    // The connections of dropped requests leave the ring when their turn comes, unless they become too many.
    if ring.count > 64, ring.count > 2 * requestCount { compact() }
    return count
  }

  private mutating func compact() {
    var kept = Deque<ClientConnection>()
    for connection in ring {
      if connection.waiting.isEmpty { connection.isInRing = false } else { kept.append(connection) }
    }
    ring = kept
  }
}
