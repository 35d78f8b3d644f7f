import ZooKeeperProtocol

/// The plain-text commands of operators, with answers in Apache's format.
///
/// *Source*: `ClientProtocol` 7.1; `org.apache.zookeeper.server.command`.
enum FourLetterWords {
  /// All four-letter words.
  static let all = [
    "conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "mntr", "ruok", "srst", "srvr", "stat",
    "stmk", "wchc", "wchp", "wchs",
  ]

  /// The version of Apache's server with which this one is compatible, in the form that tools parse.
  static let versionText = "3.9.5-zkcli, built on 2026-11-24 00:00 UTC"

  /// The trace mask with which Apache's server starts.
  static let defaultTraceMask = 306

  /// The four-letter word in the first four bytes of a connection; nil if there is none.
  static func word(of bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.count >= 4 else { return nil }
    let word = String(decoding: bytes.prefix(4), as: UTF8.self)
    return all.contains(word) ? word : nil
  }

  /// The answer to a four-letter word, without its side effects.
  static func answer(_ word: String, _ report: ServerReport) -> String {
    switch word {
    case "ruok": "imok"
    case "isro": report.isReadOnly ? "ro" : report.ensemble?.isServing ?? true ? "rw" : "null"
    case "gtmk": "\(report.traceMask)"
    case "conf": conf(report)
    case "cons": cons(report)
    case "dirs": "datadir_size: \(report.dataDirectorySize)\nlogdir_size: \(report.logDirectorySize)\n"
    case "dump": dump(report)
    case "envi": "Environment:\n" + environment(report).map { "\($0.key)=\($0.value)\n" }.joined()
    case "hash": "\(String(report.zxid.rawValue, radix: 16)): \(report.treeDigest)\n"
    case "mntr": Monitor.entries(report).map { "zk_\($0.key)\t\($0.text)\n" }.joined()
    case "srvr": srvr(report, withClients: false)
    case "stat": srvr(report, withClients: true)
    case "wchs": watchSummary(report)
    case "wchc": watchesBySession(report)
    case "wchp": watchesByPath(report)
    case "crst": "Connection stats reset.\n"
    case "srst": "Server stats reset.\n"
    default: ""
    }
  }

  /// The parts of a report that the answer needs.
  static func parts(_ word: String) -> ReportParts {
    switch word {
    case "conf", "dirs": .files
    case "cons", "stat": .connections
    case "dump": [.connections, .sessions]
    case "mntr": .metrics
    case "wchc", "wchp": .watches
    default: []
    }
  }

  /// The answer while a member of an ensemble serves no clients.
  static let notServing = "This ZooKeeper instance is not currently serving requests\n"

  /// Whether a four-letter word is answered even while no clients are served.
  static func isAnsweredAlways(_ word: String) -> Bool { ["ruok", "envi", "gtmk", "stmk", "isro"].contains(word) }

  /// The answer to a four-letter word that is not in the whitelist.
  static func refusal(_ word: String) -> String { "\(word) is not executed because it is not in the whitelist.\n" }

  private static func srvr(_ report: ServerReport, withClients: Bool) -> String {
    var text = "Zookeeper version: \(versionText)\n"
    if report.isReadOnly { text += "READ-ONLY mode; serving only read-only clients\n" }
    if withClients { text += "Clients:\n" + report.connections.map { clientLine($0) + "\n" }.joined() + "\n" }
    let latency = report.latency
    text += "Latency min/avg/max: \(latency.minimum)/\(rounded(latency.average))/\(latency.maximum)\n"
    text += "Received: \(report.packetsReceived)\nSent: \(report.packetsSent)\n"
    text += "Connections: \(report.connectionCount)\nOutstanding: \(report.outstandingRequests)\n"
    return text + "Zxid: \(report.zxid)\nMode: \(report.mode)\nNode count: \(report.znodeCount)\n"
      + (report.ensemble?.proposalLine ?? "")
  }

  private static func clientLine(_ connection: ConnectionReport) -> String {
    let interest = connection.sessionID == nil ? 0 : connection.isReading ? 1 : 0
    return " /\(connection.remoteAddress)[\(interest)](queued=\(connection.queued),recved=\(connection.received),"
      + "sent=\(connection.sent)"
      + (connection.sessionID == nil ? ")" : ")")
  }

  private static func cons(_ report: ServerReport) -> String {
    report.connections.map { connection in
      var line = clientLine(connection)
      guard let session = connection.sessionID else { return line + "\n" }
      line.removeLast()
      line += ",sid=\(session),lop=\(connection.lastOperation),est=\(connection.establishedMilliseconds)"
      line += ",to=\(connection.timeoutMilliseconds)"
      if let xid = connection.lastXid { line += ",lcxid=0x\(String(UInt32(bitPattern: xid), radix: 16))" }
      line += ",lzxid=\(connection.lastZxid),lresp=\(connection.lastResponseMilliseconds)"
      let latency = connection.latency
      line += ",llat=\(connection.lastLatency),minlat=\(latency.minimum),avglat=\(Int(latency.average))"
      return line + ",maxlat=\(latency.maximum))\n"
    }.joined() + "\n"
  }

  private static func conf(_ report: ServerReport) -> String {
    let configuration = report.configuration
    let bounds = configuration.sessionTimeoutBounds
    return [
      "clientPort=\(report.clientPort)", "secureClientPort=\(report.secureClientPort)",
      "dataDir=\(configuration.dataDirectory)/version-2",
      "dataDirSize=\(report.dataDirectorySize)", "dataLogDir=\(configuration.logDirectory)/version-2",
      "dataLogSize=\(report.logDirectorySize)", "tickTime=\(configuration.tickTimeMilliseconds)",
      "maxClientCnxns=\(configuration.maximumConnectionsPerAddress)", "minSessionTimeout=\(bounds.lowerBound)",
      "maxSessionTimeout=\(bounds.upperBound)", "clientPortListenBacklog=\(configuration.listenBacklog ?? -1)",
      "serverId=\(report.serverID)",
    ].map { $0 + "\n" }.joined() + (report.ensemble?.configurationText ?? "")
  }

  private static func dump(_ report: ServerReport) -> String {
    var text = "SessionTracker dump:\n"
    if let local = report.sessions.localExpiries {
      text += expirySets("Local Session", SessionReport.expirySets(local))
    }
    if let ensemble = report.ensemble, ensemble.part != .leader {
      text += ensemble.sessionsText
    } else {
      let title = report.sessions.localExpiries == nil ? "Session" : "Global Session"
      text += expirySets(title, SessionReport.expirySets(report.sessions.expiries))
    }
    text += "ephemeral nodes dump:\nSessions with Ephemerals (\(report.sessions.ephemerals.count)):\n"
    for (session, paths) in report.sessions.sortedEphemerals {
      text += "\(session):\n" + paths.map { "\t\($0)\n" }.joined()
    }
    text += "Connections dump:\n"
    let connections = report.connections.map {
      (milliseconds: $0.expiryMilliseconds, member: "ip: /\($0.remoteAddress) sessionId: \($0.sessionID ?? .none)")
    }
    return text + expirySets("Connections", ExpirySet.grouping(connections))
  }

  private static func expirySets(_ title: String, _ sets: [ExpirySet<some Any>]) -> String {
    let count = sets.reduce(0) { $0 + $1.members.count }
    return sets.reduce("\(title) Sets (\(sets.count))/(\(count)):\n") { text, set in
      text + "\(set.members.count) expire at \(JavaDate.text(milliseconds: set.milliseconds)):\n"
        + set.members.map { "\t\($0)\n" }.joined()
    }
  }

  private static func watchSummary(_ report: ServerReport) -> String {
    let summary = report.watches.dataSummary
    return "\(summary.connections) connections watching \(summary.paths) paths\nTotal watches:\(summary.watches)\n"
  }

  private static func watchesBySession(_ report: ServerReport) -> String {
    report.watches.pathsBySession.map { session, paths in
      "\(session)\n" + paths.map { "\t\($0)\n" }.joined()
    }.joined() + "\n"
  }

  private static func watchesByPath(_ report: ServerReport) -> String {
    report.watches.sessionsByPath.map { path, sessions in
      "\(path)\n" + sessions.map { "\t\($0)\n" }.joined()
    }.joined() + "\n"
  }

  /// The environment of the process. The keys about Java are present, and say that this is a native server.
  static func environment(_ report: ServerReport) -> [(key: String, value: String)] {
    [
      ("zookeeper.version", versionText), ("host.name", Host.name), ("java.version", "none"),
      ("java.vendor", "none: a native server"), ("java.home", "none"), ("java.class.path", "none"),
      ("java.library.path", "none"), ("java.io.tmpdir", Host.temporaryDirectory), ("java.compiler", "none"),
      ("os.name", Host.operatingSystem), ("os.arch", Host.architecture), ("os.version", Host.release),
      ("user.name", Host.userName), ("user.home", Host.homeDirectory), ("user.dir", Host.workingDirectory),
      ("os.memory.free", "\(Host.memoryMegabytes.free)MB"), ("os.memory.max", "\(Host.memoryMegabytes.maximum)MB"),
      ("os.memory.total", "\(Host.memoryMegabytes.total)MB"),
    ]
  }

  /// Formats a number with at most four decimals, as Java writes a double: `0.0`, `3.5389`.
  static func rounded(_ value: Double) -> String {
    let scaled = (value * 10_000).rounded() / 10_000
    return "\(scaled)"
  }
}
