package import ServerCore
package import TransportSecurity
package import TxnLog
package import ZooKeeperProtocol

/// The configuration of a server: the meaning of a `zoo.cfg`, with Apache's defaults.
///
/// *Source*: `org.apache.zookeeper.server.quorum.QuorumPeerConfig`; `StorageFormat` E.1.
package struct ServerConfiguration: Hashable, Sendable {
  /// Snapshots, `myid` and epochs; nil keeps nothing.
  package var dataDirectory: String
  /// Transaction logs; `dataDirectory` when not set.
  package var logDirectory: String
  /// The base unit of all times, in milliseconds.
  package var tickTimeMilliseconds = 3000
  /// The address to listen on, numeric or a name; the wildcard listens on all addresses of IPv4 and IPv6.
  package var clientAddress = ServerAddress.anyAddress
  /// 0 takes any free port.
  package var clientPort = 2181
  /// Whether the port was given, rather than being Apache's usual one.
  package var isClientPortGiven = false
  /// The port for clients that encrypt their connections; nil for none, 0 takes any free port.
  package var secureClientPort: Int?
  /// The address of that port, as for the other one.
  package var secureClientAddress = ServerAddress.anyAddress
  /// How connections of clients are encrypted.
  package var clientTLS = PortTLS(verifiesPeerByDefault: false)
  /// How connections between servers are encrypted.
  package var quorumTLS = PortTLS(verifiesPeerByDefault: true)
  /// Whether connections to other servers are encrypted.
  package var encryptsQuorum = false
  /// The largest number of clients' connections that wait to be accepted; nil for as many as the system allows.
  package var listenBacklog: Int?
  /// The largest number of connections from one address, 0 for any number.
  package var maximumConnectionsPerAddress = 60
  /// The largest number of all connections, 0 for any number.
  package var maximumConnections = 0
  /// The bounds of session timeouts, in milliseconds; 2 and 20 ticks when not set.
  package var minimumSessionTimeoutMilliseconds: Int?
  package var maximumSessionTimeoutMilliseconds: Int?
  /// The largest frame from a client, in bytes.
  package var maximumFrameBytes = 0xfffff
  /// The number of unanswered requests above which connections are not read until some are answered.
  package var outstandingLimit = 1000
  /// How fast sessions may begin and be resumed.
  package var connectionThrottle = ConnectionThrottle.Settings()
  /// How many requests are handled at a time.
  package var requestLimits = RequestLimits()
  /// How long a server that stops goes on answering the requests that it has read, in milliseconds.
  package var answerLimitMilliseconds = 3000
  package var logging = Logging()
  package var retention = Retention()
  package var fourLetterWords = FourLetterWordPolicy(allowed: ["srvr"])
  package var admin = Admin()
  package var metrics: Metrics?
  package var web = Web()
  package var features = Features()
  /// nil for no audit log.
  package var audit: Audit?
  /// How clients log in by SASL; nil if they cannot.
  package var sasl: SASLLogin?
  /// How members of the ensemble authenticate to each other; nil if they do not.
  package var quorumAuthentication: QuorumAuthentication?
  /// The file that the configuration was read from, which is rewritten when the ensemble changes; nil for none.
  package var file: String?
  /// What the configuration was made of.
  package var origin = Origin()
  /// The unchanged `server.N` lines, for `conf` and the ensemble.
  package var members: [String] = []
  /// All members of the ensemble, if the file has some. `join` determines which of them the server is.
  package var quorum: QuorumConfiguration?
  /// The member of a file that has only one, which describes a standalone server.
  package var loneMember: QuorumConfiguration.Member?
  package var quorumTimes = QuorumTimes()
  /// Whether `peerType` is `observer`; nil if the file has no `peerType`.
  package var declaresObserver: Bool?
  /// The ensemble that the server belongs to; nil for a standalone server.
  package var ensemble: Ensemble?

  /// What a configuration was made of, without secrets and comments.
  package struct Origin: Hashable, Sendable {
    /// The lines of the file, `key=value`; nil if the configuration is from no file.
    package var text: String?
    /// The Java system properties that Apache's server would have set or been given.
    package var properties: [String: String] = [:]
  }

  /// The limits of an ensemble.
  package struct QuorumTimes: Hashable, Sendable {
    /// The number of ticks that discovery and synchronization may take.
    package var initLimitTicks = 10
    /// The number of ticks of silence after which another server is considered lost.
    package var syncLimitTicks = 5
    /// How long a connection attempt to another server may take, in milliseconds.
    package var connectTimeoutMilliseconds = 5000
    /// Whether the ports for other servers are opened at all addresses of the machine.
    package var listensEverywhere = false
    /// Whether a configuration with one participant describes a standalone server.
    package var isStandaloneAllowed = true
    /// Whether a leader serves clients too, rather than other servers only.
    package var leaderServesClients = true
    /// Which part of the size of the newest snapshot the log may have that a learner is sent instead of the tree, in
    /// bytes; 0 for any log, below 0 for none.
    package var snapshotSizeFactor = 0.33
    /// Whether every learner is sent the whole tree.
    package var alwaysSendsTree = false
    /// How many transactions a leader keeps in memory for learners; nil for the usual number.
    package var historyCount: Int?
    /// The port on which followers serve observers in the leader's place, and observers look for them; nil for none.
    package var observerMasterPort: Int?
    /// How many bytes of recent transactions are kept in memory for observers and other learners.
    package var historyBytes = 32 << 20
    /// Below this time an observer that has lost its leader waits before it looks for one.
    package var observerElectionMilliseconds = 200
    /// Below this time an observer waits before it connects to the leader.
    package var observerReconnectMilliseconds = 0
    /// How often listening on a port is tried again while the own name cannot be resolved; 0 means indefinitely.
    package var listenRetries = 3
  }

  /// The configuration of a member of an ensemble.
  package struct Ensemble: Hashable, Sendable {
    package var serverID: ServerID
    /// All members. They include this server at first; it may be removed later.
    package var quorum: QuorumConfiguration
    /// The line of this server in the file.
    let ownMember: QuorumConfiguration.Member
    package var tickTimeMilliseconds = 3000
    package var times = QuorumTimes()
    /// Whether members may be added and removed.
    package var isReconfigEnabled = false
    /// How members authenticate to each other; nil if they do not.
    package var authentication: QuorumAuthentication?

    /// Creates a member with Apache's defaults.
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
    /// Whether a write is synced before it is acknowledged. With `forceSync=no`, a power failure can lose acknowledged
    /// writes.
    package var forcesSync = true
    /// Bytes by which a log file grows ahead of what is written.
    package var preallocationBytes = 64 << 20
    /// Transactions after which a snapshot is taken, halved at random so that members do not snapshot together.
    package var snapshotCount = 100_000
    /// Whether a snapshot also waits until the log has grown by half the size of the tree: a large tree would otherwise
    /// be written repeatedly for a few changes. False when the count is configured.
    package var snapshotsFollowTreeSize = true
    /// Bytes of log after which a snapshot is taken; 0 or less never.
    package var snapshotSizeBytes = 4 << 32
    /// The size of a log file, in bytes, above which the next transactions go to a new one.
    package var segmentLimitBytes = Int.max
    /// Whether snapshots have the section with the last zxid that Apache's servers write since 3.9.
    package var serializesLastZxid = true
    /// How snapshots are compressed; nil for not at all.
    package var snapshotCompression: SnapshotCompression?
    /// Whether a log without any snapshot is replayed from an empty tree, instead of refused.
    package var trustsMissingSnapshot = false
    /// Whether a member of an ensemble whose directory is empty votes. Otherwise it does only if there is a file
    /// `initialize`, so that a majority that has lost its disks does not elect an empty tree.
    package var trustsEmptyDirectory = true
    /// Whether missing directories are created.
    package var createsDirectories = true
    /// The duration of a sync above which a warning is logged, in milliseconds.
    package var syncWarningMilliseconds = 1000
  }

  /// Which old files are kept.
  package struct Retention: Hashable, Sendable {
    /// The number of snapshots that are kept, at least 3.
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
    /// Whether the command `snapshot` is carried out.
    package var takesSnapshots = true
    /// Whether the command `restore` is carried out.
    package var restoresSnapshots = true
    /// The shortest time between two snapshots, and between two restores, in milliseconds.
    package var snapshotIntervalMilliseconds = 300_000
    /// `admin.portUnification`: connections may be encrypted, and need not be.
    package var acceptsEncrypted = false
    /// `admin.forceHttps`: connections must be encrypted.
    package var requiresEncryption = false
    /// `admin.needClientAuth`: who connects must have a certificate. Only for encrypted connections.
    package var needsCertificate = false

    /// Whether connections can be encrypted.
    package var usesTLS: Bool { acceptsEncrypted || requiresEncryption }
  }

  /// The HTTP server for Prometheus.
  package struct Metrics: Hashable, Sendable {
    package var address = "127.0.0.1"
    /// The port for connections in the clear; nil for none, 0 takes any free port.
    package var port: Int? = 7000
    /// The port for encrypted connections, which may be the same; nil for none, 0 takes any free port.
    package var securePort: Int?
    /// How these are encrypted.
    package var tls = PortTLS(verifiesPeerByDefault: false)
  }

  /// The audit log.
  package struct Audit: Hashable, Sendable {
    /// nil for the directory of the data.
    package var directory: String?
    package var file = "zookeeper_audit.log"

    /// The path of the file.
    package func path(orIn dataDirectory: String) -> String { "\(directory ?? dataDirectory)/\(file)" }
  }

  /// Behaviour that is switched on or off; by system properties in Apache's server.
  package struct Features: Hashable, Sendable {
    /// TTL znodes.
    package var hasExtendedTypes = false
    package var enforcesQuota = false
    package var skipsACL = false
    package var hasDigest = true
    /// Whether clients can authenticate with the scheme `digest`.
    package var hasDigestScheme = true
    /// The hash function of the scheme's ids, by Java's name.
    package var digestAlgorithm = "SHA1"
    /// The names of the ensemble for the scheme `ensemble`; nil if the scheme is not available.
    package var ensembleNames: Set<String>?
    /// The schemes of which every request needs an identity; empty if none is required.
    package var requiredSchemes: [String] = []
    /// `super:hash`, the identity that has all permissions.
    package var superDigest: String?
    /// The subject of the superuser's certificate.
    package var x509SuperUser: String?
    /// Which name of a client's certificate is its identity.
    package var x509Identity = CertificateIdentity()
    /// Milliseconds between searches for empty containers and expired TTL znodes.
    package var containerCheckMilliseconds = 60_000
    package var containersPerMinute = 10_000
    /// Milliseconds after which a container that never had a child is deleted; 0 for never.
    package var neverUsedContainerMilliseconds = 0
    package var allowsReconfig = false
    /// Whether a session is known to its server only, if there is an ensemble.
    package var hasLocalSessions = false
    /// Whether such a session becomes one of the whole ensemble when it creates an ephemeral.
    package var upgradesLocalSessions = false
    /// Whether a member without a quorum serves read-only clients.
    package var allowsReadOnly = false
  }

  /// A configuration with Apache's defaults.
  package init(dataDirectory: String) {
    self.dataDirectory = dataDirectory
    logDirectory = dataDirectory
  }

  /// Makes the server a member of the ensemble in the file. Does nothing if there is none.
  ///
  /// - Parameter serverID: the number in `myid`.
  /// - Throws: with Apache's text when the server is not among the members.
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
    ensemble.authentication = quorumAuthentication
    self.ensemble = ensemble
    if let client = own.client { try listen(at: client, of: serverID) }
  }

  /// Uses the address for clients in the server's line.
  ///
  /// - Throws: when the configuration has a different one.
  mutating func listen(at client: ServerAddress, of serverID: ServerID) throws(QuorumConfigurationError) {
    try checkClientAddress(client, of: serverID)
    clientPort = client.port
    clientAddress = client.host
    isClientPortGiven = true
  }

  /// Checks that the address for clients, which can be given in two places, is the same in both.
  private func checkClientAddress(_ other: ServerAddress, of serverID: ServerID) throws(QuorumConfigurationError) {
    guard isClientPortGiven else { return }
    let own = ServerAddress(host: clientAddress, port: clientPort)
    guard own.isWildcard ? own.port != other.port : own != other else { return }
    throw QuorumConfigurationError(
      message: "client address for this server (id = \(serverID)) in static config file is \(own) is different from "
        + "client address found in dynamic file: \(other)")
  }

  /// Whether there is a port for connections in the clear: one that is configured, or that of a configuration without
  /// any port.
  package var opensClientPort: Bool { isClientPortGiven || secureClientPort == nil }

  /// The address at which clients on the same machine reach the server, at the port in the clear if there is one.
  package var nearClientAddress: String {
    let address = opensClientPort ? clientAddress : secureClientAddress
    return ServerAddress(host: address, port: 0).isWildcard ? "127.0.0.1" : address
  }

  /// Whether clients can encrypt their connections.
  package var usesClientTLS: Bool { secureClientPort != nil || clientTLS.acceptsBoth }

  /// Whether connections between servers can be encrypted.
  package var usesQuorumTLS: Bool { encryptsQuorum || quorumTLS.acceptsBoth }

  /// Whether there is an AdminServer to which connections can be encrypted.
  package var usesAdminTLS: Bool { admin.isEnabled && admin.usesTLS }

  /// How connections to the AdminServer are encrypted: with the stores of the connections between servers.
  package var adminTLS: PortTLS {
    var tls = quorumTLS
    tls.acceptsBoth = !admin.requiresEncryption
    tls.properties.ask(forCertificates: admin.needsCertificate ? .need : .none)
    return tls
  }

  /// The warning if `peerType` contradicts the server's line; nil if it does not.
  package var peerTypeWarning: String? {
    guard let declaresObserver, let own = ensemble?.ownMember, own.isObserver != declaresObserver else { return nil }
    func type(_ isObserver: Bool) -> String { isObserver ? "OBSERVER" : "PARTICIPANT" }
    return "Peer type from servers list (\(type(own.isObserver))) doesn't match peerType (\(type(declaresObserver)))."
      + " Defaulting to servers list."
  }

  /// The effective bounds of session timeouts, in milliseconds.
  package var sessionTimeoutBounds: ClosedRange<Int> {
    let least = minimumSessionTimeoutMilliseconds ?? 2 * tickTimeMilliseconds
    return least...max(least, maximumSessionTimeoutMilliseconds ?? 20 * tickTimeMilliseconds)
  }
}

/// Which four-letter words are answered.
///
/// *Source*: `FourLetterCommands.isEnabled`.
package struct FourLetterWordPolicy: Hashable, Sendable {
  /// The four-letter words, or `*` for all.
  package var allowed: Set<String>

  package init(allowed: Set<String>) { self.allowed = allowed }

  /// Whether a four-letter word is answered.
  ///
  /// `srvr` always is, because scripts that check a server's state need it. If there is a read-only mode, so is `isro`,
  /// by which clients search for a server that is not read-only.
  ///
  /// - Parameter hasReadOnlyMode: whether the server may serve without a quorum.
  package func allows(_ word: String, hasReadOnlyMode: Bool = false) -> Bool {
    word == "srvr" || word == "isro" && hasReadOnlyMode || allowed.contains("*") || allowed.contains(word)
  }
}
