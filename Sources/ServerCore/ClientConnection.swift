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

/// One client's connection: what it has proved, what it waits for, and what is to be sent to it.
///
/// The driver makes one with `ServerCore.accept`, hands every frame that arrives to `ServerCore.receive`, and
/// sends what is in `output` whenever the connection is among `ServerCore.takeTouched`.
///
/// *Thread*: the server's.
package final class ClientConnection {
  /// Where the connection stands in its life.
  package enum State: Sendable {
    /// The first frame is due.
    case awaitingConnect
    /// Its session is being made.
    case opening
    case open
    /// Nothing is read any more; what is in `output` is still to be sent, then the connection is closed.
    case closed
  }

  /// A request that waits for its turn.
  enum Pending {
    /// A write under way, answered when its transaction is applied.
    case write(xid: Xid, opCode: OpCode, startMilliseconds: Int64)
    /// A read behind such a write: its frame's payload.
    case read([UInt8], startMilliseconds: Int64)
    /// A sync that the leader has not answered yet: its frame's payload.
    case sync([UInt8], startMilliseconds: Int64)
    /// An answer without a body that must not overtake.
    case error(xid: Xid, opCode: OpCode, KeeperError, startMilliseconds: Int64)
  }

  /// Output after which a connection's reads wait until it is sent.
  package static let outputTargetBytes = 1 << 20
  /// Output that may wait at most; more ends the connection.
  package static let outputLimitBytes = 64 << 20

  /// Counts up from 1 on each server.
  package let number: UInt64
  /// The client's numeric address.
  package let address: String
  package internal(set) var state = State.awaitingConnect
  package internal(set) var sessionID = SessionID.none
  package internal(set) var sessionTimeoutMilliseconds: Int32 = 0
  package internal(set) var identities: [Identity]
  /// Whole frames to send. The driver empties it.
  package var output = JuteWriter()
  package internal(set) var statistics = ConnectionStatistics()

  var session: SessionRecord?
  var pending = Deque<Pending>()
  /// Syncs in `pending` that the leader has answered.
  var releasedSyncCount = 0
  /// Frames that came before the session was there.
  var heldFrames: [[UInt8]] = []
  /// Whether the client's first frame had the read-only byte, without which the answer has none either.
  var hasReadOnlyByte = true
  var isTouched = false
  /// The last event sent, so that none is sent twice for one change.
  var eventMark: UInt64 = 0
  var dataWatches: [WatchPath: WatchModes] = [:]
  var childWatches: [WatchPath: WatchModes] = [:]

  /// A connection from `address`, which is its first identity.
  init(number: UInt64, address: String) {
    self.number = number
    self.address = address
    identities = [Identity(scheme: "ip", id: address)]
  }

  /// Requests that were read and not answered.
  package var outstandingCount: Int { pending.count + heldFrames.count }

  /// Whether reads wait for nothing but room for their answers, see `ServerCore.resumeReads`.
  package var hasHeldReads: Bool {
    if case .read? = pending.first { return state == .open }
    return false
  }

  /// Paths watched in each table.
  package var watchCount: Int { dataWatches.count + childWatches.count }

  /// The paths of the data watches, in no order: what `wchc` lists.
  package var watchedPaths: [String] { dataWatches.keys.map(\.path) }
}

/// Plain numbers about one connection, for `cons` and `stat`.
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

/// Least, greatest and mean of some times.
package struct LatencyStatistics: Hashable, Sendable {
  package private(set) var count = 0
  package private(set) var totalMilliseconds: Int64 = 0
  package private(set) var minimumMilliseconds: Int64 = 0
  package private(set) var maximumMilliseconds: Int64 = 0

  /// No times yet.
  package init() {}

  /// Adds one time.
  package mutating func add(_ milliseconds: Int64) {
    minimumMilliseconds = count == 0 ? milliseconds : min(minimumMilliseconds, milliseconds)
    maximumMilliseconds = max(maximumMilliseconds, milliseconds)
    totalMilliseconds += milliseconds
    count += 1
  }

  /// The mean; 0 when there is none.
  package var meanMilliseconds: Double { count == 0 ? 0 : Double(totalMilliseconds) / Double(count) }
}
