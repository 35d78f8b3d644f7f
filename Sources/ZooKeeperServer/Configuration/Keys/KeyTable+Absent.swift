/// Keys about which there is nothing, or nothing yet, to do here.
extension KeyTable {
  static let overload: [ConfigurationKey] =
    [
      "connection_throttle_decrease_ratio", "connection_throttle_drop_decrease", "connection_throttle_drop_increase",
      "connection_throttle_fill_count", "connection_throttle_fill_time", "connection_throttle_freeze_time",
      "connection_throttle_global_session_weight", "connection_throttle_local_session_weight",
      "connection_throttle_renew_session_weight", "connection_throttle_tokens", "connection_throttle_weight_enabled",
      "connectionMaxTokens", "connectionTokenFillTime", "connectionTokenFillCount", "connectionFreezeTime",
      "connectionDropIncrease", "connectionDropDecrease", "connectionDecreaseRatio",
    ].map { .ineffective($0, "new connections are limited in number, not in rate") }
    + [
      "requestThrottleLimit", "requestThrottleStallTime", "requestThrottleDropStale", "requestStaleLatencyCheck",
      "requestStaleConnectionCheck", "request_stale_connection_check", "request_stale_latency_check",
      "request_throttle_drop_stale", "request_throttle_max_requests", "request_throttle_stall_time",
      "throttledOpWaitTime", "throttled_op_wait_time",
    ].map { .ineffective($0, "globalOutstandingLimit is what keeps requests waiting") }
    + [
      .ineffective("largeRequestMaxBytes", "jute.maxbuffer is the only limit of a request"),
      .ineffective("largeRequestThreshold", "jute.maxbuffer is the only limit of a request"),
      .needless("request_throttler.shutdownTimeout", "What waits is dropped at once when a server stops."),
    ]
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
