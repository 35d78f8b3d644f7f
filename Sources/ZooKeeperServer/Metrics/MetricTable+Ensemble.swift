// MARK: Ensembles, files, and the event loop

extension MetricTable {
  static let members: [MetricFamily] = [
    .time("election_time", "From the begin of an election until this server had a role, in milliseconds.") {
      $0.metrics.ensemble.electionTime.distribution
    },
    .counter("looking_count", "How often this server has looked for a leader.") { $0.metrics.ensemble.lookingCount },
    .time("unavailable_time", "From the loss of the leader until clients were served again, in milliseconds.") {
      $0.metrics.ensemble.unavailableTime.distribution
    },
    .time("leader_unavailable_time", "The same on the server that became the leader.") {
      $0.metrics.ensemble.leaderUnavailableTime.distribution
    },
    .time("follower_sync_time", "From the end of an election until this follower was up to date, in milliseconds.") {
      $0.metrics.ensemble.followerSyncTime.distribution
    },
    .time("observer_sync_time", "The same on an observer.") { $0.metrics.ensemble.observerSyncTime.distribution },
    .counter("snap_count", "Learners that this leader has sent the whole tree.") {
      $0.metrics.ensemble.snapshotsSent
    },
    .counter("diff_count", "Learners that this leader has sent only what they lacked.") {
      $0.metrics.ensemble.differencesSent
    },
    .summary("inflight_diff_count", "The parts of the log that are being sent, when another one begins.") {
      $0.metrics.ensemble.logsInFlight.distribution
    },
    .summary("inflight_snap_count", "The trees that are being sent, when another one begins.") {
      $0.metrics.ensemble.treesInFlight.distribution
    },
  ]

  static let proposals: [MetricFamily] = [
    .counter("proposal_count", "Transactions that this server has proposed as a leader.") {
      $0.metrics.ensemble.proposalCount
    },
    .counter("commit_count", "Transactions that this server has committed as a leader.") {
      $0.metrics.ensemble.commitCount
    },
    .counter("learner_proposal_received_count", "Proposals of a leader.") { $0.metrics.ensemble.learnerProposals },
    .counter("learner_commit_received_count", "Commits of a leader.") { $0.metrics.ensemble.learnerCommits },
    .time(
      "om_proposal_process_time_ms", "Taking a proposal on a follower that has observers, in milliseconds.",
      quantiles: true
    ) { $0.metrics.ensemble.observerMasterProposalTime.distribution },
    .time(
      "om_commit_process_time_ms", "Taking a commit on a follower that has observers, and telling them.",
      quantiles: true
    ) { $0.metrics.ensemble.observerMasterCommitTime.distribution },
    .time("proposal_latency", "From the leader's time of a transaction to its arrival at a follower.", quantiles: true)
    {
      $0.metrics.ensemble.proposalLatency.distribution
    },
    .time(
      "proposal_ack_creation_latency", "From the leader's time of a transaction to a follower's acknowledgement.",
      quantiles: true
    ) { $0.metrics.ensemble.ackCreationLatency.distribution },
    .time(
      "commit_propagation_latency", "From the leader's time of a transaction to its application on a learner.",
      quantiles: true
    ) { $0.metrics.core.commitPropagationLatency.distribution },
    .time(
      "quorum_ack_latency", "From the leader's time of a transaction to the acknowledgement of a quorum.",
      quantiles: true
    ) { $0.metrics.core.quorumAckLatency.distribution },
    .set(
      "ack_latency", .summarySet(quantiles: true),
      "From a proposal of this leader to its acknowledgement by a voter, in milliseconds.", unit: .milliseconds
    ) { .distributions($0.metrics.ensemble.ackLatencyByServer.map { ($0.name, $0.1) }) },
  ]

  static let files: [MetricFamily] = [
    .time("fsynctime", "Syncs of the log, in milliseconds.") { $0.log.syncTime },
    .time("snapshottime", "Writing a snapshot, in milliseconds.") { $0.metrics.snapshotTime.distribution },
    .counter("snapshot_error_count", "Snapshots that could not be written.") { $0.metrics.snapshotErrors },
    .counter("snapshot_rate_limited_count", "Snapshots for which an operator has asked too soon.") {
      $0.metrics.limitedSnapshots
    },
    .time("restore_time", "From the end of the old state to the first client of a restored one, in milliseconds.") {
      $0.metrics.restoreTime.distribution
    },
    .counter("restore_error_count", "Restores that have failed.") { $0.metrics.restoreErrors },
    .counter("restore_rate_limited_count", "Restores for which an operator has asked too soon.") {
      $0.metrics.limitedRestores
    },
    .time("dbinittime", "Reading the data directory at the start, in milliseconds.") {
      $0.metrics.startTime.distribution
    },
    .time("startup_snap_load_time", "Loading the snapshot at the start, in milliseconds.") {
      $0.metrics.startSnapshotTime.distribution
    },
    .time("startup_txns_load_time", "Replaying the log at the start, in milliseconds.") {
      $0.metrics.startLogTime.distribution
    },
    .summary("startup_txns_loaded", "The transactions that the start has replayed.") {
      $0.metrics.startTxns.distribution
    },
    .counter("unrecoverable_error_count", "Failures because of which the server stops.") { $0.metrics.fatalErrors },
    .summary("snapshot_size_bytes", "The bytes of the znodes in a snapshot.", unit: .bytes, origin: .own) {
      $0.metrics.snapshotBytes.distribution
    },
    .counter("log_bytes", "The bytes of the transactions that were logged.", unit: .bytes, origin: .own) {
      $0.log.byteCount
    },
    .summary("log_batch_bytes", "The bytes of the transactions that shared one sync.", unit: .bytes, origin: .own) {
      $0.log.batchBytes
    },
    .counter("log_segment_count", "Segments of the log that were begun because of a snapshot.", origin: .own) {
      $0.log.segmentCount
    },
  ]

  static let loop: [MetricFamily] = [
    .time(
      "loop_turn_time_ms",
      "A turn of the event loop with requests, from the first one read until what the turn sends was sent.",
      quantiles: true, origin: .own
    ) { $0.metrics.turnTime.distribution },
    .time(
      "loop_lag_ms", "How much later than it was due a timer of the event loop ran, each second.", quantiles: true,
      origin: .own
    ) { $0.metrics.loopLag.distribution },
  ]
}
