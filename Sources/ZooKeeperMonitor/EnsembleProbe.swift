import JSONFormat
import Platform
public import TransportSecurity
public import ZooKeeperClient
public import ZooKeeperProtocol

/// Asks the servers of an ensemble about their state, all at the same time.
public struct EnsembleProbe: Sendable {
  /// How connections for four-letter words are encrypted; nil for connections in the clear.
  public var tls: TLSContext?
  /// The time limit for connecting, and again for an answer.
  public var limit: Duration
  /// The addresses of the AdminServers: each server's address with a port, or a list of addresses, whose
  /// `configuration` shows which server each belongs to.
  public var admin: AdminPlaces
  /// Opens a session with one server.
  public var open: @Sendable (ServerAddress) async throws -> ZooKeeperClient

  /// How connections to AdminServers are encrypted; nil for connections in the clear.
  public var adminTLS: TLSContext?

  /// Where AdminServers listen.
  public enum AdminPlaces: Hashable, Sendable {
    case port(Int)
    case addresses([ServerAddress])
  }

  public init(
    tls: TLSContext?, limit: Duration, admin: AdminPlaces, adminTLS: TLSContext? = nil,
    open: @escaping @Sendable (ServerAddress) async throws -> ZooKeeperClient
  ) {
    self.tls = tls
    self.limit = limit
    self.admin = admin
    self.adminTLS = adminTLS
    self.open = open
  }

  /// Asks all servers of a list and then, unless connections are encrypted, further servers that the first answers
  /// name.
  public func ensemble(_ servers: [ServerAddress]) async -> EnsembleReport {
    let admins = await adminServers(of: servers)
    var members = await reports(of: servers, admins)
    var report = EnsembleReport(members: members)
    // The configuration contains the ports for connections in the clear.
    let others = tls == nil ? report.unaskedClients : []
    if !others.isEmpty {
      members += await reports(of: others, await adminServers(of: others))
      report = EnsembleReport(members: members)
    }
    await awaitStragglers(&report)
    return report
  }

  private func reports(
    of servers: [ServerAddress], _ admins: [ServerAddress: ServerAddress]
  ) async -> [MemberReport] {
    await withTaskGroup(of: (Int, MemberReport).self) { group in
      for (index, server) in servers.enumerated() {
        group.addTask { (index, await member(server, admin: admins[server])) }
      }
      var reports: [Int: MemberReport] = [:]
      for await (index, report) in group { reports[index] = report }
      return servers.indices.compactMap { reports[$0] }
    }
  }

  /// Asks all servers for their last transaction again, and gives those with an earlier one the time to catch up. Only
  /// servers that have not caught up by then lag, because answers from different moments differ while clients write.
  /// The earlier answers cannot show a lag, because the session that was opened on each server has waited for it to
  /// catch up.
  private func awaitStragglers(_ report: inout EnsembleReport) async {
    let serving = report.members.indices.filter { report.members[$0].status?.zxid != nil }
    await withTaskGroup(of: (Int, Zxid?).self) { group in
      for index in serving {
        let address = report.members[index].address
        group.addTask { (index, await zxid(of: address)) }
      }
      for await case (let index, let zxid?) in group { report.members[index].status?.zxid = zxid }
    }
    report.goal = report.newestZxid
    let end = ContinuousClock.now + EnsembleReport.lagPatience
    while report.members.contains(where: report.isBehind), ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(20))
      for index in report.members.indices where report.isBehind(report.members[index]) {
        guard let now = await zxid(of: report.members[index].address) else { continue }
        report.members[index].status?.zxid = now
      }
    }
  }

  private func zxid(of address: ServerAddress) async -> Zxid? {
    await WordAnswer.ask("srvr", of: address, tls: tls, limit: limit).bytes.flatMap { ServerStatus(srvr: $0)?.zxid }
  }

  // MARK: One server

  /// Asks one server by all means.
  public func member(_ address: ServerAddress, admin: ServerAddress?) async -> MemberReport {
    async let session = sessionReport(address)
    let words = ["srvr", "mntr", "conf"]
    var answers: [String: WordAnswer] = [:]
    await withTaskGroup(of: (String, WordAnswer).self) { group in
      for word in words {
        group.addTask {
          (word, await WordAnswer.ask(word, of: address, tls: tls, limit: limit))
        }
      }
      for await (word, answer) in group { answers[word] = answer }
    }
    var report = MemberReport(address: address, state: .notServing)
    for (word, answer) in answers { report.words[word] = MemberReport.Way(answer) }
    report.read(answers)
    if let admin { await askAdmin(admin, for: &report) }
    if report.role == "leader" || report.role == "standalone" { await askDump(admin, for: &report) }
    (report.session, report.sessionFailure) = await session
    report.state = state(report, answers)
    return report
  }

  private func state(_ report: MemberReport, _ answers: [String: WordAnswer]) -> MemberReport.State {
    if report.session != nil || report.status != nil || report.metrics != nil { return .serving }
    if answers.values.contains(.notServing) { return .notServing }
    if answers.values.contains(.notAllowed) { return .notServing }
    for answer in answers.values { if case .failed(let reason) = answer { return .unreachable(reason) } }
    return .notServing
  }

  private func askDump(_ admin: ServerAddress?, for report: inout MemberReport) async {
    let answer = await WordAnswer.ask("dump", of: report.address, tls: tls, limit: limit)
    report.words["dump"] = MemberReport.Way(answer)
    report.dump = answer.bytes.flatMap { SessionDump(dump: $0) }
    guard report.dump == nil else { return }
    report.dump = await document("dump", of: admin).flatMap { SessionDump(dump: $0) }
  }

  /// The metrics of an AdminServer; nil without one, or if it does not answer.
  public func metrics(of admin: ServerAddress?) async -> ServerMetrics? {
    await document("monitor", of: admin).flatMap { ServerMetrics(monitor: $0) }
  }

  /// An AdminServer's answer to a command; nil without one, or if it does not answer.
  func document(_ command: String, of admin: ServerAddress?) async -> JSON? {
    guard let admin else { return nil }
    return (try? await AdminClient.get(command, of: admin, tls: adminTLS, limit: limit))?.document
  }

  /// Asks the AdminServer for what the four-letter words have not answered.
  private func askAdmin(_ admin: ServerAddress, for report: inout MemberReport) async {
    report.admin = .answered
    if report.metrics == nil {
      report.metrics = await metrics(of: admin)
    }
    if report.status == nil {
      report.status = await document("server_stats", of: admin).flatMap { ServerStatus(serverStats: $0) }
    }
    guard report.id == nil || report.dataDirectory == nil else { return }
    let configuration = await document("configuration", of: admin)
    report.id = report.id ?? configuration?["server_id"]?.number.map { ServerID(rawValue: $0) }
    report.dataDirectory = report.dataDirectory ?? configuration?["data_dir"]?.text
  }

  // MARK: AdminServers

  /// The AdminServer of each server that has one.
  ///
  /// Its `configuration` shows whether it belongs to that server, and is not any other HTTP server.
  public func adminServers(of servers: [ServerAddress]) async -> [ServerAddress: ServerAddress] {
    let places: [ServerAddress] =
      switch admin {
      case .port(let port):
        [ServerAddress](Set(servers.map { ServerAddress(host: $0.host, port: port) }))
      case .addresses(let addresses): addresses
      }
    let isGiven = admin != .port(AdminClient.defaultPort)
    return await withTaskGroup(of: (ServerAddress, Int?).self) { group in
      for place in places {
        group.addTask { (place, await clientPort(of: place, waits: isGiven)) }
      }
      var found: [ServerAddress: ServerAddress] = [:]
      for await (place, port) in group {
        guard let port else { continue }
        let own = servers.filter { $0.port == port }
        if let server = own.first(where: { $0.host == place.host }) ?? (own.count == 1 ? own.first : nil) {
          found[server] = place
        }
      }
      return found
    }
  }

  /// The client port in an AdminServer's configuration; nil if it does not answer.
  ///
  /// - Parameter waits: whether the user has named it, so that it is waited for.
  private func clientPort(of place: ServerAddress, waits: Bool) async -> Int? {
    let patience = waits ? limit : min(limit, .milliseconds(200))
    let answer = try? await AdminClient.get("configuration", of: place, tls: adminTLS, limit: patience)
    guard let document = answer?.document else { return nil }
    let ports = [document["client_port"], document["secure_client_port"]].compactMap { $0?.number }.filter { $0 > 0 }
    return ports.first.map { Int(clamping: $0) }
  }

  // MARK: Sessions

  private func sessionReport(_ address: ServerAddress) async -> (MemberReport.Session?, ZooKeeperError?) {
    let begin = WallClock.nowMilliseconds()
    let start = ContinuousClock.now
    let client: ZooKeeperClient
    do {
      client = try await open(address)
    } catch {
      return (nil, error as? ZooKeeperError)
    }
    let took = (ContinuousClock.now - start) / .milliseconds(1)
    var session = MemberReport.Session(id: await client.snapshot().sessionID, handshakeMilliseconds: took)
    let end = WallClock.nowMilliseconds()
    let limited = client.withTimeLimit(limit)
    async let configuration = try? limited.getConfig()
    async let acl = try? limited.getACL("/")
    let id = session.id
    async let established = establishment(of: id, at: address)
    session.configuration = await configuration.flatMap { $0.0.map { String(decoding: $0, as: UTF8.self) } }
    session.rootACL = await acl?.0
    session.clockOffsetMilliseconds = await established.map { time in
      // The connection was established at some time in this interval, so a time within it shows no difference.
      MemberReport.Session.clockOffset(from: time < begin ? begin : time > end ? end : time, to: time)
    }
    session.zxid = await client.snapshot().lastZxidSeen
    await client.close(limit: .milliseconds(200))
    return (session, nil)
  }

  /// The time at which a session was opened, by the server's clock.
  private func establishment(of session: SessionID, at address: ServerAddress) async -> Int64? {
    guard let answer = await WordAnswer.ask("cons", of: address, tls: tls, limit: limit).bytes else { return nil }
    return ClientConnection.parse(cons: answer).first { $0.session == session }?.establishedMilliseconds
  }
}

extension MemberReport {
  /// Reads the answers to the four-letter words.
  fileprivate mutating func read(_ answers: [String: WordAnswer]) {
    status = answers["srvr"]?.bytes.flatMap { ServerStatus(srvr: $0) }
    metrics = answers["mntr"]?.bytes.flatMap { ServerMetrics(mntr: $0) }
    guard let conf = answers["conf"]?.bytes else { return }
    for line in String(decoding: conf, as: UTF8.self).split(whereSeparator: \.isNewline) {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let value = String(line[line.index(after: equals)...])
      switch line[..<equals] {
      case "serverId": id = Int64(value).map { ServerID(rawValue: $0) }
      case "dataDir": dataDirectory = value
      default: continue
      }
    }
  }
}

extension MemberReport.Way {
  fileprivate init(_ answer: WordAnswer) {
    self =
      switch answer {
      case .text, .notServing: .answered
      case .notAllowed: .notAllowed
      case .failed(let reason): .failed(reason)
      }
  }
}
