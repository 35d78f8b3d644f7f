public import ZooKeeperClient
public import ZooKeeperProtocol

/// The report of one server, from all sources.
public struct MemberReport: Sendable {
  /// Whether the server serves clients.
  public enum State: Hashable, Sendable {
    case serving
    /// It is up, but is not part of a quorum.
    case notServing
    /// It does not answer, or refuses the client.
    case unreachable(ConnectFailure.Reason)
  }

  /// The outcome of asking in one way.
  public enum Way: Hashable, Sendable {
    case answered
    /// `4lw.commands.whitelist` does not allow it.
    case notAllowed
    case failed(ConnectFailure.Reason)
    /// It was not tried.
    case untried
  }

  /// What a session has found out.
  public struct Session: Sendable {
    /// The time from the start of the connection to the grant of the session.
    public var handshakeMilliseconds: Double
    /// Its id, whose upper eight bits are from the id of the server that has granted it.
    ///
    /// *Source*: `SessionTrackerImpl.initializeNextSessionId`.
    public var id: SessionID
    /// The last transaction that the server has shown.
    public var zxid: Zxid?
    /// The text of `/zookeeper/config`; nil if the server has none, or does not let this client read it.
    public var configuration: String?
    /// The ACL of the root; nil if it could not be read.
    public var rootACL: [ACL]?
    /// How far the server's clock is ahead of this machine's, in milliseconds; nil if the server does not report a
    /// time.
    public var clockOffsetMilliseconds: Int64?

    /// The difference of two times in milliseconds, limited to a million years, because servers can report any time.
    public static func clockOffset(from: Int64, to: Int64) -> Int64 {
      let limit = Int64(1) << 55
      let (offset, overflows) = to.subtractingReportingOverflow(from)
      return overflows ? (to < from ? -limit : limit) : min(max(offset, -limit), limit)
    }

    public init(id: SessionID, handshakeMilliseconds: Double) {
      self.id = id
      self.handshakeMilliseconds = handshakeMilliseconds
    }
  }

  /// The address for clients.
  public let address: ServerAddress
  public var state: State
  /// Its id in the ensemble, if it is known.
  public var id: ServerID?
  /// The answer to `srvr` or `server_stats`.
  public var status: ServerStatus?
  /// The answer to `mntr` or `monitor`.
  public var metrics: ServerMetrics?
  /// The answer to `dump`, which only leaders and standalone servers are asked for.
  public var dump: SessionDump?
  public var session: Session?
  /// The error if no session could be opened.
  public var sessionFailure: ZooKeeperError?
  /// The directory of the server's snapshots on its machine.
  public var dataDirectory: String?
  /// The outcome of each four-letter word.
  public var words: [String: Way] = [:]
  /// The outcome of asking the AdminServer.
  public var admin = Way.untried

  public init(address: ServerAddress, state: State) {
    self.address = address
    self.state = state
  }

  /// `leader`, `follower`, `observer`, `standalone`, `read-only`; nil if it is unknown.
  public var role: String? { status?.mode ?? metrics?["server_state"] }

  /// The last known transaction that the server has applied.
  public var zxid: Zxid? { [status?.zxid, session?.zxid].compactMap(\.self).max() }

  /// The version up to a comma or a hyphen: `3.8.0`.
  public var version: String? {
    (status?.version ?? metrics?["version"]).map { String($0.prefix { $0 != "," && $0 != "-" }) }
  }

  public var connectionCount: Int64? { status?.connectionCount ?? metrics?.count("num_alive_connections") }
  public var outstandingCount: Int64? { status?.outstandingCount ?? metrics?.count("outstanding_requests") }
  public var znodeCount: Int64? { status?.znodeCount ?? metrics?.count("znode_count") }
  public var watchCount: Int64? { metrics?.count("watch_count") }

  /// The number of sessions that this server knows; a leader knows all.
  public var sessionCount: Int64? { metrics?.count("global_sessions") ?? dump.map { Int64($0.sessions.count) } }
}
