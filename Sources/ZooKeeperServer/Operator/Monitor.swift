import ZooKeeperProtocol

/// The figures that `mntr`, `/commands/monitor` and Prometheus report.
///
/// *Source*: `ClientProtocol` 7.1, 7.3; names without the prefix `zk_`.
enum Monitor {
  /// A figure.
  enum Value: Hashable, Sendable {
    case integer(Int)
    case double(Double)
    case text(String)
  }

  /// A figure and its name.
  struct Entry: Hashable, Sendable {
    let key: String
    let value: Value

    /// As `mntr` writes it.
    var text: String {
      switch value {
      case .integer(let number): "\(number)"
      case .double(let number): FourLetterWords.rounded(number)
      case .text(let text): text
      }
    }
  }

  /// All figures, the version and the state first.
  static func entries(_ report: ServerReport) -> [Entry] {
    var entries = [
      Entry(key: "version", value: .text(FourLetterWords.versionText)),
      Entry(key: "server_state", value: .text(report.mode)),
    ]
    if let ensemble = report.ensemble {
      entries.append(
        Entry(key: "peer_state", value: .text("\(ensemble.part.participle) - \(ensemble.zabState)")))
    }
    return entries + gauges(report) + syncs(report.syncs)
  }

  /// The figures that are numbers.
  static func gauges(_ report: ServerReport) -> [Entry] {
    let figures: [(String, Int)] = [
      ("max_latency", report.latency.maximum), ("min_latency", report.latency.minimum),
      ("packets_received", report.packetsReceived), ("packets_sent", report.packetsSent),
      ("num_alive_connections", report.connectionCount), ("outstanding_requests", report.outstandingRequests),
      ("uptime", Int(report.uptimeMilliseconds)), ("znode_count", report.znodeCount),
      ("watch_count", report.watches.count), ("ephemerals_count", report.sessions.ephemeralCount),
      ("approximate_data_size", report.approximateDataSize), ("global_sessions", report.sessions.count),
      ("local_sessions", 0), ("open_file_descriptor_count", report.openFileDescriptors),
      ("max_file_descriptor_count", report.maximumFileDescriptors), ("auth_failed_count", report.authFailures),
      ("last_client_response_size", report.responseBytes.last),
      ("max_client_response_size", report.responseBytes.maximum),
      ("min_client_response_size", report.responseBytes.minimum),
    ]
    return [Entry(key: "avg_latency", value: .double(report.latency.average))]
      + (figures + space(report) + (report.ensemble?.figures ?? [])).map { Entry(key: $0.0, value: .integer($0.1)) }
  }

  /// The space of the log's file system, which Apache's server does not report.
  private static func space(_ report: ServerReport) -> [(String, Int)] {
    guard let space = report.logDirectorySpace else { return [] }
    return [("log_dir_free_bytes", space.freeBytes), ("log_dir_total_bytes", space.totalBytes)]
  }

  /// How long the syncs of the log took, in milliseconds.
  ///
  /// *Source*: `ServerMetrics.FSYNC_TIME`, `AvgMinMaxCounter.values`.
  private static func syncs(_ syncs: SyncStatistics) -> [Entry] {
    func milliseconds(_ nanoseconds: UInt64) -> Value { .integer(Int(clamping: nanoseconds / 1_000_000)) }
    return [
      Entry(key: "avg_fsynctime", value: .double(syncs.averageMilliseconds)),
      Entry(key: "min_fsynctime", value: milliseconds(syncs.shortestNanoseconds)),
      Entry(key: "max_fsynctime", value: milliseconds(syncs.longestNanoseconds)),
      Entry(key: "cnt_fsynctime", value: .integer(syncs.count)),
      Entry(key: "sum_fsynctime", value: milliseconds(syncs.totalNanoseconds)),
    ]
  }

  /// Prometheus' text format, version 0.0.4.
  static func prometheus(_ report: ServerReport) -> String {
    gauges(report).map { "# HELP \($0.key) \($0.key)\n# TYPE \($0.key) gauge\n\($0.key) \($0.text)\n" }.joined()
      + "# HELP fsynctime fsynctime\n# TYPE fsynctime summary\nfsynctime_count \(report.syncs.count)\n"
      + "fsynctime_sum \(Double(report.syncs.totalNanoseconds) / 1e6)\n"
  }
}
