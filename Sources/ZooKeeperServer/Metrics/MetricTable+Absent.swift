// MARK: Families of Apache's that are not reported

extension MetricTable {
  private static let noQueue = "requests are prepared where they are read: there is no queue"
  private static let noStep = "a step of one turn of the loop, which loop_turn_time_ms measures"
  private static let noPool = "one thread applies and answers: there is no pool"
  private static let noCache = "answers are written from the tree: there is no cache"
  private static let noCleaner = "watches of closed connections are removed at once"

  /// Those of queues and threads that this server does not have.
  static let absentQueues: [MetricFamily] = [
    .absent("prep_processor_queue_time_ms", .summary(quantiles: true), noQueue),
    .absent("prep_processor_queue_size", .summary(quantiles: false), noQueue),
    .absent("prep_process_time", .summary(quantiles: false), noStep),
    .absent("proposal_process_time", .summary(quantiles: false), noStep),
    .absent("close_session_prep_time", .summary(quantiles: true), noStep),
    .absent("read_final_proc_time_ms", .summary(quantiles: true), noStep),
    .absent("write_final_proc_time_ms", .summary(quantiles: true), noStep),
    .absent(
      "write_commitproc_time_ms", .summary(quantiles: true), "a write waits only for its commit: see updatelatency"),
    .absent("local_write_committed_time_ms", .summary(quantiles: true), "a commit is applied where it is read"),
    .absent("server_write_committed_time_ms", .summary(quantiles: true), "a commit is applied where it is read"),
    .absent(
      "write_batch_time_in_commit_processor", .summary(quantiles: false), "the same as commit_process_time"),
    .absent("read_commit_proc_req_queued", .summary(quantiles: false), "reads do not pass through a processor"),
    .absent("read_commit_proc_issued", .summary(quantiles: false), "reads do not pass through a processor"),
    .absent("write_commit_proc_req_queued", .summary(quantiles: false), noQueue),
    .absent("commit_commit_proc_req_queued", .summary(quantiles: false), "the same as write_commit_proc_issued"),
    .absent(
      "reads_issued_from_session_queue", .summary(quantiles: false), "the same as reads_after_write_in_session_queue"),
    .absent("session_queues_drained", .summary(quantiles: false), "each write drains the queue of one session"),
    .absent("pending_session_queue_size", .summary(quantiles: false), "queues belong to connections: no list of them"),
    .absent("concurrent_request_processing_in_commit_processor", .summary(quantiles: false), noPool),
    .absent("time_waiting_empty_pool_in_commit_processor_read_ms", .summary(quantiles: false), noPool),
    .absent("learner_request_processor_queue_size", .summary(quantiles: false), noQueue),
    .absent("learner_handler_qp_size", .summarySet(quantiles: false), "the packets of a turn leave in one write"),
    .absent("learner_handler_qp_time_ms", .summarySet(quantiles: true), "the packets of a turn leave in one write"),
    .absent("socket_closing_time", .summary(quantiles: false), "closing a socket does not block"),
    .absent("netty_queued_buffer_capacity", .summary(quantiles: false), "of Netty"),
    .absent("jvm_pause_time_ms", .summary(quantiles: true), "there is no JVM: see loop_lag_ms"),
    .absent("skip_learner_request_to_next_processor_count", .counter, "there is no such setting"),
    .absent("requests_not_forwarded_to_commit_processor", .counter, "there are no processors that forward"),
  ]

  /// Those of features that this server does not have.
  static let absentFeatures: [MetricFamily] = [
    .absent("stale_replies", .counter, "no answer is made for a closed connection"),
    .absent("response_packet_cache_hits", .counter, noCache),
    .absent("response_packet_cache_misses", .counter, noCache),
    .absent("response_packet_get_children_cache_hits", .counter, noCache),
    .absent("response_packet_get_children_cache_misses", .counter, noCache),
    .absent("add_dead_watcher_stall_time", .counter, noCleaner),
    .absent("dead_watchers_queued", .counter, noCleaner),
    .absent("dead_watchers_cleared", .counter, noCleaner),
    .absent("dead_watchers_cleaner_latency", .summary(quantiles: true), noCleaner),
    .absent("quit_leading_due_to_disloyal_voter", .counter, "a leader stays while a quorum follows it"),
    .absent(
      "read_per_namespace", .summarySet(quantiles: false),
      "finding the namespace would make every read more expensive by several per cent"),
  ]
}
