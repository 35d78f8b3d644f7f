import LineEditor
import Platform
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// The screen of `top`: the servers, and below them the clients or one of them.
struct TopScreen {
  /// The part below the servers.
  private enum Page {
    case clients
    /// One client, by its address.
    case client(String)
    case help
  }

  private let screen: FullScreen
  private var sampler: TopSampler
  private let every: Duration
  private let count: Int64?
  private var page = Page.clients
  private var order = Activity.Order.requests
  /// The chosen client, by its address, because rows change their positions.
  private var chosen: String?

  init(_ screen: FullScreen, _ sampler: TopSampler, every: Duration, count: Int64?) {
    self.screen = screen
    self.sampler = sampler
    self.every = every
    self.count = count
  }

  /// The events that the screen handles.
  private enum Event: Sendable {
    case key(FullScreen.Key)
    case sample(Activity)
    case end
  }

  /// Draws the screen until q is pressed.
  mutating func run() async throws -> ExitCode {
    let (events, continuation) = AsyncStream<Event>.makeStream()
    let keys = Task { [screen] in
      for await key in screen.keys { continuation.yield(.key(key)) }
      continuation.yield(.end)
    }
    let samples = Task { [sampler, every, count] in
      var sampler = sampler
      var next = ContinuousClock.now
      var done: Int64 = 0
      while !Task.isCancelled {
        continuation.yield(.sample(await sampler.take()))
        done += 1
        if done == count {
          continuation.yield(.end)
          return
        }
        next += every
        try? await Task.sleep(until: next)
      }
    }
    defer {
      keys.cancel()
      samples.cancel()
    }
    return try await withTaskCancellationHandler {
      var activity = Activity([], since: [:])
      for await event in events {
        switch event {
        case .end: return .success
        case .sample(let new): activity = new
        case .key(let key): if !take(key, activity) { return .success }
        }
        if !activity.servers.isEmpty { draw(activity) }
      }
      try Task.checkCancellation()
      return .success
    } onCancel: {
      continuation.finish()
    }
  }

  /// Handles a key.
  ///
  /// - Returns: false to leave.
  private mutating func take(_ key: FullScreen.Key, _ activity: Activity) -> Bool {
    switch (page, key) {
    case (.clients, .character("q")), (.clients, .character("Q")): return false
    case (_, .character("q")), (_, .escape): page = .clients
    case (_, .character("h")), (_, .character("?")): page = .help
    case (_, .character("s")): order = order.next
    case (.clients, .up), (.clients, .character("k")): choose(-1, activity)
    case (.clients, .down), (.clients, .character("j")): choose(1, activity)
    case (.clients, .enter): if let chosen { page = .client(chosen) }
    case (_, .enter): page = .clients
    default: break
    }
    return true
  }

  private mutating func choose(_ step: Int, _ activity: Activity) {
    let clients = activity.clients(by: order).map(\.connection.client)
    guard !clients.isEmpty else { return }
    let place = chosen.flatMap { clients.firstIndex(of: $0) }.map { $0 + step } ?? 0
    chosen = clients[min(max(place, 0), clients.count - 1)]
  }

  // MARK: Drawing

  private func draw(_ activity: Activity) {
    let total = activity.servers.compactMap(\.receivedRate).reduce(0, +)
    let time = TimeStyle.iso.text(milliseconds: WallClock.nowMilliseconds()).dropFirst(11).prefix(8)
    var lines = [
      "zkcli top \(time)  \(activity.servers.count) servers, \(activity.clients.count) clients,"
        + " \(Record.text(of: total.rounded())) packets/s  h: help, q: quit",
      "",
    ]
    lines += Self.servers(activity).lines(withHead: true)
    lines += Self.complaints(activity) + [""]
    var emphasized: Int?
    switch page {
    case .help: lines += Self.help
    case .client(let address): lines += Self.client(address, activity)
    case .clients:
      let clients = activity.clients(by: order)
      let room = max(1, screen.size.rows - lines.count - 1)
      let place = chosen.flatMap { wanted in clients.firstIndex { $0.connection.client == wanted } }
      // Scroll so that the chosen row is visible.
      let start = max(0, (place ?? 0) - room + 1)
      let shown = [Activity.Client](clients.dropFirst(start).prefix(room))
      let rows = Self.clients(shown).lines(withHead: true)
      if let place { emphasized = lines.count + 1 + place - start }
      lines += rows
      if clients.isEmpty { lines.append("no clients, by \(order.rawValue)") }
    }
    screen.draw(lines.map { TerminalText([UInt8]($0.utf8)).text }, emphasized: emphasized)
  }

  private static func servers(_ activity: Activity) -> RecordTable {
    RecordTable(
      activity.servers.map { server in
        let metrics = server.sample.metrics
        return Record([
          "server": .text(server.sample.address.description),
          "role": .text(server.sample.failure == nil ? metrics?["server_state"] ?? "unknown" : "unreachable"),
          "clients": .optional(metrics?.count("num_alive_connections")),
          "received/s": .optional(server.receivedRate?.rounded()), "sent/s": .optional(server.sentRate?.rounded()),
          "waiting": .optional(metrics?.count("outstanding_requests")),
          "latency": .optional(metrics?.number("avg_latency")), "sync": .optional(metrics?.number("avg_fsynctime")),
          "watches": .optional(metrics?.count("watch_count")), "znodes": .optional(metrics?.count("znode_count")),
        ])
      },
      columns: [
        "server", "role", "clients", "received/s", "sent/s", "waiting", "latency", "sync", "watches", "znodes",
      ].map { .init($0) })
  }

  private static func clients(_ clients: [Activity.Client]) -> RecordTable {
    RecordTable(
      clients.map { client in
        let connection = client.connection
        return Record([
          "client": .text(connection.client), "session": .optional(connection.session.map { "\($0)" }),
          "server": .text(client.server.description), "requests/s": .optional(client.requestRate?.rounded()),
          "total": .number(connection.receivedCount), "waiting": .number(connection.queuedCount),
          "latency": .optional(connection.averageLatencyMilliseconds),
          "max": .optional(connection.maximumLatencyMilliseconds), "last": .optional(connection.lastOperation),
        ])
      },
      columns: ["client", "session", "server", "requests/s", "total", "waiting", "latency", "max", "last"].map {
        .init($0)
      })
  }

  private static func complaints(_ activity: Activity) -> [String] {
    activity.servers.compactMap { server in
      if let failure = server.sample.failure { return "\(server.sample.address): \(failure.message)" }
      guard !server.sample.refused.isEmpty else { return nil }
      return "\(server.sample.address) does not allow \(server.sample.refused.joined(separator: ", ")):"
        + " see 4lw.commands.whitelist in its zoo.cfg"
    }
  }

  private static func client(_ address: String, _ activity: Activity) -> [String] {
    guard let client = activity.clients.first(where: { $0.connection.client == address }) else {
      return ["\(address) has disconnected", "", "Enter: back"]
    }
    let connection = client.connection
    func time(_ milliseconds: Int64?) -> String { milliseconds.map { "\($0) ms" } ?? "-" }
    let rows = [
      ("client", address), ("session", connection.session.map { "\($0)" } ?? "-"),
      ("server", client.server.description),
      ("since", connection.establishedMilliseconds.map { TimeStyle.iso.text(milliseconds: $0) } ?? "-"),
      ("timeout", time(connection.timeoutMilliseconds)),
      ("requests", "\(connection.receivedCount), \(client.requestRate.map { Record.text(of: $0) } ?? "-") a second"),
      ("answers", "\(connection.sentCount)"), ("waiting", "\(connection.queuedCount)"),
      (
        "latency",
        "\(time(connection.averageLatencyMilliseconds)) on average, at most"
          + " \(time(connection.maximumLatencyMilliseconds)), last \(time(connection.lastLatencyMilliseconds))"
      ),
      ("last", "\(connection.lastOperation ?? "-"), zxid \(connection.lastZxid.map { "\($0)" } ?? "-")"),
    ]
    return rows.map { $0.0.padding(to: 11) + $0.1 }
      + ["", "who \(connection.session.map { "\($0)" } ?? address) shows what it owns and watches.  Enter: back"]
  }

  private static let help = [
    "s           order of the clients: requests a second, waiting requests, latency, requests in total",
    "up, down    choose a client (k and j as well)",
    "Enter       look at the chosen client, and back",
    "h, ?        this help",
    "q           back, and leave",
    "",
    "Times are in milliseconds. A server counts its own pings and answers among its packets.",
  ]
}
