import ZooKeeperProtocol

/// The keys of Apache's server that this one knows of but does nothing for, and the names to suggest for unknown ones.
///
/// *Source*: `QuorumPeerConfig.parseProperties`, the system properties that Apache's 3.8 and 3.9 read, and its
/// administrator's guide.
enum KnownKeys {
  /// Keys that tune what needs no tuning here, or that have no meaning without Java.
  static let withoutMeaning: Set<String> = [
    "advancedFlowControlEnabled", "admin.httpVersion", "bitHashCacheSize", "clientCnxnSocket",
    "clientTcpKeepAlive", "closeSessionTxn.enabled",
    "commitLogCount", "commitProcessor.maxCommitBatchSize", "commitProcessor.maxReadBatchSize",
    "commitProcessor.numWorkerThreads", "commitProcessor.shutdownTimeout", "connectToLearnerMasterLimit",
    "electionPort", "enableEagerACLCheck", "fastleader.maxNotificationInterval", "fastleader.minNotificationInterval",
    "flushDelay", "follower.nodelay", "follower.skipLearnerRequestToNextProcessor", "forceSnapshotSync",
    "forward_learner_requests_to_commit_processor_disabled", "intBufferStartingSizeBytes", "jmx.log4j.disable",
    "jmx.log4j.mbean", "jute.maxbuffer.extrasize", "jvm.pause.info-threshold.ms", "jvm.pause.monitor",
    "jvm.pause.sleep.time.ms", "jvm.pause.warn-threshold.ms", "leader.ackLoggingFrequency", "leader.closeSocketAsync",
    "leader.maxConcurrentDiffSyncs", "leader.maxConcurrentSnapSyncs", "leader.maxTimeToWaitForEpoch", "leader.nodelay",
    "leaderConnectDelayDuringRetryMs", "learner.asyncSending", "learner.closeSocketAsync", "log.file",
    "log.threshold", "maxBatchSize", "maxConcurrentDiffSyncs", "maxConcurrentSnapSyncs",
    "maxGetChildrenResponseCacheSize", "maxInProcessingDeadWatchers", "maxResponseCacheSize", "maxTimeToWaitForEpoch",
    "maxWriteQueuePollTime", "messageTracker.BufferSize", "messageTracker.Enabled", "metricsProvider.exportJvmInfo",
    "metricsProvider.numWorkerThreads", "metricsProvider.maxQueueSize", "metricsProvider.workerShutdownTimeoutMs",
    "multiAddress.enabled", "multiAddress.reachabilityCheckEnabled", "multiAddress.reachabilityCheckTimeoutMs",
    "netty.advancedFlowControl.enabled", "netty.server.earlyDropSecureConnectionHandshakes",
    "nio.directBufferBytes", "nio.numSelectorThreads",
    "nio.numWorkerThreads", "nio.sessionlessCnxnTimeout", "nio.shutdownTimeout", "observer.election.DelayMs",
    "observer.reconnectDelayMs", "observer.syncEnabled", "observerMaster.sizeLimit", "outstandingHandshake.limit",
    "pathStats.delay", "pathStats.enabled", "pathStats.initialDelay", "pathStats.maxDepth", "pathStats.sampleRate",
    "pathStats.slotCapacity", "pathStats.slotDuration", "pathStats.topPathMax", "quorum.cnxn.threads.size",
    "quorumCnxnTimeoutMs", "request.timeout", "request_throttler.shutdownTimeout", "root.logger",
    "serverCnxnFactory", "snapshotSizeFactor", "syncEnabled", "tcpKeepAlive",
    "watchManagerName", "watcherCleanIntervalInSeconds", "watcherCleanThreadsNum", "watcherCleanThreshold",
  ]

  /// Keys that change the behaviour of Apache's server, and have no effect here.
  static let withoutEffect: Set<String> = [
    "IPAuthenticationProvider.usexforwardedfor",
    "auditlog.threshold",
    "connection_throttle_decrease_ratio", "connection_throttle_drop_decrease", "connection_throttle_drop_increase",
    "connection_throttle_fill_count", "connection_throttle_fill_time", "connection_throttle_freeze_time",
    "connection_throttle_global_session_weight", "connection_throttle_local_session_weight",
    "connection_throttle_renew_session_weight", "connection_throttle_tokens", "connection_throttle_weight_enabled",
    "connectionMaxTokens", "connectionTokenFillTime", "connectionTokenFillCount", "connectionFreezeTime",
    "connectionDropIncrease", "connectionDropDecrease", "connectionDecreaseRatio", "db.autocreate",
    "emulate353TTLNodes", "largeRequestMaxBytes", "largeRequestThreshold", "leaderServes", "localSessionsEnabled",
    "localSessionsUpgradingEnabled", "observerMasterPort", "oraclePath", "requestThrottleLimit",
    "requestThrottleStallTime", "requestThrottleDropStale", "requestStaleLatencyCheck", "requestStaleConnectionCheck",
    "request_stale_connection_check", "request_stale_latency_check", "request_throttle_drop_stale",
    "request_throttle_max_requests", "request_throttle_stall_time",
    "throttledOpWaitTime", "throttled_op_wait_time",
  ]

  /// Keys that Apache's server reads from its file only; as system properties they have no effect.
  static let fileOnly: Set<String> = [
    "autopurge.purgeInterval", "autopurge.snapRetainCount", "clientPort", "clientPortAddress",
    "clientPortListenBacklog", "connectToLearnerMasterLimit", "dataDir", "dataLogDir", "dynamicConfigFile",
    "electionAlg", "initLimit", "localSessionsEnabled", "localSessionsUpgradingEnabled", "maxClientCnxns",
    "maxSessionTimeout", "metricsProvider.className", "metricsProvider.httpHost", "metricsProvider.httpPort",
    "minSessionTimeout", "observerMasterPort", "oraclePath", "peerType", "quorumListenOnAllIPs", "reconfigEnabled",
    "standaloneEnabled", "syncEnabled", "syncLimit", "tickTime",
  ]

  /// System properties of Apache's server without the prefix `zookeeper.`.
  static let unprefixed: Set<String> = [
    "follower.nodelay", "fsync.warningthresholdms", "jute.maxbuffer", "leader.nodelay", "readonlymode.enabled",
    "znode.container.checkIntervalMs", "znode.container.maxNeverUsedIntervalMs", "znode.container.maxPerMinute",
  ]

  /// Keys that have an effect, in addition to those in `fileOnly` and `unprefixed`.
  private static let honoured: Set<String> = [
    "4lw.commands.whitelist", "DigestAuthenticationProvider.enabled", "DigestAuthenticationProvider.superDigest",
    "DigestAuthenticationProvider.superDigestPath",
    "admin.commandURL", "admin.enableServer", "admin.idleTimeout", "admin.rateLimiterIntervalInMS",
    "admin.restore.enabled", "admin.serverAddress", "admin.serverPort", "admin.snapshot.enabled",
    "allowSaslFailedClients", "cnxTimeout", "datadir.autocreate", "digest.enabled", "electionPortBindRetry",
    "enforceQuota", "extendedTypesEnabled", "forceSync", "globalOutstandingLimit", "java.security.auth.login.config",
    "kerberos.removeHostFromPrincipal", "kerberos.removeRealmFromPrincipal", "letAnySaslUserDoX", "log.dir", "maxCnxns",
    "netty.server.outstandingHandshake.limit", "preAllocSize", "quorum.auth.kerberos.servicePrincipal",
    "quorum.auth.learner.saslLoginContext", "quorum.auth.server.saslLoginContext", "sasl.serverconfig",
    "security.auth_to_local", "serializeLastProcessedZxid.enabled", "skipACL", "snapCount",
    "snapSizeLimitInKb", "snapshot.compression.method", "snapshot.trust.empty", "superUser", "txnLogSizeLimitInKb",
  ]

  /// Keys that ask for protection, as far as they are not recognized by a prefix.
  private static let protective: Set<String> = [
    "DigestAuthenticationProvider.digestAlg", "X509AuthenticationProvider.superUser", "admin.forceHttps",
    "admin.needClientAuth", "admin.portUnification", "audit.enable", "audit.impl.class", "auditlog.dir",
    "auditlog.file", "authProvider.sasl", "client.certReload", "client.portUnification", "ensembleAuthName",
    "enforce.auth.enabled", "enforce.auth.schemes", "fips-mode", "portUnification", "quorum.auth.enableSasl",
    "quorum.auth.learnerRequireSasl", "quorum.auth.serverRequireSasl", "requireClientAuthScheme", "secureClientPort",
    "secureClientPortAddress", "sessionRequireClientSASLAuth", "sslQuorum", "sslQuorumReloadCertFiles",
    "metricsProvider.httpsPort", "metricsProvider.ssl.keyStore.location", "metricsProvider.ssl.keyStore.password",
    "metricsProvider.ssl.need.client.auth", "metricsProvider.ssl.trustStore.location",
    "metricsProvider.ssl.trustStore.password", "metricsProvider.ssl.want.client.auth", "ssl.clientAuth",
    "ssl.keyStore.location", "ssl.trustStore.location",
  ]

  /// Whether a key asks for protection, so that another spelling of it must not be passed over.
  static func isProtective(_ key: String) -> Bool { protective.contains(key) || ProtectionKey.contains(server: key) }

  /// The known key that an unknown one was probably meant to be; nil if none is near.
  ///
  /// *Complexity*: some hundred comparisons of short texts; a long text is near to none.
  static func nearest(to key: String) -> String? {
    guard key.utf8.count <= 60 else { return nil }
    let lower = Array(key.lowercased().utf8)
    let limit = lower.count < 6 ? 1 : 2
    let all = [honoured, fileOnly, unprefixed, protective, withoutEffect, withoutMeaning]
    var best: (key: String, distance: Int)?
    for candidate in all.joined().sorted() {
      let distance = distance(lower, Array(candidate.lowercased().utf8), limit: limit)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.key
  }

  /// How many letters must be added, removed, changed or swapped with their neighbours. Distances above `limit` are not
  /// distinguished.
  private static func distance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int {
    guard abs(left.count - right.count) <= limit else { return limit + 1 }
    var rows = [Array(0...right.count)]
    for (i, letter) in left.enumerated() {
      var row = [i + 1]
      for (j, other) in right.enumerated() {
        var cost = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other { cost = min(cost, rows[i - 1][j - 1] + 1) }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
