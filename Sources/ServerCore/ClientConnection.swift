internal import DequeModule
package import Jute
package import ZooKeeperProtocol

/// Which watches a connection has on a path in one of the two tables.
struct WatchModes: OptionSet {
  let rawValue: UInt8

  static let standard = WatchModes(rawValue: 1)
  static let persistent = WatchModes(rawValue: 2)
  static let recursive = WatchModes(rawValue: 4)
}

/// One client's connection: its identities, the requests that wait, and the output.
///
/// The driver creates one with `ServerCore.accept`, passes every frame that arrives to `ServerCore.receive`, and sends
/// `output` whenever `ServerCore.takeTouched` returns the connection.
///
/// Overlapping accesses are not looked for at run time; `ServerCore` says why.
///
/// *Thread*: the server's.
package final class ClientConnection {
  /// The states of a connection.
  package enum State: Sendable {
    /// The handshake has not come yet.
    case awaitingConnect
    /// Its session is being created or checked.
    case opening
    /// Its session is established.
    case open
    /// Nothing more is read. The driver sends what is left in `output`, then closes the connection.
    case closed
  }

  /// A request that waits to be answered. Clients expect replies in the order of their requests.
  enum Pending {
    /// A write, answered when its transaction is applied.
    case write(xid: Xid, opCode: OpCode, startMicroseconds: Int64)
    /// A read that came after such a write: the payload of its frame.
    case read([UInt8], startMicroseconds: Int64)
    /// A sync that the leader has not answered yet: the payload of its frame.
    case sync([UInt8], startMicroseconds: Int64)
    /// A reply without a body that must not overtake others.
    case error(xid: Xid, opCode: OpCode, KeeperError, startMicroseconds: Int64)
    /// The end of a local session, which takes no transaction.
    case end(xid: Xid, startMicroseconds: Int64)
  }

  /// A large request, by the number of requests that are answered before it.
  struct LargeRequest {
    let index: Int
    let bytes: Int
  }

  /// With this much output, in bytes, a connection's reads wait until some of it was sent.
  package static let outputTargetBytes = 1 << 20
  /// How many frames, and of how many bytes, may wait for the answer to a SASL token. Clients wait for that answer
  /// themselves.
  static let heldLimitCount = 1000
  static let heldLimitBytes = 1 << 20
  /// The upper bound on a connection's output, in bytes. If it is exceeded, the connection is closed.
  package static let outputLimitBytes = 64 << 20

  /// Unique on a server, and ascending from 1.
  package let number: UInt64
  /// The client's numeric address.
  package let address: String
  @exclusivity(unchecked) package internal(set) var state = State.awaitingConnect
  @exclusivity(unchecked) package internal(set) var sessionID = SessionID.none
  package internal(set) var sessionTimeoutMilliseconds: Int32 = 0
  @exclusivity(unchecked) package internal(set) var identities: [Identity]
  /// Whole frames to send. The driver empties it.
  @exclusivity(unchecked) package var output = JuteWriter()
  @exclusivity(unchecked) package internal(set) var statistics = ConnectionStatistics()

  @exclusivity(unchecked) var session: SessionRecord?
  @exclusivity(unchecked) var pending = Deque<Pending>()
  /// The requests in `pending` that the leader will refuse because they create ephemerals of a local session.
  var refusedEphemerals = Deque<Xid>()
  /// The number of syncs in `pending` that the leader has answered.
  @exclusivity(unchecked) var releasedSyncCount = 0
  /// Frames that came before the session was established, or while a SASL token was with the driver.
  var heldFrames: [[UInt8]] = []
  /// The bytes of the frames that came while a SASL token was with the driver.
  var heldBytes = 0
  /// The requests that wait until the server has fewer to answer.
  @exclusivity(unchecked) var waiting = Deque<WaitingRequest>()
  /// Whether it is among the connections that take turns.
  @exclusivity(unchecked) var isInRing = false
  /// Whether requests of it are handled although its client has closed it.
  var outlivesClient = false
  /// Whether the client does not take its answers at present.
  @exclusivity(unchecked) var isReaderSlow = false
  /// The number of requests that were taken from `pending`; counted when requests are limited.
  @exclusivity(unchecked) var finishedCount = 0
  /// The large requests in `pending`, and the bytes that the connection counts for in all.
  @exclusivity(unchecked) var largeRequests = Deque<LargeRequest>()
  @exclusivity(unchecked) var largeBytes = 0
  /// The bytes of a large request whose frame is not complete.
  @exclusivity(unchecked) var expectedLargeBytes = 0
  /// The request whose SASL token is with the driver.
  @exclusivity(unchecked) var saslXid: Xid?
  /// Whether the client's handshake had the read-only byte; without it, the answer must not have it either.
  var hasReadOnlyByte = true
  /// Whether the connection is among those that `ServerCore.takeTouched` will return.
  @exclusivity(unchecked) var hasPendingOutput = false
  /// The number of the last event sent, so that a connection gets one event for a change even if several of its watches
  /// match.
  @exclusivity(unchecked) var eventMark: UInt64 = 0
  @exclusivity(unchecked) var dataWatches: [PathKey: WatchModes] = [:]
  @exclusivity(unchecked) var childWatches: [PathKey: WatchModes] = [:]

  /// A connection from `address`, which is its first identity.
  init(number: UInt64, address: String) {
    self.number = number
    self.address = address
    identities = [Identity(scheme: "ip", id: address)]
  }

  /// The number of requests that were read and not answered.
  package var outstandingCount: Int { pending.count + heldFrames.count + waiting.count + (saslXid == nil ? 0 : 1) }

  /// Whether requests wait only because of the amount of output; see `ServerCore.resumeReads`.
  package var hasHeldReads: Bool {
    switch pending.first {
    case .read, .error, .end: state == .open
    case .write, .sync, nil: false
    }
  }

  /// The number of watched paths, counted in each of the two tables.
  package var watchCount: Int { dataWatches.count + childWatches.count }
}

/// The statistics of one connection, for `cons` and `stat`.
package struct ConnectionStatistics: Hashable, Sendable {
  package var receivedCount = 0
  package var sentCount = 0
  /// nil until a request has been answered; the operation's number.
  package var lastOpCode: OpCode?
  /// nil until a request with an xid of at least 0 has been answered.
  package var lastXid: Xid?
  package var lastZxid = Zxid.zero
  package var lastResponseMilliseconds: Int64 = 0
  package var lastLatencyMilliseconds: Int64 = 0
  package var latency = LatencyStatistics()

  /// All zero.
  package init() {}
}

/// Minimum, maximum and mean of latencies.
package struct LatencyStatistics: Hashable, Sendable {
  package private(set) var count = 0
  package private(set) var totalMilliseconds: Int64 = 0
  package private(set) var minimumMilliseconds: Int64 = 0
  package private(set) var maximumMilliseconds: Int64 = 0

  package init() {}

  /// Adds a latency.
  package mutating func add(_ milliseconds: Int64) {
    minimumMilliseconds = count == 0 ? milliseconds : min(minimumMilliseconds, milliseconds)
    maximumMilliseconds = max(maximumMilliseconds, milliseconds)
    totalMilliseconds += milliseconds
    count += 1
  }

  /// The mean; 0 if nothing was added.
  package var meanMilliseconds: Double { count == 0 ? 0 : Double(totalMilliseconds) / Double(count) }
}
