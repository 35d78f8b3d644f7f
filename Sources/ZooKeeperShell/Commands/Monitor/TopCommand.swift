import Platform
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// The command top, which shows servers and clients repeatedly.
extension CommandContext {
  /// Shows the activity of servers and clients, on the whole screen or as rows.
  func top() async throws -> ExitCode {
    let pause = try invocation.value(.every).map { word throws(ShellError) in
      try ValueParser.duration(word, of: "--every")
    }
    let every = pause ?? .seconds(1)
    guard every >= .milliseconds(100) else {
      throw ShellError.usage("--every must be at least 100ms, so that it does not burden the servers")
    }
    let count = try invocation.value(.count).map { word throws(ShellError) in
      try ValueParser.integer(word, of: "--count", in: 1...Int64(Int32.max))
    }
    let probe = try probe()
    let sampler = TopSampler(servers: servers, admins: await probe.adminServers(of: servers), probe: probe)
    guard showsScreen, let screen = FullScreen() else { return try await rows(sampler, every, count) }
    defer { screen.leave() }
    var view = TopScreen(screen, sampler, every: every, count: count)
    return try await view.run()
  }

  /// Writes a row for each server and time.
  private func rows(_ sampler: TopSampler, _ every: Duration, _ count: Int64?) async throws -> ExitCode {
    var sampler = sampler
    var done: Int64 = 0
    var next = ContinuousClock.now
    while true {
      let activity = await sampler.take()
      try Task.checkCancellation()
      let time = TimeStyle.iso.text(milliseconds: WallClock.nowMilliseconds())
      for server in activity.servers { try emit(.record(Self.record(server, time, activity))) }
      try flush()
      done += 1
      if done == count {
        let failures = activity.servers.compactMap { server in
          server.sample.failure.map { ConnectFailure(address: server.sample.address, reason: $0) }
        }
        if failures.count == activity.servers.count { throw unreachable(failures) }
        return .success
      }
      next += every
      try await Task.sleep(until: next)
    }
  }

  private static func record(_ server: Activity.Server, _ time: String, _ activity: Activity) -> Record {
    let sample = server.sample
    let metrics = sample.metrics
    let busiest = activity.clients(by: .requests).first { $0.server == sample.address }
    let state = sample.failure?.message ?? metrics?["server_state"] ?? "unknown"
    func figure(_ number: Double?) -> String { number.map { Record.text(of: $0.rounded()) } ?? "-" }
    let parts = [
      time, sample.address.description, state, "clients \(metrics?["num_alive_connections"] ?? "-")",
      "received/s \(figure(server.receivedRate))", "sent/s \(figure(server.sentRate))",
      "waiting \(metrics?["outstanding_requests"] ?? "-")", "latency \(metrics?["avg_latency"] ?? "-")",
      "busiest \(busiest.map { "\($0.connection.client) \(figure($0.requestRate))/s" } ?? "-")",
    ]
    return Record(
      parts.joined(separator: "  "),
      [
        "time": .text(time), "server": .text(sample.address.description), "state": .text(state),
        "clients": .optional(metrics?.count("num_alive_connections")),
        "receivedPerSecond": .optional(server.receivedRate), "sentPerSecond": .optional(server.sentRate),
        "outstanding": .optional(metrics?.count("outstanding_requests")),
        "latencyMs": .optional(metrics?.number("avg_latency")), "watches": .optional(metrics?.count("watch_count")),
        "znodes": .optional(metrics?.count("znode_count")), "busiestClient": .optional(busiest?.connection.client),
        "busiestPerSecond": .optional(busiest?.requestRate),
      ])
  }
}

/// Takes successive samples.
struct TopSampler: Sendable {
  let servers: [ServerAddress]
  let admins: [ServerAddress: ServerAddress]
  let probe: EnsembleProbe
  private var earlier: [ServerAddress: ServerSample] = [:]

  init(servers: [ServerAddress], admins: [ServerAddress: ServerAddress], probe: EnsembleProbe) {
    self.servers = servers
    self.admins = admins
    self.probe = probe
  }

  /// Asks all servers, and compares the answers with the previous ones.
  mutating func take() async -> Activity {
    let samples = await withTaskGroup(of: (Int, ServerSample).self) { [servers, admins, probe] group in
      for (index, server) in servers.enumerated() {
        group.addTask { (index, await probe.sample(server, admin: admins[server])) }
      }
      var found: [Int: ServerSample] = [:]
      for await (index, sample) in group { found[index] = sample }
      return servers.indices.compactMap { found[$0] }
    }
    let activity = Activity(samples, since: earlier)
    // A server that did not answer is compared with its last answer later.
    for sample in samples where sample.metrics != nil || sample.connections != nil { earlier[sample.address] = sample }
    return activity
  }
}
