/// The state of a server of a sandbox.
public struct LocalMember: Hashable, Sendable {
  /// Whether it runs.
  public enum State: String, Hashable, Sendable {
    case running, paused, killed
  }

  /// The faults of the link between the server and another one.
  public struct Link: Hashable, Sendable {
    /// The other server.
    public var id: Int
    /// The delay of each message.
    public var delay: Duration
    /// The maximum deviation of the delay of a message, in both directions.
    public var jitter: Duration
    /// The probability with which a message breaks the connection instead of arriving.
    public var breakProbability: Double
  }

  public var id: Int
  public var state: State
  /// `leader`, `follower`, `looking` or `standalone`; nil if the server cannot be asked, as for all optional
  /// properties.
  public var role: String?
  /// Whether it serves clients.
  public var isServing: Bool
  /// The last transaction that it has applied.
  public var zxid: String?
  /// Sessions that are alive, in the whole ensemble.
  public var sessions: Int?
  /// Clients' connections to this server.
  public var connections: Int?
  /// Its address for clients.
  public var address: String
  /// The servers that it does not reach, sorted.
  public var cutOff: [Int]
  /// The links that have faults, by the id of the other server.
  public var faultyLinks: [Link] = []
  /// The delay of each sync of its log.
  public var diskDelay = Duration.zero
  /// The offset of its wall clock.
  public var clockOffset = Duration.zero
  /// The followers that are connected to a leader.
  var followers: [Int] = []
}
