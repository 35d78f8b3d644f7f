import DequeModule
import Jute
import ZooKeeperProtocol

/// The life of one client session, as a pure state machine: which server to try, what to send, what a
/// frame means, when to give up.
///
/// It owns no socket and reads no clock. The driver reports what happened together with the time, and
/// carries out the actions that come back, in order; bytes to send gather in `outbound`. Times are
/// milliseconds of any monotonic clock.
///
/// ```
/// idle ─start→ connecting ─onConnected→ handshaking ─ConnectResponse→ connected
///                  ↑  └──── failed, next server ────────┘                 │ lost
///                  └── waiting (a round was fruitless) ←──────────────────┘
/// handshaking ─closed by a server that may be behind→ comparing ─its last zxid, or none→ next server
/// any ─close→ closing ─reply or end of connection→ ended        any ─expired, auth failed→ ended
/// ```
///
/// Only a server can tell that the session has expired. However long none has answered, the first that does is
/// asked for the old session: servers that were all down counted no time either.
///
/// `Completion` is whatever the driver wants back with a result: the machine only carries it.
///
/// *Source*: `ClientProtocol` 8; `org.apache.zookeeper.ClientCnxn`.
struct SessionMachine<Completion> {
  /// What the driver has to do.
  enum Action {
    /// Open a connection and report it with the attempt's number.
    case connect(ServerAddress, attempt: Int)
    /// Close the connection of an attempt, or stop making it.
    case disconnect(attempt: Int)
    case complete(Completion, Result<[UInt8], ZooKeeperError>)
    case notify([WatcherID], WatchEvent)
    /// The watcher's last event has been sent: it will get no more.
    case finish(WatcherID)
    /// Ask the server, by `isro`, whether it is read-write, and report it.
    case probe(ServerAddress)
    /// Ask the server, by `srvr`, for its last zxid, and report it with the attempt's number.
    case compare(ServerAddress, attempt: Int)
  }

  /// Where the session is.
  enum Phase: Hashable {
    case idle
    case waiting(until: Int64)
    case connecting
    case handshaking
    /// A server has closed the connection of a session that has seen transactions: is it behind them?
    case comparing
    case connected(readOnly: Bool)
    case closing
    case ended(ZooKeeperError.Code)
  }

  /// A request on its way: queued while there is no connection, pending once it is sent.
  struct Call {
    var id: RequestID
    var request: ClientRequest
    var watch: WatchIntent?
    var deadline: Int64?
    /// nil once the caller has been answered, by a time limit for example; the reply is still expected.
    var completion: Completion?
    var xid = Xid.first
  }

  /// An identity that is sent on every connection.
  struct Identity {
    var packet: AuthPacket
    var id: RequestID
    var deadline: Int64?
    /// The caller of `addAuth`, until the first answer.
    var completion: Completion?
  }

  /// Somebody who waits for the session to be connected.
  struct Waiter {
    var id: RequestID
    var completion: Completion
    var failsFast: Bool
    var deadline: Int64?
  }

  let settings: SessionSettings
  var servers: [ServerAddress]
  var random: SplitMix64

  var phase = Phase.idle
  /// Bytes that the driver has to send on the present connection.
  var outbound = JuteWriter()

  // The connection.
  var attempt = 0
  var serverIndex = -1
  /// Servers tried since the last connection, or since the round began.
  var triedInRound = 0
  /// Rounds over all servers, and connections, that came to nothing in a row.
  var fruitlessRounds = 0
  /// Connections in a row that were lost as soon as they were there.
  var shortConnections = 0
  /// When the present connection was accepted.
  var connectedSince: Int64 = 0
  /// Whether a request has been answered on the present connection.
  var hasBeenServed = false
  /// Rounds in a row, with the session over by the clock, in which a server that serves was behind what it has seen.
  var roundsBehind = 0
  var failures: [ConnectFailure] = []
  var attemptDeadline: Int64 = 0
  var lastSent: Int64 = 0
  var lastReceived: Int64 = 0

  // The session.
  var sessionID = SessionID.none
  var password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
  var timeoutMilliseconds: Int64
  var lastZxidSeen = Zxid.zero
  /// A session that only a read-only server has granted is that server's own: it cannot be moved.
  var hasSeenReadWrite = false
  var nextProbe: Int64?
  var probePauseMilliseconds: Int64 = 100
  var probeIndex = 0

  // The work.
  var nextXid = Xid.first
  var queued: Deque<Call> = []
  var pending: Deque<Call> = []
  /// No call's deadline is before this.
  var earliestDeadline: Int64?
  var identities: [Identity] = []
  var authsInFlight: Deque<Int> = []
  var waiters: [Waiter] = []
  var watches = WatchRegistry()

  /// A machine in `idle`, its servers shuffled by the seed.
  init(settings: SessionSettings) {
    precondition(!settings.servers.isEmpty, "a session needs a server")
    self.settings = settings
    random = SplitMix64(seed: settings.seed)
    servers = settings.servers.shuffled(using: &random)
    timeoutMilliseconds = settings.sessionTimeoutMilliseconds
  }

  /// The session's state in ZooKeeper's terms.
  var state: KeeperState {
    switch phase {
    case .connected(let readOnly): readOnly ? .connectedReadOnly : .syncConnected
    case .ended(.sessionExpired): .expired
    case .ended(.authFailed): .authFailed
    case .ended, .closing: .closed
    case .idle, .waiting, .connecting, .handshaking, .comparing: .disconnected
    }
  }

  /// The server of the present connection or attempt.
  var server: ServerAddress? { serverIndex >= 0 ? servers[serverIndex] : nil }

  /// When `tick` wants to be called next.
  var nextDeadline: Int64? {
    var deadlines: [Int64?] = [earliestDeadline, waiters.compactMap(\.deadline).min()]
    switch phase {
    case .waiting(let until): deadlines.append(until)
    case .connecting, .handshaking, .comparing, .closing: deadlines.append(attemptDeadline)
    case .connected: deadlines += [lastSent + pingInterval, lastReceived + readTimeout, nextProbe]
    case .idle, .ended: break
    }
    return deadlines.compactMap(\.self).min()
  }

  /// Begins to connect.
  mutating func start(now: Int64, into actions: inout [Action]) {
    guard case .idle = phase else { return }
    connectToNext(now: now, into: &actions)
  }

  /// Time has passed.
  mutating func tick(now: Int64, into actions: inout [Action]) {
    expireCalls(now: now, into: &actions)
    switch phase {
    case .waiting(let until):
      if now >= until { connectToNext(now: now, into: &actions) }
    case .connecting, .handshaking:
      guard now >= attemptDeadline else { return }
      let reason = ConnectFailure.Reason.timedOut(
        connected: phase == .handshaking, milliseconds: settings.attemptMilliseconds)
      actions.append(.disconnect(attempt: attempt))
      attemptFailed(reason, now: now, into: &actions)
    case .comparing:
      if now >= attemptDeadline { attemptFailed(.closedWithoutAnswer, now: now, into: &actions) }
    case .connected(let readOnly): keepAlive(readOnly: readOnly, now: now, into: &actions)
    case .closing:
      if now >= attemptDeadline { end(.closed, into: &actions) }
    case .idle, .ended: break
    }
  }

  /// Whether servers that have heard nothing all the while have ended the session by now. If they have been down
  /// themselves it may live on: only they can tell.
  func isOverByTheClock(now: Int64) -> Bool {
    guard sessionID != .none, hasSeenReadWrite else { return false }
    switch phase {
    case .waiting, .connecting, .handshaking, .comparing: return now >= lastReceived + timeoutMilliseconds * 4 / 3
    case .idle, .connected, .closing, .ended: return false
    }
  }
}

/// Names a call within a session, in the order of submission.
struct RequestID: RawRepresentable, Hashable, Comparable, Sendable {
  var rawValue: Int

  static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }
}
