import ZooKeeperProtocol

/// The session machine's part of the client's configuration; times in milliseconds.
struct SessionSettings: Equatable, Sendable {
  /// At least one.
  var servers: [ServerAddress]
  /// The session timeout to ask for; the server clamps it.
  var sessionTimeoutMilliseconds: Int64 = 30_000
  /// How long one round over all servers may take; it is divided among them.
  var connectTimeoutMilliseconds: Int64 = 5_000
  var allowsReadOnly = false
  /// Whether the client proves its identity by SASL on every connection.
  var authenticates = false
  /// The largest frame sent or accepted, in bytes.
  var maximumFrameBytes = 0xfffff
  /// Determines the order of the servers and the random part of the pauses.
  var seed: UInt64 = 0

  /// Each server gets at least this long to accept and answer, however many there are.
  static let leastAttemptMilliseconds: Int64 = 250
  static let leastAuthenticationMilliseconds: Int64 = 20_000
  /// The longest pause between two rounds.
  static let longestPauseMilliseconds: Int64 = 5_000
  /// The longest pause after the first round without success; it doubles with each further one.
  static let firstPauseMilliseconds: Int64 = 100
  /// A connection that ends within this time of its handshake is a short one.
  static let shortConnectionMilliseconds: Int64 = 500
  /// After more consecutive short connections than this, the client pauses before the next one: the server then is one
  /// that closes every connection.
  static let shortConnectionLimit = 3
  /// After this many consecutive rounds with servers that lack what the session has seen, the session is taken to be
  /// lost: a server that only lags would have caught up.
  static let roundsBehindLimit = 3
  /// A ping is sent at least this often, as by Java's client.
  static let longestPingIntervalMilliseconds: Int64 = 10_000

  /// How long a SASL exchange may take; Kerberos waits for the KDC meanwhile, and the library tries it several times.
  var authenticationMilliseconds: Int64 { max(Self.leastAuthenticationMilliseconds, connectTimeoutMilliseconds) }

  /// How long one server gets to accept and answer.
  var attemptMilliseconds: Int64 {
    max(Self.leastAttemptMilliseconds, connectTimeoutMilliseconds / Int64(servers.count))
  }
}
