internal import Digests

/// The part of a server's configuration that concerns requests.
///
/// *Source*: `StorageFormat` E.1; names in comments are the keys of `zoo.cfg` or system properties.
package struct ServerSettings: Hashable, Sendable {
  /// The id of this server, whose lowest byte is the top byte of the sessions it makes; 1 when standalone.
  package var serverID: Int64 = 1
  /// `tickTime`: also the width of the buckets in which sessions expire.
  package var tickTimeMilliseconds: Int64 = 3000
  /// `minSessionTimeout`; nil is 2 ticks.
  package var minSessionTimeoutMilliseconds: Int32?
  /// `maxSessionTimeout`; nil is 20 ticks.
  package var maxSessionTimeoutMilliseconds: Int32?
  /// `skipACL`: anyone may do anything.
  package var skipACL = false
  /// `enforceQuota`: writes over a hard limit are refused.
  package var enforceQuota = false
  /// `localSessionsEnabled`: in an ensemble, a session is known to its server only, and takes no transaction.
  package var hasLocalSessions = false
  /// `localSessionsUpgradingEnabled`: such a session becomes one of the whole ensemble before it creates an ephemeral.
  package var upgradesLocalSessions = false
  /// `reconfigEnabled`.
  package var reconfigEnabled = false
  /// `DigestAuthenticationProvider.enabled`.
  package var digestSchemeEnabled = true
  /// The hash function of the ids of scheme `digest`; see `setDigestAlgorithm`.
  private(set) var digestAlgorithm = MessageDigest.sha1
  /// `DigestAuthenticationProvider.superDigest`: `user:hash` of the superuser.
  package var superDigest: String?
  /// Whether clients can present certificates; see `ServerCore.accept`. Without TLS none can, and ACLs of scheme `x509`
  /// are then invalid, as in an Apache server without the provider.
  package var x509SchemeEnabled = false
  /// `X509AuthenticationProvider.superUser`: the subject of the superuser's certificate.
  package var x509SuperUser: String?
  /// `ensembleAuthName`: the names of the ensemble that the scheme `ensemble` knows, any if there is none; nil if the
  /// scheme is not available.
  package var ensembleNames: Set<String>?
  /// How clients log in by SASL; nil if they cannot.
  package var sasl: SASLSettings?
  /// `enforce.auth.schemes`, when `enforce.auth.enabled`: every request needs an identity of one of them.
  package var requiredSchemes: [String] = []
  /// `znode.container.maxNeverUsedIntervalMs`: with 0, containers that never had a child are not deleted.
  package var containerMaxNeverUsedMilliseconds: Int64 = 0
  /// The upper bound on the size of a transaction as it is logged and sent to other servers, in bytes. Apache's servers
  /// refuse to read more than twice `jute.maxbuffer`, in a log as well as from their leader.
  package var maximumTxnBytes = ServerSettings.maximumTxnBytes(maximumFrameBytes: 0xfffff)
  /// The upper bound on the identities of one connection, in bytes. They are sent to the leader with each write, and
  /// copied into each ACL of scheme `auth`. Apache's servers have no such limit.
  package var maximumIdentityBytes = 128 << 10
  /// The upper bound on the watches of one connection. Requests for more are refused with `badArguments`. Apache's
  /// servers have no such limit, so that one client can fill the server's memory.
  package var maxWatchesPerConnection = 1_000_000

  /// `connection_throttle_*`: how fast sessions may begin and be resumed.
  package var connectionThrottle = ConnectionThrottle.Settings()
  /// How many sessions that have expired are ended at a time; see `ServerCore.canExpireMore`. It is no key of Apache's,
  /// whose servers propose the end of all of them at once.
  package var expiredAtOnceCount = 500
  /// How many requests are handled at a time.
  package var limits = RequestLimits()

  /// The defaults of Apache's servers.
  package init() {}

  /// `DigestAuthenticationProvider.digestAlg`: sets the hash function of the ids of scheme `digest`.
  ///
  /// - Parameter javaName: its name in Java's `MessageDigest`.
  /// - Returns: whether there is one of that name; otherwise nothing changes.
  @discardableResult
  package mutating func setDigestAlgorithm(javaName: String) -> Bool {
    guard let algorithm = MessageDigest(javaName: javaName) else { return false }
    digestAlgorithm = algorithm
    return true
  }

  /// The upper bound on the size of a transaction, for a given bound on requests.
  ///
  /// It leaves room for the 8 bytes that INFORMANDACTIVATE has in front of a transaction.
  ///
  /// *Source*: `org.apache.jute.BinaryInputArchive#checkLength`, `jute.maxbuffer.extrasize`.
  package static func maximumTxnBytes(maximumFrameBytes: Int) -> Int {
    let limit = maximumFrameBytes.addingReportingOverflow(maximumFrameBytes)
    return min(limit.overflow ? .max : limit.partialValue, Int(Int32.max)) - 8
  }

  /// The session timeout for a client that asks for `requestedMilliseconds`.
  package func negotiatedTimeout(requestedMilliseconds: Int32) -> Int32 {
    let least = minSessionTimeoutMilliseconds ?? Int32(clamping: tickTimeMilliseconds * 2)
    let most = maxSessionTimeoutMilliseconds ?? Int32(clamping: tickTimeMilliseconds * 20)
    return min(max(requestedMilliseconds, least), most)
  }
}

/// The two clocks of a server, read once for a batch of events.
package struct ServerTime: Hashable, Sendable {
  /// A clock that never goes back, for session timeouts and latencies.
  package var monotonicMilliseconds: Int64
  /// The same clock with more digits, for what is measured.
  package var monotonicMicroseconds: Int64
  /// Milliseconds since 1970, for the times of transactions.
  package var wallMilliseconds: Int64

  package init(monotonicMilliseconds: Int64, wallMilliseconds: Int64) {
    self.monotonicMilliseconds = monotonicMilliseconds
    monotonicMicroseconds = monotonicMilliseconds &* 1000
    self.wallMilliseconds = wallMilliseconds
  }

  package init(monotonicMicroseconds: Int64, wallMilliseconds: Int64) {
    self.monotonicMicroseconds = monotonicMicroseconds
    monotonicMilliseconds = monotonicMicroseconds / 1000
    self.wallMilliseconds = wallMilliseconds
  }
}
