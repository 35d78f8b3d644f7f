package import ZooKeeperProtocol

/// What a server is told to be: the meaning of a `zoo.cfg`, with Apache's defaults.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumPeerConfig`; `StorageFormat` E.1.
package struct ServerConfiguration: Hashable, Sendable {
  /// Snapshots, `myid` and epochs; nil keeps nothing.
  package var dataDirectory: String
  /// Transaction logs; `dataDirectory` when not set.
  package var logDirectory: String
  /// The base unit of all times, in milliseconds.
  package var tickTimeMilliseconds = 3000
  /// The addresses to listen on, numeric or names; none listens on loopback only.
  package var clientAddress: String?
  /// 0 takes any free port.
  package var clientPort = 2181
  /// Whether the port was given, rather than being Apache's usual one.
  package var isClientPortGiven = false
  /// Connections that wait to be accepted.
  package var listenBacklog = 128
  /// Connections from one address, 0 for any number.
  package var maximumConnectionsPerAddress = 60
  /// Connections in all, 0 for any number.
  package var maximumConnections = 0
  /// The bounds of session timeouts, in milliseconds; 2 and 20 ticks when not set.
  package var minimumSessionTimeoutMilliseconds: Int?
  package var maximumSessionTimeoutMilliseconds: Int?
  /// The largest frame from a client, in bytes.
  package var maximumFrameBytes = 0xfffff
  /// Requests in process after which connections are not read until some are answered.
  package var outstandingLimit = 1000
  package var logging = Logging()
  package var retention = Retention()
  package var fourLetterWords = FourLetterWordPolicy(allowed: ["srvr"])
  package var admin = Admin()
  package var metrics: Metrics?
  package var features = Features()
  /// The file that all this was read from, which is rewritten when the ensemble changes; nil for none.
  package var file: String?
  /// `server.N` lines as they stand, for `conf` and the ensemble.
  package var members: [String] = []
  /// All members of the ensemble, if the file has some; which of them the server is, `join` finds out.
  package var quorum: QuorumConfiguration?
  /// The one member of a file that describes no more, which is a server without an ensemble.
  package var loneMember: QuorumConfiguration.Member?
  package var quorumTimes = QuorumTimes()
  /// What `peerType` says, if the file has one.
  package var declaresObserver: Bool?
  /// The ensemble that the server belongs to; nil when it is alone.
  package var ensemble: Ensemble?

  /// The limits of an ensemble.
  package struct QuorumTimes: Hashable, Sendable {
    /// Ticks that finding an epoch and synchronizing may take.
    package var initLimitTicks = 10
    /// Ticks of silence after which another server counts as lost.
    package var syncLimitTicks = 5
    /// How long a call of another server may take, in milliseconds.
    package var connectTimeoutMilliseconds = 5000
    /// Whether calls of other servers are taken at any address of the machine.
    package var listensEverywhere = false
    /// Whether one participant alone is a server without an ensemble.
    package var isStandaloneAllowed = true
    /// How often listening on the election and quorum ports is tried again while the own name is not known; 0 for ever.
    package var listenRetries = 3
  }

  /// What a member of an ensemble must know.
  package struct Ensemble: Hashable, Sendable {
    package var serverID: ServerID
    /// All members, this server among them at first.
    package var quorum: QuorumConfiguration
    /// This server as the file has it.
    let ownMember: QuorumConfiguration.Member
    package var tickTimeMilliseconds = 3000
    package var times = QuorumTimes()
    /// Whether members may be added and removed.
    package var isReconfigEnabled = false

    /// A member with Apache's defaults.
    ///
    /// - Precondition: the server is among the members.
    package init(serverID: ServerID, quorum: QuorumConfiguration) {
      guard let own = quorum.member(serverID) else {
        preconditionFailure("server \(serverID) is not among the members")
      }
      self.serverID = serverID
      self.quorum = quorum
      ownMember = own
    }
  }

  /// How the log is written.
  package struct Logging: Hashable, Sendable {
    /// Whether a write is synced before it is acknowledged. `forceSync=no` gives durability away.
    package var forcesSync = true
    /// Bytes by which a log file grows ahead of what is written.
    package var preallocationBytes = 64 << 20
    /// Transactions after which a snapshot is taken, halved at random so that members do not snapshot together.
    package var snapshotCount = 100_000
    /// Whether a snapshot also waits until the log has grown by half as much as the tree has: a large tree would else
    /// be written again and again for a few changes. Not when the count is configured.
    package var snapshotsFollowTreeSize = true
    /// Bytes of log after which a snapshot is taken; 0 or less never.
    package var snapshotSizeBytes = 4 << 32
    /// Whether a log without any snapshot is replayed from nothing, instead of refused.
    package var trustsMissingSnapshot = false
    /// Whether directories that are missing are made.
    package var createsDirectories = true
    /// A sync over this is worth a warning, in milliseconds.
    package var syncWarningMilliseconds = 1000
  }

  /// What old files are kept.
  package struct Retention: Hashable, Sendable {
    /// Snapshots that stay, at least 3.
    package var snapshotCount = 3
    /// Milliseconds between purges, 0 for never.
    package var purgeIntervalMilliseconds = 0
  }

  /// The HTTP server for administrators.
  package struct Admin: Hashable, Sendable {
    package var isEnabled = true
    package var address = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 8080
    package var commandPath = "/commands"
    /// Milliseconds of silence after which a connection is closed.
    package var idleTimeoutMilliseconds = 30_000
  }

  /// Where Prometheus finds its text.
  package struct Metrics: Hashable, Sendable {
    package var address = "127.0.0.1"
    /// 0 takes any free port.
    package var port = 7000
  }

  /// Behaviour that Apache turns on by system properties.
  package struct Features: Hashable, Sendable {
    /// TTL znodes.
    package var hasExtendedTypes = false
    package var enforcesQuota = false
    package var skipsACL = false
    package var hasDigest = true
    /// Whether passwords in scheme `digest` prove anything.
    package var hasDigestScheme = true
    /// Every request needs an identity of one of these schemes; empty for none.
    package var requiredSchemes: [String] = []
    /// `super:hash`, the identity that every ACL lets through.
    package var superDigest: String?
    /// Milliseconds between looks for empty containers and expired TTL znodes.
    package var containerCheckMilliseconds = 60_000
    package var containersPerMinute = 10_000
    /// Milliseconds after which a container goes that never had a child; 0 for never.
    package var neverUsedContainerMilliseconds = 0
    package var allowsReconfig = false
    /// Whether a member without a quorum serves clients that only read.
    package var allowsReadOnly = false
  }

  /// A configuration with Apache's defaults.
  package init(dataDirectory: String) {
    self.dataDirectory = dataDirectory
    logDirectory = dataDirectory
  }

  /// Makes the server a member of the ensemble that the file describes; nothing if it describes none.
  ///
  /// - Parameter serverID: what `myid` says.
  /// - Throws: with Apache's words when the server is not among the members.
  package mutating func join(as serverID: ServerID?) throws(QuorumConfigurationError) {
    guard let quorum else { return }
    guard let serverID else {
      throw QuorumConfigurationError(message: "myid file is missing: \(dataDirectory)/myid")
    }
    guard serverID.isAssignable else {
      throw QuorumConfigurationError(message: "myid must be a number from 0 on, not \(serverID)")
    }
    if features.hasExtendedTypes, serverID.rawValue > 254 {
      throw QuorumConfigurationError(
        message: "extendedTypesEnabled is true but Server ID is too large. Cannot be larger than 254")
    }
    guard let own = quorum.member(serverID) else {
      throw QuorumConfigurationError(message: "My id \(serverID) not in the peer list")
    }
    var ensemble = Ensemble(serverID: serverID, quorum: quorum)
    ensemble.tickTimeMilliseconds = tickTimeMilliseconds
    ensemble.times = quorumTimes
    ensemble.isReconfigEnabled = features.allowsReconfig
    self.ensemble = ensemble
    if let client = own.client { try listen(at: client, of: serverID) }
  }

  /// Takes the address for clients from a server's own line.
  ///
  /// - Throws: when the configuration has another one.
  mutating func listen(at client: HostAndPort, of serverID: ServerID) throws(QuorumConfigurationError) {
    try checkClientAddress(client, of: serverID)
    clientPort = client.port
    clientAddress = client.host
  }

  /// The client's address may stand in two places, which must then say the same.
  private func checkClientAddress(_ other: HostAndPort, of serverID: ServerID) throws(QuorumConfigurationError) {
    guard isClientPortGiven else { return }
    let own = HostAndPort(host: clientAddress ?? "0.0.0.0", port: clientPort)
    guard own.isWildcard ? own.port != other.port : own != other else { return }
    throw QuorumConfigurationError(
      message: "client address for this server (id = \(serverID)) in static config file is \(own) is different from "
        + "client address found in dynamic file: \(other)")
  }

  /// What is odd about the file now that the server knows who it is.
  package var peerTypeWarning: String? {
    guard let declaresObserver, let own = ensemble?.ownMember, own.isObserver != declaresObserver else { return nil }
    func type(_ isObserver: Bool) -> String { isObserver ? "OBSERVER" : "PARTICIPANT" }
    return "Peer type from servers list (\(type(own.isObserver))) doesn't match peerType (\(type(declaresObserver)))."
      + " Defaulting to servers list."
  }

  /// The bounds of session timeouts in force, in milliseconds.
  package var sessionTimeoutBounds: ClosedRange<Int> {
    let least = minimumSessionTimeoutMilliseconds ?? 2 * tickTimeMilliseconds
    return least...max(least, maximumSessionTimeoutMilliseconds ?? 20 * tickTimeMilliseconds)
  }
}

/// Which four-letter words are answered.
///
/// *Source*: `FourLetterCommands.isEnabled`.
package struct FourLetterWordPolicy: Hashable, Sendable {
  /// The words, or `*` for all.
  package var allowed: Set<String>

  package init(allowed: Set<String>) { self.allowed = allowed }

  /// Whether a word is answered.
  ///
  /// `srvr` always is, because the scripts that ask for a server's state need it; and where there is a read-only mode,
  /// so is `isro`, by which clients look for a server that can write.
  ///
  /// - Parameter hasReadOnlyMode: whether the server may serve without a quorum.
  package func allows(_ word: String, hasReadOnlyMode: Bool = false) -> Bool {
    word == "srvr" || word == "isro" && hasReadOnlyMode || allowed.contains("*") || allowed.contains(word)
  }
}
