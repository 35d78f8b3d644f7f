/// What an operator decides about a server, as far as requests are concerned.
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
  /// `enforceQuota`: hard limits refuse.
  package var enforceQuota = false
  /// `reconfigEnabled`.
  package var reconfigEnabled = false
  /// `DigestAuthenticationProvider.enabled`.
  package var digestSchemeEnabled = true
  /// `DigestAuthenticationProvider.superDigest`: `user:hash` of the one who may do anything.
  package var superDigest: String?
  /// Whether clients can prove a certificate, see `ServerCore.accept`: without TLS none can, and as with Apache's
  /// server that has no such provider, ACLs of scheme `x509` are then invalid.
  package var x509SchemeEnabled = false
  /// `X509AuthenticationProvider.superUser`: the subject of the one who may do anything.
  package var x509SuperUser: String?
  /// `enforce.auth.schemes`, when `enforce.auth.enabled`: every request needs an identity of one of them.
  package var requiredSchemes: [String] = []
  /// `znode.container.maxNeverUsedIntervalMs`: 0 leaves containers that never had a child alone.
  package var containerMaxNeverUsedMilliseconds: Int64 = 0
  /// What a transaction may have in bytes, as it is logged and sent to other servers. Apache's servers refuse to read
  /// more than `jute.maxbuffer` and as much again, in a log as well as from their leader.
  package var maximumTxnBytes = ServerSettings.maximumTxnBytes(maximumFrameBytes: 0xfffff)
  /// What the identities of one connection may have in bytes: they go with each of its writes to the leader, and into
  /// each ACL of scheme `auth`. Apache has no such limit.
  package var maximumIdentityBytes = 128 << 10
  /// Watches that one connection may have; requests for more are refused with `badArguments`. Apache has no
  /// such limit and lets one client fill the server's memory.
  package var maxWatchesPerConnection = 1_000_000

  /// The defaults of Apache's server.
  package init() {}

  /// What a transaction may have where requests may have `maximumFrameBytes`.
  ///
  /// The bytes that INFORMANDACTIVATE has in front of a transaction count as well.
  ///
  /// *Source*: `org.apache.jute.BinaryInputArchive#checkLength`, `jute.maxbuffer.extrasize`.
  package static func maximumTxnBytes(maximumFrameBytes: Int) -> Int {
    let limit = maximumFrameBytes.addingReportingOverflow(maximumFrameBytes)
    return min(limit.overflow ? .max : limit.partialValue, Int(Int32.max)) - 8
  }

  /// The session timeout that a client gets for the one it asked for.
  package func negotiatedTimeout(requestedMilliseconds: Int32) -> Int32 {
    let least = minSessionTimeoutMilliseconds ?? Int32(clamping: tickTimeMilliseconds * 2)
    let most = maxSessionTimeoutMilliseconds ?? Int32(clamping: tickTimeMilliseconds * 20)
    return min(max(requestedMilliseconds, least), most)
  }
}

/// The two clocks of a server, read once for a batch of events.
package struct ServerTime: Hashable, Sendable {
  /// A clock that never goes back: for session timeouts and latencies.
  package var monotonicMilliseconds: Int64
  /// Milliseconds since 1970: the time of transactions.
  package var wallMilliseconds: Int64

  /// A moment on both clocks.
  package init(monotonicMilliseconds: Int64, wallMilliseconds: Int64) {
    self.monotonicMilliseconds = monotonicMilliseconds
    self.wallMilliseconds = wallMilliseconds
  }
}
