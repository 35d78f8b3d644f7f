import ServerCore

/// All families of metrics: those of Apache's 3.9 by their names, kinds and labels, and those that only this server
/// has.
///
/// A family of Apache's that would say nothing true here is in the table with the reason, and is not reported.
///
/// *Source*: `org.apache.zookeeper.server.ServerMetrics`, and the `registerGauge` calls of `ZooKeeperServer` and its
/// subclasses, of 3.9.5.
enum MetricTable {
  /// The rows, in the order of reports.
  static let families: [MetricFamily] =
    gauges + memberGauges + sets + requests + limits + stages + connections + watches + members + proposals + files
    + loop + absentQueues + absentFeatures

  /// The families that are reported.
  static var reported: [MetricFamily] {
    families.filter { if case .meaningless = $0.source { false } else { true } }
  }
}

// MARK: Gauges

extension MetricTable {
  private static let gauges: [MetricFamily] = [
    MetricFamily(
      name: "avg_latency", kind: .gauge, unit: .milliseconds, origin: .apache,
      help: "The mean time from a request to its answer, in milliseconds.",
      source: .reported { .fraction($0.latency.average) }),
    .gauge("max_latency", "The longest time from a request to its answer, in milliseconds.") { $0.latency.maximum },
    .gauge("min_latency", "The shortest time from a request to its answer, in milliseconds.") { $0.latency.minimum },
    .gauge("packets_received", "Packets of clients since the start or the last reset.") { $0.packetsReceived },
    .gauge("packets_sent", "Packets to clients since the start or the last reset.") { $0.packetsSent },
    .gauge("num_alive_connections", "Open connections of clients.") { $0.connectionCount },
    .gauge("outstanding_requests", "Requests that were read and are not answered.") { $0.outstandingRequests },
    .gauge("uptime", "The time since the start, in milliseconds.") { Int(clamping: $0.uptimeMilliseconds) },
    .gauge("znode_count", "Znodes, with those under /zookeeper.") { $0.znodeCount },
    .gauge("watch_count", "Watches of clients of this server.") { $0.watches.count },
    .gauge("ephemerals_count", "Ephemeral znodes.") { $0.sessions.ephemeralCount },
    .gauge("approximate_data_size", "The bytes of all paths and data.", unit: .bytes) { $0.approximateDataSize },
    .gauge("global_sessions", "Sessions of the whole ensemble.") { $0.sessions.count },
    .gauge("local_sessions", "Sessions that only this server knows.") { $0.sessions.localCount },
    .gauge("open_file_descriptor_count", "Open descriptors of the process.") { $0.openFileDescriptors },
    .gauge("max_file_descriptor_count", "The descriptors that the process may open.") { $0.maximumFileDescriptors },
    .gauge("auth_failed_count", "Failed authentications.") { $0.authFailures },
    .gauge("last_client_response_size", "The bytes of the last answer; -1 before the first.", unit: .bytes) {
      $0.responseBytes.last
    },
    .gauge("max_client_response_size", "The bytes of the largest answer; -1 before the first.", unit: .bytes) {
      $0.responseBytes.maximum
    },
    .gauge("min_client_response_size", "The bytes of the smallest answer; -1 before the first.", unit: .bytes) {
      $0.responseBytes.minimum
    },
    .measuredGauge("outstanding_tls_handshake", "TLS handshakes with clients that are under way.") {
      $0.encryption.ofClients?.handshakeCount ?? 0
    },
    .measuredGauge("non_mtls_local_conn_count", "Connections from this machine without a client's certificate.") {
      $0.metrics.localConnectionsWithoutCertificate
    },
    .measuredGauge("non_mtls_remote_conn_count", "Connections of other machines without a client's certificate.") {
      $0.metrics.remoteConnectionsWithoutCertificate
    },
    .gauge("log_dir_free_bytes", "The free space on the disk of the log.", unit: .bytes, origin: .own) {
      $0.logDirectorySpace?.freeBytes
    },
    .gauge("log_dir_total_bytes", "The size of the disk of the log.", unit: .bytes, origin: .own) {
      $0.logDirectorySpace?.totalBytes
    },
    .measuredGauge("acl_count", "Different ACLs of all znodes.", origin: .own) { $0.core.tree.memory.aclCount },
  ]

  /// What a member of an ensemble has in addition.
  private static let memberGauges: [MetricFamily] = [
    .gauge("quorum_size", "The voters of the ensemble.") { $0.ensemble?.quorum.voters.count },
    .gauge("learners", "The learners that are connected to this leader.") { $0.ensemble?.leadership?.learnerCount },
    .gauge("synced_followers", "The followers that are up to date.") {
      $0.ensemble?.leadership?.syncedFollowerCount
    },
    .gauge("synced_non_voting_followers", "The followers without a vote that are up to date.") {
      $0.ensemble?.leadership?.syncedNonVotingCount
    },
    .gauge("synced_observers", "The observers that this server has brought up to date.") { report in
      report.ensemble.flatMap { $0.part == .leader || $0.part == .follower ? $0.observers.count : nil }
    },
    .gauge("pending_syncs", "Syncs that the leader has not answered.") {
      $0.ensemble?.leadership?.pendingSyncCount
    },
    .gauge("leader_uptime", "How long this server has led, in milliseconds.") {
      $0.ensemble?.leadership?.uptimeMilliseconds
    },
    .gauge("last_proposal_size", "The bytes of the last proposal; -1 before the first.", unit: .bytes) {
      $0.ensemble?.leadership?.proposalSizes.last
    },
    .gauge("max_proposal_size", "The bytes of the largest proposal; -1 before the first.", unit: .bytes) {
      $0.ensemble?.leadership?.proposalSizes.maximum
    },
    .gauge("min_proposal_size", "The bytes of the smallest proposal; -1 before the first.", unit: .bytes) {
      $0.ensemble?.leadership?.proposalSizes.minimum
    },
  ]

  /// The limit of a quota that has effect; nil if it has none.
  private static func limit(hard: Int64?, soft: Int64) -> Int64? {
    if let hard, hard > -1 { return hard }
    return soft > -1 ? soft : nil
  }

  /// Gauges and counters by key.
  private static let sets: [MetricFamily] = [
    .set("quota_count_limit_per_namespace", .gaugeSet, "The znodes that the quotas of a namespace allow.") {
      $0.quotas { limits, _ in limit(hard: limits.countHardLimit, soft: limits.count) }
    },
    .set("quota_bytes_limit_per_namespace", .gaugeSet, "The bytes that the quotas of a namespace allow.") {
      $0.quotas { limits, _ in limit(hard: limits.bytesHardLimit, soft: limits.bytes) }
    },
    .set("quota_count_usage_per_namespace", .gaugeSet, "The znodes under the quotas of a namespace.") {
      $0.quotas { _, use in use.count }
    },
    .set("quota_bytes_usage_per_namespace", .gaugeSet, "The bytes under the quotas of a namespace.") {
      $0.quotas { _, use in use.bytes }
    },
    .set("quota_exceeded_error_per_namespace", .counterSet, "Writes that a quota has refused.") {
      .numbers($0.metrics.core.quotaExceeded.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    },
    .set(
      "learner_lag", .gaugeSet, "On a leader, the transactions of its history that a voter has not acknowledged.",
      origin: .own
    ) { sources in sources.driver.map { .numbers($0.lagByServer.map { ($0.name, $0.1) }) } },
    .set(
      "tree_memory_bytes", .gaugeSet,
      "The memory of the tree: records of znodes, the index of names, and names with data.", unit: .bytes, origin: .own
    ) { sources in
      let memory = sources.core.tree.memory
      return .numbers([
        ("records", memory.recordBytes), ("index", memory.indexBytes), ("content", memory.contentBytes),
      ])
    },
  ]
}
