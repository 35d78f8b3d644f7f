import ZooKeeperProtocol

/// What a server can tell of itself at one moment: the one source of four-letter words, AdminServer and metrics.
struct ServerReport: Sendable {
  var configuration: ServerConfiguration
  /// The port that is listened on; the configured one may be 0.
  var clientPort: Int
  var serverID: Int64
  /// `standalone`, `leader`, `follower`, `observer`.
  var mode: String
  var zxid: Zxid
  var uptimeMilliseconds: Int64
  /// Now, in milliseconds since 1970.
  var wallMilliseconds: Int64
  var latency: LatencyReport
  var packetsReceived: Int
  var packetsSent: Int
  var outstandingRequests: Int
  var connections: [ConnectionReport]
  var znodeCount: Int
  /// Bytes of paths and data.
  var approximateDataSize: Int
  var watches: WatchReport
  var sessions: SessionReport
  var treeDigest: UInt64
  var dataDirectorySize: Int
  var logDirectorySize: Int
  var openFileDescriptors: Int
  var maximumFileDescriptors: Int
  var authFailures: Int
  var snapshot: (zxid: Zxid, wallMilliseconds: Int64)?
  /// nil for a server alone.
  var ensemble: EnsembleReport?
}

/// Milliseconds between a request's arrival and its answer.
struct LatencyReport: Hashable, Sendable {
  var minimum = 0
  var maximum = 0
  var total = 0
  var count = 0

  /// The mean, 0 without requests.
  var average: Double { count == 0 ? 0 : Double(total) / Double(count) }
}

/// One client connection.
struct ConnectionReport: Sendable {
  /// `127.0.0.1:54321`.
  var remoteAddress: String
  /// nil before the handshake, and for the connection that asks.
  var sessionID: SessionID?
  /// Whether it is being read; a throttled connection is not.
  var isReading: Bool
  var queued: Int
  var received: Int
  var sent: Int
  /// The last operation, as `cons` names it.
  var lastOperation: String
  /// When it was accepted, in milliseconds since 1970.
  var establishedMilliseconds: Int64
  var timeoutMilliseconds: Int64
  var lastXid: Int32?
  var lastZxid: Zxid
  /// When it was last answered, in milliseconds of the server's clock.
  var lastResponseMilliseconds: Int64
  var latency: LatencyReport
  var lastLatency: Int
  /// When it is closed for silence, in milliseconds since 1970.
  var expiryMilliseconds: Int64
}

/// The watches that clients have set.
struct WatchReport: Sendable {
  /// Session and path of every data watch, sorted.
  var dataWatches: [(session: SessionID, path: String)]
  var count: Int
}

/// The sessions that are alive.
struct SessionReport: Sendable {
  /// All of the ensemble, whoever watches over them.
  var count: Int
  /// When each expires, in milliseconds since 1970, and its id.
  var expiries: [(milliseconds: Int64, session: SessionID)]
  /// The ephemeral znodes of each session that has any.
  var ephemerals: [(session: SessionID, paths: [String])]

  var ephemeralCount: Int { ephemerals.reduce(0) { $0 + $1.paths.count } }
}
