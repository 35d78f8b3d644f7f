import JSONFormat
import Platform
import Synchronization
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// Recent answers of an ensemble, so that many viewers do not put more load on its servers than one.
struct EnsembleMemory {
  /// An answer, and the time when it was received.
  struct Kept<Value> {
    var value: Value
    var taken: ContinuousClock.Instant
  }

  var samples: [ServerAddress: ServerSample] = [:]
  var ensemble: Kept<JSON>?
  var clients: Kept<JSON>?
  var census: Kept<SessionCensus>?
  var configuration: Kept<String?>?
  /// The health report, for which a session was opened with each server.
  var health: Kept<EnsembleReport>?
  var healthWork: Task<EnsembleReport, Never>?
  var ensembleWork: Task<JSON, Never>?
  var clientsWork: Task<JSON, Never>?
  /// The packets that each client had sent when the clients were last listed.
  var counts: [SessionID: (count: Int64, taken: ContinuousClock.Instant)] = [:]

  /// The maximum age of an answer.
  static let patience = Duration.milliseconds(800)
  static let clientsPatience = Duration.milliseconds(1800)
  static let freshness = Duration.milliseconds(200)
  static let configurationPatience = Duration.seconds(10)
  static let clockPatience = Duration.seconds(60)
  /// The time limit for the answer to a four-letter word.
  static let wordLimit = Duration.milliseconds(700)
  /// The time limit for each request of a health report.
  static let healthLimit = Duration.seconds(1)
}

extension ClusterSession {
  /// The probe that asks the servers.
  nonisolated func probe(limit: Duration) throws -> EnsembleProbe {
    EnsembleProbe(tls: try cluster.tls(), limit: limit, admin: .port(AdminClient.defaultPort)) { [cluster] server in
      try await cluster.openMember(server, limit)
    }
  }

  // MARK: Members

  /// The document of `GET /ensemble`. Concurrent requests share one answer.
  func ensembleDocument() async -> JSON {
    if let kept = memory.ensemble, .now - kept.taken < EnsembleMemory.patience { return kept.value }
    if let work = memory.ensembleWork { return await work.value }
    let work = Task { await makeEnsembleDocument() }
    memory.ensembleWork = work
    let document = await work.value
    memory.ensembleWork = nil
    memory.ensemble = .init(value: document, taken: .now)
    return document
  }

  private func makeEnsembleDocument() async -> JSON {
    let servers = cluster.connectString.servers
    let tls = try? cluster.tls()
    guard let probe = try? probe(limit: EnsembleMemory.wordLimit) else { return .null }
    let answers = await withTaskGroup(of: (Int, MemberAnswer).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask {
          async let sample = probe.sample(server, admin: nil)
          async let status = WordAnswer.ask("srvr", of: server, tls: tls, limit: EnsembleMemory.wordLimit)
          return (index, MemberAnswer(sample: await sample, status: await status))
        }
      }
      return await group.reduce(into: [(Int, MemberAnswer)]()) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
    let configuration = await configurationText()
    var report = EnsembleReport(members: answers.map { $0.report(configuration) })
    report.goal = report.newestZxid
    let activity = Activity(answers.map(\.sample), since: memory.samples)
    memory.samples = Dictionary(answers.map { ($0.sample.address, $0.sample) }) { $1 }
    let offsets = clockOffsets
    let members = zip(report.members, activity.servers).map {
      Self.document(of: $0, $1, in: report, clockOffset: offsets[$0.address])
    }
    return .object([
      ("cluster", .string(cluster.name)), ("time", JSON.time(WallClock.nowMilliseconds())),
      ("verdict", .string(Self.verdict(report))), ("hasQuorum", .bool(report.hasQuorum)),
      ("failuresLeft", .optional(report.failuresLeft.map(Int64.init))),
      ("newestZxid", .optional((report.newestZxid ?? report.members.compactMap(\.zxid).max()).map { "\($0)" })),
      ("members", .array(members)),
    ])
  }

  private static func verdict(_ report: EnsembleReport) -> String {
    guard report.hasQuorum else { return Verdict.down.rawValue }
    let isWhole = report.members.allSatisfy { $0.state == .serving && report.lag(of: $0) < 1000 }
    return (isWhole ? Verdict.healthy : .degraded).rawValue
  }

  /// The text of the ensemble's configuration, with the ids and the votes; nil if no server reports it.
  private func configurationText() async -> String? {
    if let kept = memory.configuration, .now - kept.taken < EnsembleMemory.configurationPatience { return kept.value }
    guard stateName == "connected", let client = present?.withTimeLimit(.seconds(1)) else {
      return memory.configuration?.value
    }
    let data = (try? await client.getConfig())?.data
    let text = data.map { String(decoding: $0, as: UTF8.self) }
    memory.configuration = .init(value: text ?? memory.configuration?.value, taken: .now)
    return text ?? memory.configuration?.value
  }

  /// How far the servers' clocks are ahead of this machine's, in milliseconds, which four-letter words do not report.
  private var clockOffsets: [ServerAddress: Int64] {
    guard let health = memory.health, .now - health.taken < EnsembleMemory.clockPatience else { return [:] }
    let offsets = health.value.members.compactMap { member in
      member.session?.clockOffsetMilliseconds.map { (member.address, $0) }
    }
    return Dictionary(offsets) { $1 }
  }

  /// The report on the ensemble's health. Concurrent requests share one answer.
  func healthReport() async throws -> EnsembleReport {
    if let kept = memory.health, .now - kept.taken < EnsembleMemory.patience { return kept.value }
    if let work = memory.healthWork { return await work.value }
    let probe = try probe(limit: EnsembleMemory.healthLimit)
    let servers = cluster.connectString.servers
    let work = Task { await probe.ensemble(servers) }
    memory.healthWork = work
    let report = await work.value
    memory.healthWork = nil
    memory.health = .init(value: report, taken: .now)
    return report
  }

  private static func document(
    of member: MemberReport, _ activity: Activity.Server, in report: EnsembleReport, clockOffset: Int64?
  ) -> JSON {
    let metrics = member.metrics
    let latency: JSON =
      metrics?.number("avg_latency") == nil
      ? .null
      : .object([
        ("min", .decimal(metrics?.number("min_latency"))), ("avg", .decimal(metrics?.number("avg_latency"))),
        ("max", .decimal(metrics?.number("max_latency"))),
      ])
    let (state, reason): (String, String?) =
      switch member.state {
      case .serving: ("serving", nil)
      case .notServing: ("notServing", "it is not part of a quorum")
      case .unreachable(let reason): ("unreachable", reason.shortText)
      }
    return .object([
      ("address", .string("\(member.address)")), ("id", .optional(report.id(of: member)?.rawValue)),
      ("state", .string(state)), ("reason", .optional(reason)),
      ("role", .optional(member.state == .serving ? member.role : nil)),
      ("zxid", .optional(member.zxid.map { "\($0)" })),
      ("lag", member.state == .serving && member.zxid != nil ? .number(report.lag(of: member)) : .null),
      ("version", .optional(member.version)), ("latency", latency),
      ("receivedRate", .decimal(activity.receivedRate)), ("sentRate", .decimal(activity.sentRate)),
      ("connections", .optional(member.connectionCount)), ("sessions", .optional(member.sessionCount)),
      ("watches", .optional(member.watchCount)), ("znodes", .optional(member.znodeCount)),
      ("outstanding", .optional(member.outstandingCount)),
      ("dataBytes", .optional(metrics?.count("approximate_data_size"))),
      ("openDescriptors", .optional(metrics?.count("open_file_descriptor_count"))),
      ("maximumDescriptors", .optional(metrics?.count("max_file_descriptor_count"))),
      ("uptimeMilliseconds", .optional(metrics?.count("uptime"))), ("clockOffsetMilliseconds", .optional(clockOffset)),
    ])
  }

  // MARK: Clients

  /// The session with an id, as the servers list it; nil if no server does.
  ///
  /// If the recent list does not contain it, the servers are asked again, because the session may be newer than the
  /// list.
  func censusEntry(of id: SessionID) async -> SessionCensus.Session? {
    if let known = await census().sessions.first(where: { $0.id == id }) { return known }
    return await census(within: EnsembleMemory.freshness).sessions.first { $0.id == id }
  }

  /// All sessions, from a recent list if there is one.
  func census(within patience: Duration = EnsembleMemory.clientsPatience) async -> SessionCensus {
    if let kept = memory.census, .now - kept.taken < patience { return kept.value }
    guard let probe = try? probe(limit: EnsembleMemory.wordLimit) else {
      return await SessionCensus.take(
        of: [], EnsembleProbe(tls: nil, limit: .zero, admin: .port(1)) { _ in throw ZooKeeperError(.closed) })
    }
    let census = await SessionCensus.take(of: cluster.connectString.servers, probe)
    memory.census = .init(value: census, taken: .now)
    return census
  }

  /// The document of `GET /clients`.
  func clientsDocument() async -> JSON {
    if let kept = memory.clients, .now - kept.taken < EnsembleMemory.clientsPatience { return kept.value }
    if let work = memory.clientsWork { return await work.value }
    let work = Task { await makeClientsDocument() }
    memory.clientsWork = work
    let document = await work.value
    memory.clientsWork = nil
    memory.clients = .init(value: document, taken: .now)
    return document
  }

  private func makeClientsDocument() async -> JSON {
    let census = await census()
    let now = ContinuousClock.now
    var counts: [SessionID: (count: Int64, taken: ContinuousClock.Instant)] = [:]
    let clients = census.sessions.map { session in
      counts[session.id] = (session.receivedCount, now)
      var rate: Double?
      if let before = memory.counts[session.id], now > before.taken, session.receivedCount >= before.count {
        rate = Double(session.receivedCount - before.count) / ((now - before.taken) / .seconds(1))
      }
      return JSON.object([
        ("session", .string("\(session.id)")), ("client", .optional(session.client)),
        ("server", .optional(session.server.map { "\($0)" })), ("since", JSON.time(session.sinceMilliseconds)),
        ("timeoutMilliseconds", .optional(session.timeoutMilliseconds)), ("received", .number(session.receivedCount)),
        ("sent", .number(session.sentCount)), ("queued", .number(session.queuedCount)),
        ("requestRate", .decimal(rate)),
        ("averageLatencyMilliseconds", .optional(session.averageLatencyMilliseconds)),
        ("lastOperation", .optional(session.lastOperation)), ("ephemerals", .number(session.ephemerals.count)),
        ("watches", .number(session.watches.count)),
      ])
    }
    memory.counts = counts
    let notes =
      census.failures.map { "\($0.address) cannot be asked: \($0.reason.shortText)" }
      + census.refused.map {
        "\($0.server) does not allow \($0.words.joined(separator: ", ")): add them to 4lw.commands.whitelist in zoo.cfg"
      }
    return .object([
      ("complete", .bool(census.isComplete)), ("notes", .array(notes.map(JSON.string))), ("clients", .array(clients)),
    ])
  }

  /// The session that owns an ephemeral znode, with the address of its client.
  func ownerDocument(of id: SessionID) async -> JSON {
    let session = await censusEntry(of: id)
    return .object([
      ("session", .string("\(id)")), ("client", .optional(session?.client)),
      ("server", .optional(session?.server.map { "\($0)" })),
    ])
  }
}

/// The answers of one server to four-letter words.
private struct MemberAnswer: Sendable {
  var sample: ServerSample
  var status: WordAnswer

  /// The report on the server.
  ///
  /// - Parameter configuration: the ensemble's, which shows the id of the server.
  func report(_ configuration: String?) -> MemberReport {
    var report = MemberReport(address: sample.address, state: .serving)
    report.status = status.bytes.flatMap { ServerStatus(srvr: $0) }
    report.metrics = sample.metrics
    if let configuration {
      var session = MemberReport.Session(id: SessionID(rawValue: 0), handshakeMilliseconds: 0)
      session.configuration = configuration
      report.session = session
    }
    switch status {
    case .notServing: report.state = .notServing
    case .failed(let reason) where sample.metrics == nil: report.state = .unreachable(reason)
    default: break
    }
    return report
  }
}

extension ConnectFailure.Reason {
  /// A short text for a table.
  var shortText: String {
    switch self {
    case .refused: "nothing listens there"
    case .unresolved: "the name has no address"
    case .timedOut, .authenticationTimedOut: "it does not answer in time"
    case .closedWithoutAnswer: "it closes the connection without an answer"
    case .behind: "it lacks transactions that were seen elsewhere"
    case .notZooKeeper: "it does not answer as a ZooKeeper server"
    case .tls(let failure): "TLS: \(failure)"
    case .readOnlyServerRefused: "it is read-only and grants no sessions"
    case .network(let text): text
    }
  }
}
