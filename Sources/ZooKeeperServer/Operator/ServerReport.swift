import ZooKeeperProtocol

/// A consistent view of a server, from which four-letter words, the AdminServer and metrics are answered.
struct ServerReport: Sendable {
  var configuration: ServerConfiguration
  /// The port that is listened on; the configured one may be 0.
  var clientPort: Int
  /// -1 if there is none, as Apache's server reports it.
  var secureClientPort: Int
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
  /// Bytes of the last, the smallest and the largest answer to a client; -1 before the first.
  var responseBytes: (last: Int, minimum: Int, maximum: Int)
  /// The number of clients' connections, including that of the request for this report.
  var connectionCount: Int
  /// In the order in which they were accepted; empty unless requested.
  var connections: [ConnectionReport] = []
  var znodeCount: Int
  /// Bytes of paths and data.
  var approximateDataSize: Int
  var watches: WatchReport
  var sessions: SessionReport
  var treeDigest: UInt64
  /// 0 unless asked for.
  var dataDirectorySize = 0
  /// 0 unless asked for.
  var logDirectorySize = 0
  /// 0 unless asked for.
  var openFileDescriptors = 0
  /// 0 unless asked for.
  var maximumFileDescriptors = 0
  /// The space of the log's file system; nil unless asked for.
  var logDirectorySpace: (freeBytes: Int, totalBytes: Int)?
  /// What `set_trace_mask` has set.
  var traceMask = Int64(FourLetterWords.defaultTraceMask)
  /// What is measured, in the order of `MetricTable`; empty unless requested.
  var samples: [MetricSample] = []
  var authFailures: Int
  var snapshot: (zxid: Zxid, wallMilliseconds: Int64)?
  /// nil for a standalone server.
  var ensemble: EnsembleReport?

  /// Whether the server serves read-only clients, without a quorum.
  var isReadOnly: Bool { mode == "read-only" }
}

/// The parts of a report that take long to make, and are made only on request.
struct ReportParts: OptionSet, Sendable {
  let rawValue: Int

  /// Every connection.
  static let connections = ReportParts(rawValue: 1)
  /// Every data watch.
  static let watches = ReportParts(rawValue: 2)
  /// Every session with its ephemeral znodes.
  static let sessions = ReportParts(rawValue: 4)
  /// The sizes of files. Made away from the event loop.
  static let files = ReportParts(rawValue: 8)
  /// The descriptors that are open, and the space on the disk. Made away from the event loop.
  static let descriptors = ReportParts(rawValue: 16)
  /// What is measured.
  static let measurements = ReportParts(rawValue: 32)
  /// What `mntr` and its like report.
  static let metrics: ReportParts = [.descriptors, .measurements]
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
  /// nil before the handshake, and for the connection of the request for this report.
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
  /// Session and path of every data watch, unordered; empty unless requested.
  var dataWatches: [(session: SessionID, path: String)] = []
  /// Watches of both kinds.
  var count: Int
  /// Data watches, the paths that have some, and the connections.
  var dataSummary: (watches: Int, paths: Int, connections: Int)

  /// The paths of each session, both sorted.
  var pathsBySession: [(session: SessionID, paths: [String])] {
    Dictionary(grouping: dataWatches, by: \.session).sorted { $0.key.rawValue < $1.key.rawValue }
      .map { ($0.key, $0.value.map(\.path).sortedByBytes) }
  }

  /// The sessions of each path, in the order of the paths.
  var sessionsByPath: [(path: String, sessions: [SessionID])] {
    let sets = Dictionary(grouping: dataWatches, by: \.path)
    return sets.keys.sorted().map { path in
      (path, (sets[path] ?? []).map(\.session).sorted { $0.rawValue < $1.rawValue })
    }
  }
}

/// The sessions or connections that expire at one time.
struct ExpirySet<Member> {
  /// Since 1970.
  let milliseconds: Int64
  let members: [Member]

  /// The sets by time. The members of a set are in the order in which they are given.
  static func grouping(_ expiries: [(milliseconds: Int64, member: Member)]) -> [ExpirySet] {
    Dictionary(grouping: expiries, by: \.milliseconds).sorted { $0.key < $1.key }
      .map { ExpirySet(milliseconds: $0.key, members: $0.value.map(\.member)) }
  }
}

/// The sessions that are alive.
struct SessionReport: Sendable {
  /// The number of sessions of the whole ensemble, whichever server they are connected to.
  var count: Int
  /// The number of sessions that only this server knows.
  var localCount = 0
  /// Ephemeral znodes of all sessions.
  var ephemeralCount: Int
  /// When each expires, in milliseconds since 1970, and its id; unordered, and empty unless requested.
  var expiries: [(milliseconds: Int64, session: SessionID)] = []
  /// The same for the sessions that only this server knows; nil if it makes none.
  var localExpiries: [(milliseconds: Int64, session: SessionID)]?
  /// The ephemeral znodes of each session that has any; unordered, and empty unless requested.
  var ephemerals: [(session: SessionID, paths: [String])] = []

  /// The sessions that expire together: by time, and those of one time by id.
  static func expirySets(_ expiries: [(milliseconds: Int64, session: SessionID)]) -> [ExpirySet<SessionID>] {
    ExpirySet.grouping(expiries.sorted { $0.session.rawValue < $1.session.rawValue }.map { ($0, $1) })
  }

  /// `ephemerals` in order.
  var sortedEphemerals: [(session: SessionID, paths: [String])] {
    ephemerals.sorted { $0.session.rawValue < $1.session.rawValue }.map { ($0.session, $0.paths.sortedByBytes) }
  }
}

extension [String] {
  /// In the order of their bytes.
  fileprivate var sortedByBytes: [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
