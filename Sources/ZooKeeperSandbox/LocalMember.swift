/// A server of a sandbox, as its owner sees it.
public struct LocalMember: Hashable, Sendable {
  /// What it is doing.
  public enum State: String, Hashable, Sendable {
    case running, paused, killed
  }

  /// The faults of what is sent between the server and another one.
  public struct Link: Hashable, Sendable {
    /// The other server.
    public var id: Int
    /// How much later each message arrives.
    public var delay: Duration
    /// The most by which the delay of a message differs from that, in either direction.
    public var jitter: Duration
    /// The probability with which a message breaks the connection instead of arriving.
    public var breakProbability: Double
  }

  public var id: Int
  public var state: State
  /// `leader`, `follower`, `looking` or `standalone`; nil when the server cannot be asked, as all that is optional.
  public var role: String?
  /// Whether it serves clients.
  public var isServing: Bool
  /// The last transaction that it has applied.
  public var zxid: String?
  /// Sessions that are alive, in the whole ensemble.
  public var sessions: Int?
  /// Clients' connections to this server.
  public var connections: Int?
  /// Where clients find it.
  public var address: String
  /// The servers that it does not reach, sorted.
  public var cutOff: [Int]
  /// The links that have faults, by the id of the other server.
  public var faultyLinks: [Link] = []
  /// How much longer each sync of its log takes.
  public var diskDelay = Duration.zero
  /// What is added to its wall clock.
  public var clockOffset = Duration.zero
  /// The followers that a leader hears from.
  var followers: [Int] = []
}
