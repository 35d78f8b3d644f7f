import DequeModule
import Jute
import ZooKeeperProtocol

/// The life of one client session, as a pure state machine: which server to try, what to send, what a
/// frame means, when to give up.
///
/// It owns no socket and reads no clock. The driver reports each event together with the time, and performs the actions
/// that are returned, in their order; bytes to send gather in `outbound`. Times are milliseconds of any monotonic
/// clock.
///
/// ```
/// idle ─start→ connecting ─onConnected→ handshaking ─ConnectResponse→ connected
///                  ↑  └──── failed, next server ────────┘                 │ lost
///                  └── waiting (a round was fruitless) ←──────────────────┘
/// handshaking ─ConnectResponse, with SASL→ authenticating ─the mechanism is content→ connected
/// handshaking ─closed by a server that may lag→ comparing ─its last zxid, or none→ next server
/// any ─close→ closing ─reply or end of connection→ ended        any ─expired, auth failed→ ended
/// ```
///
/// Only a server can decide that the session has expired. However long none has answered, the first one that does is
/// asked for the old session: if all servers were down, no time has passed for the session either.
///
/// `Completion` is what the driver wants to have returned with a result. The machine only carries it.
///
/// *Source*: `ClientProtocol` 8; `org.apache.zookeeper.ClientCnxn`.
struct SessionMachine<Completion> {
  /// What the driver must do.
  enum Action {
    /// Open a connection and report it with the attempt's number.
    case connect(ServerAddress, attempt: Int)
    /// Close the connection of an attempt, or stop making it.
    case disconnect(attempt: Int)
    /// Report a call's result to its caller.
    case complete(Completion, Result<[UInt8], ZooKeeperError>)
    /// Deliver an event to its watchers.
    case notify([WatcherID], WatchEvent)
    /// End the watcher's sequence: its last event has been delivered.
    case finish(WatcherID)
    /// Ask the server, by `isro`, whether it is read-write, and report the answer.
    case probe(ServerAddress)
    /// Ask the server, by `srvr`, for its last zxid, and report the answer with the attempt's number.
    case compare(ServerAddress, attempt: Int)
    /// Pass the server's token, or none at the beginning, to the SASL mechanism, and report what it makes of it.
    case authenticate(ServerAddress, attempt: Int, token: [UInt8]?)
  }

  /// The states of the diagram above.
  enum Phase: Hashable {
    /// Not started yet.
    case idle
    /// No server could be used; the next round begins at the given time.
    case waiting(until: Int64)
    /// A connection is being opened.
    case connecting
    /// The handshake has been sent.
    case handshaking
    /// The server has accepted the session, and the client proves its identity by SASL.
    case authenticating(readOnly: Bool)
    /// A server has closed the connection of a session that has seen transactions. It is asked for its last zxid, to
    /// find out whether it has not applied them yet.
    case comparing
    /// The session is established.
    case connected(readOnly: Bool)
    /// The end of the session has been requested.
    case closing
    /// The session is over, for the given reason.
    case ended(ZooKeeperError.Code)
  }

  /// A request that has not been sent.
  struct Call {
    var id: RequestID
    var request: ClientRequest
    var watch: WatchIntent?
    var deadline: Int64?
    var completion: Completion
    /// The first attempt to connect that was begun for this request too.
    var firstAttempt = 0
  }

  /// What is kept of a request that was sent, until its reply comes. The request itself is not, since to move it costs
  /// as much as to encode it.
  struct SentCall {
    var id: RequestID
    var xid: Xid
    var watch: WatchIntent?
    var deadline: Int64?
    /// nil once the caller has been answered, for example because of a time limit. The reply is still expected.
    var completion: Completion?
    /// Whether the reply ends the session.
    var isClose = false
  }

  /// An identity that is proved on every connection.
  struct Identity {
    var packet: AuthPacket
    var id: RequestID
    var deadline: Int64?
    /// The caller of `addAuth`, until the first answer.
    var completion: Completion?
  }

  /// A caller that waits until the session is connected.
  struct Waiter {
    var id: RequestID
    var completion: Completion
    var failsFast: Bool
    var deadline: Int64?
    /// The first attempt to connect that was begun for this caller too.
    var firstAttempt = 0
  }

  let settings: SessionSettings
  var servers: [ServerAddress]
  var random: SplitMix64

  var phase = Phase.idle
  /// Bytes that the driver must send on the present connection.
  var outbound = JuteWriter()

  // The connection.
  var attempt = 0
  var serverIndex = -1
  /// Servers tried since the last connection, or since the round began.
  var triedInRound = 0
  /// Consecutive rounds over all servers, or short connections, without success. It determines the next pause.
  var fruitlessRounds = 0
  /// Consecutive connections that were lost soon after they were accepted.
  var shortConnections = 0
  /// When the present connection was accepted.
  var connectedSince: Int64 = 0
  /// Whether a request has been answered on the present connection.
  var hasBeenServed = false
  /// Consecutive rounds, with the session over by the clock, in which a server that serves lacked transactions that the
  /// session has seen.
  var roundsBehind = 0
  var failures: [ConnectFailure] = []
  var attemptDeadline: Int64 = 0
  var lastSent: Int64 = 0
  var lastReceived: Int64 = 0
  var sasl = SASLState()

  // The session.
  var sessionID = SessionID.none
  var password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
  var timeoutMilliseconds: Int64
  var lastZxidSeen = Zxid.zero
  /// Whether a read-write server has accepted the session. A session that only a read-only server has granted is not
  /// known to other servers, and cannot be resumed there.
  var hasSeenReadWrite = false
  var nextProbe: Int64?
  var probePauseMilliseconds: Int64 = 100
  var probeIndex = 0

  // The requests.
  var nextXid = Xid.first
  var queued: Deque<Call> = []
  var pending: Deque<SentCall> = []
  var streamed: Deque<StreamedCall> = []
  /// What the driver has to report to its stream.
  var streamReplies: [StreamReply] = []
  /// A lower bound of all calls' deadlines.
  var earliestDeadline: Int64?
  var identities: [Identity] = []
  var authsInFlight: Deque<Int> = []
  var waiters: [Waiter] = []
  var watches = WatchRegistry()

  /// A machine in `idle`. Its servers are shuffled, so that the clients of an ensemble spread over its servers.
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
    case .ended(.authFailed), .ended(.saslFailed): .authFailed
    case .ended, .closing: .closed
    case .idle, .waiting, .connecting, .handshaking, .authenticating, .comparing: .disconnected
    }
  }

  /// The server of the present connection or attempt.
  var server: ServerAddress? { serverIndex >= 0 ? servers[serverIndex] : nil }

  /// When `tick` must be called next; nil if nothing waits for time.
  var nextDeadline: Int64? {
    var deadlines: [Int64?] = [earliestDeadline, waiters.compactMap(\.deadline).min()]
    switch phase {
    case .waiting(let until): deadlines.append(until)
    case .connecting, .handshaking, .authenticating, .comparing, .closing: deadlines.append(attemptDeadline)
    case .connected: deadlines += [lastSent + pingInterval, lastReceived + readTimeout, nextProbe]
    case .idle, .ended: break
    }
    return deadlines.compactMap(\.self).min()
  }

  /// Makes the first attempt to connect.
  mutating func start(now: Int64, into actions: inout [Action]) {
    guard case .idle = phase else { return }
    connectToNext(now: now, into: &actions)
  }

  /// Handles the deadlines that have passed. A call before `nextDeadline` does nothing.
  mutating func tick(now: Int64, into actions: inout [Action]) {
    expireCalls(now: now, into: &actions)
    switch phase {
    case .waiting(let until):
      if now >= until { connectToNext(now: now, into: &actions) }
    case .connecting, .handshaking, .authenticating:
      guard now >= attemptDeadline else { return }
      actions.append(.disconnect(attempt: attempt))
      attemptFailed(attemptTimeout, now: now, into: &actions)
    case .comparing:
      if now >= attemptDeadline { attemptFailed(.closedWithoutAnswer, now: now, into: &actions) }
    case .connected(let readOnly): keepAlive(readOnly: readOnly, now: now, into: &actions)
    case .closing:
      if now >= attemptDeadline { end(.closed, into: &actions) }
    case .idle, .ended: break
    }
  }

  /// Why the present attempt is given up at its deadline.
  private var attemptTimeout: ConnectFailure.Reason {
    if case .authenticating = phase {
      return .authenticationTimedOut(milliseconds: settings.authenticationMilliseconds)
    }
    return .timedOut(connected: phase == .handshaking, milliseconds: settings.attemptMilliseconds)
  }

  /// Whether servers that ran all the time and heard nothing must have ended the session by now. If they were down
  /// themselves, the session may still exist, which only they can say.
  func isOverByTheClock(now: Int64) -> Bool {
    guard sessionID != .none, hasSeenReadWrite else { return false }
    switch phase {
    case .waiting, .connecting, .handshaking, .authenticating, .comparing:
      return now >= lastReceived + timeoutMilliseconds * 4 / 3
    case .idle, .connected, .closing, .ended: return false
    }
  }
}

/// Identifies a call within a client. Later calls have greater ids.
struct RequestID: RawRepresentable, Hashable, Comparable, Sendable {
  var rawValue: Int

  static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }
}
