import ZooKeeperProtocol

/// The answers of the HTTP server for administrators, as JSON.
///
/// *Source*: `ClientProtocol` 7.2; `org.apache.zookeeper.server.admin.Commands`.
enum AdminCommands {
  /// A command and its other names.
  private static let names: [(primary: String, aliases: [String])] = [
    ("configuration", ["conf", "config"]), ("connection_stat_reset", ["crst"]), ("connections", ["cons"]),
    ("dirs", []), ("dump", []), ("environment", ["env", "envi"]), ("get_trace_mask", ["gtmk"]), ("hash", []),
    ("initial_configuration", ["icfg"]), ("is_read_only", ["isro"]), ("last_snapshot", ["lsnp"]),
    ("leader", ["lead"]), ("log_level", []), ("monitor", ["mntr"]),
    ("observer_connection_stat_reset", ["orst"]), ("observers", ["obsr"]), (AdminRestores.name, ["rest"]), ("ruok", []),
    ("server_stats", ["srvr"]), ("set_trace_mask", ["stmk"]), (AdminSnapshots.name, ["snap"]),
    ("stat_reset", ["srst"]), ("stats", ["stat"]), ("system_properties", ["sysp"]), ("voting_view", []),
    ("watch_summary", ["wchs"]), ("watches", ["wchc"]), ("watches_by_path", ["wchp"]), ("zabstate", []),
  ]

  /// The primary name of a command, or nil when there is none of that name.
  static func primaryName(_ name: String) -> String? {
    names.first { $0.primary == name || $0.aliases.contains(name) }?.primary
  }

  /// The parts of a report that the answer to a command needs.
  static func parts(_ name: String) -> ReportParts {
    switch primaryName(name) {
    case "connections": .connections
    case "dirs", "server_stats": .files
    case "stats": [.connections, .files]
    case "dump": .sessions
    case "monitor": .metrics
    case "watches", "watches_by_path": .watches
    default: []
    }
  }

  /// The page that lists the commands.
  static func index(_ path: String) -> String {
    names.map(\.primary).sorted().map { "<a href=\"\(path)/\($0)\">\($0)</a>\n<br/>\n" }.joined()
  }

  /// The answer to a command, or Apache's text for one that does not exist.
  static func answer(_ name: String, _ report: ServerReport) -> String {
    guard let primary = primaryName(name) else {
      return text(name, error: "Unknown command: \(name)")
    }
    let (body, error) = isAnswered(primary, report) ? body(primary, report) : ([], notServing)
    return AdminJSON.object(
      body + [("command", .string(primary)), ("error", error.map(AdminJSON.string) ?? .null)]
    ).text
  }

  /// An answer without anything else than the command's name and an error.
  static func text(_ name: String, error: String?) -> String {
    AdminJSON.object([("command", .string(name)), ("error", error.map(AdminJSON.string) ?? .null)]).text
  }

  /// The answer to `set_trace_mask`. The mask is only kept: what this server logs does not depend on it.
  static func traceMask(_ argument: Substring?) -> (answer: String, mask: Int64?) {
    guard let argument, let mask = Int64(argument) else {
      let found = argument.map { ", got \($0)" } ?? ""
      return (text("set_trace_mask", error: "setTraceMask requires long traceMask argument\(found)"), nil)
    }
    return (
      AdminJSON.object([
        ("tracemask", .number(Int(mask))), ("command", .string("set_trace_mask")), ("error", .null),
      ]).text, mask
    )
  }

  static let notServing = String(FourLetterWords.notServing.dropLast())

  /// Whether a command is answered: most are not while a member of an ensemble serves no clients.
  private static func isAnswered(_ name: String, _ report: ServerReport) -> Bool {
    report.ensemble?.isServing != false || alwaysAnswered.contains(name)
  }

  private static let alwaysAnswered = ["environment", "get_trace_mask", "system_properties", "zabstate"]

  private typealias Body = [(String, AdminJSON)]

  private static func body(_ name: String, _ report: ServerReport) -> (Body, error: String?) {
    switch name {
    case "configuration": (configuration(report), nil)
    case "connections":
      ([("connections", .array(report.connections.map(connection))), ("secure_connections", .array([]))], nil)
    case "dirs":
      ([("datadir_size", .number(report.dataDirectorySize)), ("logdir_size", .number(report.logDirectorySize))], nil)
    case "dump": (dump(report), nil)
    case "environment": (FourLetterWords.environment(report).map { ($0.key, .string($0.value)) }, nil)
    case "get_trace_mask": ([("tracemask", .number(Int(report.traceMask)))], nil)
    case "hash": ([("digests", .array([digest(report)]))], nil)
    case "initial_configuration":
      ([("initial_configuration", report.configuration.origin.text.map(AdminJSON.string) ?? .null)], nil)
    case "is_read_only": ([("read_only", .bool(report.isReadOnly))], nil)
    case "last_snapshot": (lastSnapshot(report), nil)
    case "leader": report.ensemble.map { ($0.leaderBody, nil) } ?? ([], "server is not initialized")
    case "observers": (report.ensemble?.observersBody ?? [], nil)
    case "voting_view": (report.ensemble?.votingViewBody ?? [("current_config", .object([]))], nil)
    case "monitor": (Monitor.entries(report).map { ($0.key, AdminJSON($0.value)) }, nil)
    case "server_stats": (stats(report), nil)
    case "stats": (stats(report) + [("connections", .array(report.connections.map(connection)))], nil)
    case "system_properties": (systemProperties(report), nil)
    case "watch_summary": (watchSummary(report), nil)
    case "watches": (watches(report), nil)
    case "watches_by_path": (watchesByPath(report), nil)
    case "zabstate":
      (
        report.ensemble?.zabStateBody
          ?? [("voting", .bool(false)), ("last_zxid", .string("\(report.zxid)")), ("zabstate", .string(""))], nil
      )
    default: ([], nil)
    }
  }

  private static func configuration(_ report: ServerReport) -> Body {
    let configuration = report.configuration
    return [
      ("client_port", .number(report.clientPort)), ("data_dir", .string(configuration.dataDirectory + "/version-2")),
      ("data_log_dir", .string(configuration.logDirectory + "/version-2")),
      ("tick_time", .number(configuration.tickTimeMilliseconds)),
      ("max_client_cnxns", .number(configuration.maximumConnectionsPerAddress)),
      ("min_session_timeout", .number(configuration.sessionTimeoutBounds.lowerBound)),
      ("max_session_timeout", .number(configuration.sessionTimeoutBounds.upperBound)),
      ("server_id", .number(Int(report.serverID))),
      ("client_port_listen_backlog", .number(configuration.listenBacklog ?? -1)),
    ]
  }

  private static func connection(_ connection: ConnectionReport) -> AdminJSON {
    .object([
      ("remote_socket_address", .string(connection.remoteAddress)),
      ("interest_ops", .number(connection.isReading ? 1 : 0)),
      ("outstanding_requests", .number(connection.queued)), ("packets_received", .number(connection.received)),
      ("packets_sent", .number(connection.sent)),
      ("session_id", .number(Int((connection.sessionID ?? .none).rawValue))),
      ("last_operation", .string(connection.lastOperation)),
      ("established", .number(Int(connection.establishedMilliseconds))),
      ("session_timeout", .number(Int(connection.timeoutMilliseconds))),
      ("last_cxid", .number(Int(connection.lastXid ?? -1))),
      ("last_zxid", .number(Int(connection.lastZxid.rawValue))),
      ("last_response_time", .number(Int(connection.lastResponseMilliseconds))),
      ("last_latency", .number(connection.lastLatency)), ("min_latency", .number(connection.latency.minimum)),
      ("avg_latency", .number(Int(connection.latency.average))),
      ("max_latency", .number(connection.latency.maximum)),
    ])
  }

  private static func dump(_ report: ServerReport) -> Body {
    [
      (
        "expiry_time_to_session_ids",
        .object(
          SessionReport.expirySets(report.sessions.expiries + (report.sessions.localExpiries ?? [])).map { set in
            ("\(set.milliseconds)", .array(set.members.map { .number(Int($0.rawValue)) }))
          })
      ),
      (
        "session_id_to_ephemeral_paths",
        .object(
          report.sessions.sortedEphemerals.map { session, paths in
            ("\(session.rawValue)", .array(paths.map(AdminJSON.string)))
          })
      ),
    ]
  }

  private static func digest(_ report: ServerReport) -> AdminJSON {
    .object([
      ("zxid", .number(Int(report.zxid.rawValue))), ("digest", .number(Int(Int64(bitPattern: report.treeDigest)))),
      ("digest_version", .number(2)),
    ])
  }

  private static func lastSnapshot(_ report: ServerReport) -> Body {
    [
      ("zxid", .string("\(report.snapshot?.zxid ?? .zero)")),
      ("timestamp", .number(Int((report.snapshot?.wallMilliseconds ?? 0) / 1000))),
    ]
  }

  private static func stats(_ report: ServerReport) -> Body {
    let server: Body = [
      ("packets_sent", .number(report.packetsSent)), ("packets_received", .number(report.packetsReceived)),
      ("data_dir_size", .number(report.dataDirectorySize)), ("log_dir_size", .number(report.logDirectorySize)),
      ("server_state", .string(report.mode)), ("last_processed_zxid", .number(Int(report.zxid.rawValue))),
      ("outstanding_requests", .number(report.outstandingRequests)), ("avg_latency", .double(report.latency.average)),
      ("max_latency", .number(report.latency.maximum)), ("min_latency", .number(report.latency.minimum)),
      ("num_alive_client_connections", .number(report.connectionCount)),
      ("auth_failed_count", .number(report.authFailures)), ("uptime", .number(Int(report.uptimeMilliseconds))),
    ]
    return [
      ("version", .string(FourLetterWords.versionText)), ("read_only", .bool(report.isReadOnly)),
      ("server_stats", .object(server)),
    ] + (report.ensemble?.proposalStatsBody ?? []) + [("node_count", .number(report.znodeCount))]
  }

  /// The system properties that Java would have for this configuration and machine, in order. The environment of the
  /// process is not among them.
  private static func systemProperties(_ report: ServerReport) -> Body {
    var properties = report.configuration.origin.properties
    properties["os.arch"] = Host.architecture
    properties["os.name"] = Host.operatingSystem
    properties["os.version"] = Host.release
    properties["user.dir"] = Host.workingDirectory
    properties["user.name"] = Host.userName
    return properties.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }
  }

  private static func watchSummary(_ report: ServerReport) -> Body {
    let summary = report.watches.dataSummary
    return [
      ("num_connections", .number(summary.connections)), ("num_paths", .number(summary.paths)),
      ("num_total_watches", .number(summary.watches)),
    ]
  }

  private static func watches(_ report: ServerReport) -> Body {
    let lists = report.watches.pathsBySession.map { session, paths in
      ("\(session.rawValue)", AdminJSON.array(paths.map(AdminJSON.string)))
    }
    return [("session_id_to_watched_paths", .object(lists))]
  }

  private static func watchesByPath(_ report: ServerReport) -> Body {
    let lists = report.watches.sessionsByPath.map { path, sessions in
      (path, AdminJSON.array(sessions.map { .number(Int($0.rawValue)) }))
    }
    return [("path_to_session_ids", .object(lists))]
  }
}
