import ZooKeeperProtocol

/// What the session machine needs to know; times in milliseconds.
struct SessionSettings: Equatable, Sendable {
  /// At least one.
  var servers: [ServerAddress]
  /// What is asked for; the server clamps it.
  var sessionTimeoutMilliseconds: Int64 = 30_000
  /// How long one round over all servers may take; each gets its share.
  var connectTimeoutMilliseconds: Int64 = 5_000
  var allowsReadOnly = false
  /// The largest frame sent or accepted, in bytes.
  var maximumFrameBytes = 0xfffff
  /// Feeds the shuffle of the servers and the jitter of the back-off.
  var seed: UInt64 = 0

  /// The least that one server gets to answer.
  static let leastAttemptMilliseconds: Int64 = 250
  /// The longest pause between two rounds.
  static let longestPauseMilliseconds: Int64 = 5_000
  /// The pause after the first fruitless round.
  static let firstPauseMilliseconds: Int64 = 100
  /// A connection that ends sooner is a short one.
  static let shortConnectionMilliseconds: Int64 = 500
  /// So many short connections in a row are bad luck; more are a server that drops everybody.
  static let shortConnectionLimit = 3
  /// In so many rounds in a row a server that lags would have caught up.
  static let roundsBehindLimit = 3
  /// A ping is sent at least this often, as Java's client does.
  static let longestPingIntervalMilliseconds: Int64 = 10_000

  /// How long one server gets to accept and answer.
  var attemptMilliseconds: Int64 {
    max(Self.leastAttemptMilliseconds, connectTimeoutMilliseconds / Int64(servers.count))
  }
}
