/// Keys about overload, and those for which there is nothing to do here.
extension KeyTable {
  static let overload: [ConfigurationKey] =
    [
      .honoured("connection_throttle_tokens", "How many handshakes may come at once; 0, which is any number."),
      .honoured("connection_throttle_fill_time", "How often more may come, in milliseconds; 1."),
      .honoured("connection_throttle_fill_count", "How many more; 1."),
      .honoured(
        "connection_throttle_freeze_time",
        "How long the probability of a random refusal stays the same, in milliseconds; -1, which is none."),
      .honoured("connection_throttle_drop_increase", "What is added to it when none may come; 0.02."),
      .honoured("connection_throttle_drop_decrease", "What is taken from it when enough may come; 0.002."),
      .honoured("connection_throttle_decrease_ratio", "Which part may be used up then; 0."),
      .honoured("connection_throttle_weight_enabled", "Whether handshakes count for several; false."),
      .honoured("connection_throttle_global_session_weight", "For how many one for a new session counts; 3."),
      .honoured("connection_throttle_renew_session_weight", "For how many one for an earlier session counts; 2."),
      .honoured(
        "connection_throttle_local_session_weight",
        "For how many one for a new session counts with localSessionsEnabled; 1."),
    ]
    + [
      ("connectionMaxTokens", "tokens"), ("connectionTokenFillTime", "fill_time"),
      ("connectionTokenFillCount", "fill_count"), ("connectionFreezeTime", "freeze_time"),
      ("connectionDropIncrease", "drop_increase"), ("connectionDropDecrease", "drop_decrease"),
      ("connectionDecreaseRatio", "decrease_ratio"),
    ].map { .ineffective($0, "servers read connection_throttle_\($1), whatever Apache's guide calls it") }
    + [
      .honoured(
        "request_throttle_max_requests", "With so many unanswered requests, further ones wait; 0, which is any number."
      ),
      .honoured(
        "request_throttle_stall_time", "How often those are looked at if nothing happens, in milliseconds; 100."),
      .honoured("request_throttle_drop_stale", "Whether they are dropped when they become stale; true."),
      .honoured("request_stale_connection_check", "Whether requests of closed connections are stale; true."),
      .honoured("request_stale_latency_check", "Whether those older than their session's timeout are; false."),
      .honoured(
        "throttled_op_wait_time",
        "After how many milliseconds of waiting a request is refused with ThrottledOp; 0, which is never."),
      .honoured(
        "request_throttler.shutdownTimeout",
        "How many milliseconds a server that stops goes on answering what it has read; 3000."),
      .honoured("largeRequestThreshold", "Above how many bytes a request is large; -1, which is none."),
      .honoured(
        "largeRequestMaxBytes",
        "How many bytes of those may be unanswered; a connection that sends more is closed; 104857600."
      ),
    ]
    + [
      ("requestThrottleLimit", "request_throttle_max_requests"),
      ("requestThrottleStallTime", "request_throttle_stall_time"),
      ("requestThrottleDropStale", "request_throttle_drop_stale"),
      ("requestStaleLatencyCheck", "request_stale_latency_check"),
      ("requestStaleConnectionCheck", "request_stale_connection_check"),
      ("throttledOpWaitTime", "throttled_op_wait_time"),
    ].map { .ineffective($0, "servers read \($1), whatever Apache's guide calls it") }
    + ["advancedFlowControlEnabled", "netty.advancedFlowControl.enabled"].map {
      .needless($0, "A client that does not take its answers is not read any further.")
    }

  static let batches: [ConfigurationKey] =
    ["maxBatchSize", "flushDelay", "maxWriteQueuePollTime"].map {
      .needless($0, "What arrives while the log is synced is synced together next.")
    }
    + ["maxResponseCacheSize", "maxGetChildrenResponseCacheSize"].map {
      .needless($0, "Answers are copied from the tree, which costs no more than from a cache.")
    }
    + [
      "commitProcessor.maxCommitBatchSize", "commitProcessor.maxReadBatchSize", "commitProcessor.numWorkerThreads",
      "commitProcessor.shutdownTimeout", "request.timeout",
    ].map { .needless($0, "One thread answers all requests, in their order.") }
    + [
      "watchManagerName", "bitHashCacheSize", "watcherCleanIntervalInSeconds", "watcherCleanThreadsNum",
      "watcherCleanThreshold", "maxInProcessingDeadWatchers",
    ].map { .needless($0, "There is one table of watches, from which a closed connection's are removed at once.") }
    + [
      .needless("intBufferStartingSizeBytes", "Buffers grow as they are needed."),
      .needless("jute.maxbuffer.extrasize", "What one server sends to another is never refused for its size."),
    ]

  static let java: [ConfigurationKey] =
    [
      "jvm.pause.monitor", "jvm.pause.info-threshold.ms", "jvm.pause.warn-threshold.ms", "jvm.pause.sleep.time.ms",
      "jmx.log4j.disable", "jmx.log4j.mbean",
    ].map { .needless($0, "There is no JVM.") }
    + [
      "nio.directBufferBytes", "nio.numSelectorThreads", "nio.numWorkerThreads", "nio.shutdownTimeout",
    ].map { .needless($0, "One thread serves all connections.") }
}
