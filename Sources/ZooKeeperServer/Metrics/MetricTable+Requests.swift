// MARK: Clients and their requests

extension MetricTable {
  static let requests: [MetricFamily] = [
    .time("readlatency", "From a read to its answer, in milliseconds.", quantiles: true) {
      $0.metrics.core.readLatency.distribution
    },
    .time("updatelatency", "From a write of a client of this server to its answer, in milliseconds.", quantiles: true) {
      $0.metrics.core.updateLatency.distribution
    },
    .time(
      "propagation_latency", "From the leader's time of a transaction to its application here, in milliseconds.",
      quantiles: true
    ) { $0.metrics.core.propagationLatency.distribution },
    .counter("bytes_received_count", "The bytes of clients' packets.", unit: .bytes) { $0.metrics.core.bytesReceived },
    .counter("response_bytes", "The bytes of answers to clients.", unit: .bytes) { $0.metrics.core.responseBytes },
    .counter("watch_bytes", "The bytes of events to clients.", unit: .bytes) { $0.metrics.core.watchBytes },
    .counter("prep_processor_request_queued", "Requests that became transactions here.") {
      $0.metrics.core.preparedCount
    },
    .counter("outstanding_changes_queued", "Changes of znodes that were proposed here.") {
      $0.metrics.core.changesQueued
    },
    .counter("outstanding_changes_removed", "Such changes that were applied, or given up with their multi.") {
      $0.metrics.core.changesRemoved
    },
    .counter("request_commit_queued", "Committed transactions that were applied.") { $0.metrics.core.appliedCount },
    .counter("digest_mismatches_count", "Transactions after which the tree's digest was not the leader's.") {
      $0.metrics.core.digestMismatches
    },
    .summary("requests_in_session_queue", "The requests that wait on a connection, when one is added.") {
      $0.metrics.core.requestsInSessionQueue.distribution
    },
    .summary("reads_after_write_in_session_queue", "The reads that had waited for a write, when it was applied.") {
      $0.metrics.core.readsAfterWrite.distribution
    },
    .time(
      "read_commitproc_time_ms", "How long reads waited for a write of their session, in milliseconds; only those did.",
      quantiles: true
    ) { $0.metrics.core.waitingReadTime.distribution },
    .set(
      "write_per_namespace", .summarySet(quantiles: false),
      "The bytes of path and data that a write has under a first component of paths; the first 100 of these.",
      unit: .bytes
    ) { .distributions($0.metrics.core.writtenBytes.distributions.map { ($0.name, $0.1) }) },
  ]

  /// The limits of requests.
  static let limits: [MetricFamily] = [
    .time(
      "request_throttle_queue_time_ms",
      "How long requests waited because too many were unanswered, in milliseconds; of all, if there is a limit.",
      quantiles: true
    ) { $0.metrics.core.requestWaitTime.distribution },
    .counter("request_throttle_wait_count", "How often the next request had to wait further.") {
      $0.metrics.core.requestWaits
    },
    .counter("throttled_ops", "Requests that were refused because they had waited for too long.") {
      $0.metrics.core.refusedRequests
    },
    .counter("stale_requests", "Requests that were handled although their connection or their time had ended.") {
      $0.metrics.core.staleRequests
    },
    .counter("stale_requests_dropped", "Requests that were dropped while they waited, because of that.") {
      $0.metrics.core.staleRequestsDropped
    },
    .counter("large_requests_rejected", "Large requests for which there was no room.") {
      $0.metrics.core.largeRequestsRejected
    },
  ]

  /// The stages of a write.
  static let stages: [MetricFamily] = [
    .counter("sync_processor_request_queued", "Transactions that were handed to the log.") { $0.log.entryCount },
    .summary("sync_processor_queue_size", "The transactions that waited when the log's thread took them.") {
      $0.log.batchSize
    },
    .summary("sync_processor_batch_size", "The transactions that shared one sync of the log.") { $0.log.batchSize },
    .time(
      "sync_processor_queue_time_ms", "From the first transaction of a batch until the log's thread took it.",
      quantiles: true
    ) { $0.log.queueTime },
    .time("sync_processor_queue_flush_time_ms", "The sync of a batch, in milliseconds.", quantiles: true) {
      $0.log.syncTime
    },
    .time(
      "sync_processor_queue_and_flush_time_ms", "From the first transaction of a batch until all of it was durable.",
      quantiles: true
    ) { $0.log.queueAndFlushTime },
    .time("sync_process_time", "Writing and syncing a batch, in milliseconds.") { $0.log.processTime },
    .time("commit_process_time", "Applying and answering the transactions that were committed together.") {
      $0.metrics.applyTime.distribution
    },
    .summary("write_commit_proc_issued", "The transactions that were applied together.") {
      $0.metrics.appliedTogether.distribution
    },
    .set(
      "write_stage_time_ms", .summarySet(quantiles: true),
      "The stages of writes by batch: queued for the log, logged, acknowledged by a quorum, applied; in milliseconds.",
      unit: .milliseconds, origin: .own
    ) { sources in
      .distributions([
        ("queued", sources.log.queueTime), ("logged", sources.log.processTime),
        ("acknowledged", sources.metrics.ensemble.acknowledgeTime.distribution),
        ("applied", sources.metrics.applyTime.distribution),
      ])
    },
  ]

  static let connections: [MetricFamily] = [
    .counter("connection_request_count", "Clients that asked for a session.") { $0.metrics.core.connectRequests },
    .counter("connection_revalidate_count", "Clients that asked to resume a session.") {
      $0.metrics.core.connectionRevalidations
    },
    .counter("revalidate_count", "Questions of learners whether a session is alive.") {
      $0.metrics.core.revalidations
    },
    .counter("connection_drop_count", "Connections that ended before their session.") {
      $0.metrics.droppedConnections
    },
    .counter("connection_rejected", "Connections that were refused because there were too many.") {
      $0.metrics.rejectedConnections + $0.metrics.core.throttledConnections
    },
    .summary("connection_token_deficit", "The handshakes that could not have come at once, at each handshake.") {
      $0.metrics.core.tokenDeficit.distribution
    },
    MetricFamily(
      name: "connection_drop_probability", kind: .gauge, unit: .none, origin: .apache,
      help: "How probable it is that a handshake is refused at random, from 0 to 1.",
      source: .measured { .fraction($0.core.connectionThrottle.dropProbability) }),
    .counter("sessionless_connections_expired", "Connections that were closed because they had no session in time.") {
      $0.metrics.sessionlessConnectionsExpired
    },
    .counter("stale_sessions_expired", "Sessions that this server has ended because nothing was heard of them.") {
      $0.metrics.core.sessionsExpired
    },
    .counter("cnxn_closed_without_zk_server_running", "Clients that were sent away because no client is served.") {
      $0.metrics.connectionsWhileNotServing
    },
    .counter("unsuccessful_handshake", "Connections of clients that could not be encrypted.") {
      $0.metrics.failedHandshakes
    },
    .counter("tls_handshake_exceeded", "Handshakes with clients that were given up because there were too many.") {
      $0.encryption.ofClients?.exceededCount ?? 0
    },
    .counter("insecure_admin_count", "Connections in the clear to an AdminServer that also has TLS.") {
      $0.encryption.ofAdmin?.plainCount ?? 0
    },
    .counter("ensemble_auth_success", "Clients that named this ensemble.") { $0.metrics.core.ensembleAuthSuccesses },
    .counter("ensemble_auth_fail", "Clients that named another ensemble.") { $0.metrics.core.ensembleAuthFailures },
    .counter("ensemble_auth_skip", "Clients that named none, or that this server, which has no name, let in.") {
      $0.metrics.core.ensembleAuthSkips
    },
  ]

  static let watches: [MetricFamily] = [
    .summary("node_created_watch_count", "The clients that were told of the creation of a znode.") {
      $0.metrics.core.createdWatchers.distribution
    },
    .summary("node_deleted_watch_count", "The clients that were told of the deletion of a znode.") {
      $0.metrics.core.deletedWatchers.distribution
    },
    .summary("node_changed_watch_count", "The clients that were told of a change of data.") {
      $0.metrics.core.changedWatchers.distribution
    },
    .summary("node_children_watch_count", "The clients that were told of a change of children.") {
      $0.metrics.core.childrenWatchers.distribution
    },
  ]
}
