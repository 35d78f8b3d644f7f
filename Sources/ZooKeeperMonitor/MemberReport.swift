public import ZooKeeperClient
public import ZooKeeperProtocol

/// What one server says about itself, however it was asked.
public struct MemberReport: Sendable {
  /// Whether the server serves clients.
  public enum State: Hashable, Sendable {
    case serving
    /// It is up, and belongs to no quorum.
    case notServing
    /// It does not answer, or refuses the client.
    case unreachable(ConnectFailure.Reason)
  }

  /// How a way of asking has worked.
  public enum Way: Hashable, Sendable {
    case answered
    /// `4lw.commands.whitelist` does not have the word.
    case notAllowed
    case failed(ConnectFailure.Reason)
    /// It was not tried.
    case untried
  }

  /// What a session has shown.
  public struct Session: Sendable {
    /// From the beginning of the connection to the server's grant of the session.
    public var handshakeMilliseconds: Double
    /// Its number, whose upper eight bits are those of the number of the server that has granted it.
    ///
    /// *Source*: `SessionTrackerImpl.initializeNextSessionId`.
    public var id: SessionID
    /// The last transaction that the server has shown.
    public var zxid: Zxid?
    /// The text of `/zookeeper/config`; nil if the server has none, or does not let this client read it.
    public var configuration: String?
    /// The ACL of the root; nil if it could not be read.
    public var rootACL: [ACL]?
    /// How far the server's clock is ahead of this machine's, in milliseconds; nil if the server does not show it.
    public var clockOffsetMilliseconds: Int64?

    /// How far one time is after another, in milliseconds: at most a million years, since servers may say anything.
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

  /// Where clients connect.
  public let address: ServerAddress
  public var state: State
  /// Its number in the ensemble, if anything tells it.
  public var id: ServerID?
  /// What `srvr` or `server_stats` say.
  public var status: ServerStatus?
  /// What `mntr` or `monitor` say.
  public var metrics: ServerMetrics?
  /// What `dump` says; asked of leaders and standalone servers only.
  public var dump: SessionDump?
  public var session: Session?
  /// Why there is no session, in the words of the error.
  public var sessionFailure: ZooKeeperError?
  /// The directory of the server's snapshots, as it is called on its own machine.
  public var dataDirectory: String?
  /// What came of each four-letter word that was asked.
  public var words: [String: Way] = [:]
  /// What came of asking the AdminServer.
  public var admin = Way.untried

  public init(address: ServerAddress, state: State) {
    self.address = address
    self.state = state
  }

  /// `leader`, `follower`, `observer`, `standalone`, `read-only`; nil if nothing shows it.
  public var role: String? { status?.mode ?? metrics?["server_state"] }

  /// The last transaction that the server has applied, as far as it was told.
  public var zxid: Zxid? { [status?.zxid, session?.zxid].compactMap(\.self).max() }

  /// The version without what follows a comma or a hyphen: `3.8.0`.
  public var version: String? {
    (status?.version ?? metrics?["version"]).map { String($0.prefix { $0 != "," && $0 != "-" }) }
  }

  public var connectionCount: Int64? { status?.connectionCount ?? metrics?.count("num_alive_connections") }
  public var outstandingCount: Int64? { status?.outstandingCount ?? metrics?.count("outstanding_requests") }
  public var znodeCount: Int64? { status?.znodeCount ?? metrics?.count("znode_count") }
  public var watchCount: Int64? { metrics?.count("watch_count") }

  /// How many sessions there are, as far as this server knows; a leader knows all.
  public var sessionCount: Int64? { metrics?.count("global_sessions") ?? dump.map { Int64($0.sessions.count) } }
}
