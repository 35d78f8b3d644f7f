import LineEditor
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// sessions, who and watchers.
extension CommandContext {
  /// Lists the sessions of all servers.
  func sessions() async throws -> ExitCode {
    let census = try await census()
    let order = invocation.value(.sort)?.text ?? "session"
    let sorted = census.sessions.sorted { left, right in
      switch order {
      case "requests": left.receivedCount > right.receivedCount
      case "ephemerals": left.ephemerals.count > right.ephemerals.count
      case "watches": left.watches.count > right.watches.count
      case "since": (left.sinceMilliseconds ?? .max) < (right.sinceMilliseconds ?? .max)
      default: left.id.rawValue < right.id.rawValue
      }
    }
    try emit(
      .table(
        RecordTable(
          sorted.map { $0.record(isWhole: false) },
          columns: [
            .init("session"), .init("client"), .init("server"), .init("since"), .init("timeoutMs", "timeout"),
            .init("received"), .init("sent"), .init("queued", "waiting"), .init("ephemeralCount", "ephemerals"),
            .init("watchCount", "watches"), .init("lastOperation", "last"),
          ])))
    return try report(census)
  }

  /// Shows the sessions that a path, a number or an address names.
  func who() async throws -> ExitCode {
    guard let word = invocation.argument(0) else {
      throw ShellError.missing("argument", "path, session or address", of: invocation.spec)
    }
    let text = try ValueParser.text(word, of: "argument")
    let isWanted: @Sendable (SessionCensus.Session) -> Bool
    if text.hasPrefix("/") {
      let path = try path()
      guard let owner = try await owner(of: path) else { return .no }
      isWanted = { $0.id == owner }
    } else if let session = SessionID(hexadecimal: text) {
      isWanted = { $0.id == session }
    } else {
      isWanted = { $0.isOf(client: text) }
    }
    let census = try await census()
    let found = census.sessions.filter(isWanted)
    for session in found { try emit(.record(session.record(isWhole: true))) }
    let code = try report(census)
    return found.isEmpty ? (code == .success ? .no : code) : code
  }

  /// The session that owns an ephemeral znode; for any other znode, emits a warning and returns nil.
  private func owner(of path: String) async throws -> SessionID? {
    let limit = try answerLimit()
    var failures: [ConnectFailure] = []
    for server in servers {
      let client: ZooKeeperClient
      do {
        client = try await openMember(server, limit)
      } catch let error as ZooKeeperError {
        guard case .cannotConnect(let reasons) = error.code else { throw error }
        failures += reasons
        continue
      }
      guard let stat = try await client.exists(absolute(path)) else {
        throw ZooKeeperError(.server(.noNode), path: path)
      }
      guard stat.ephemeralOwner == .none else { return stat.ephemeralOwner }
      try emit(.warning("\(path) is not ephemeral: no session owns it; log who shows the sessions that wrote it"))
      return nil
    }
    throw unreachable(failures)
  }

  /// Lists the sessions that watch a znode.
  func watchers() async throws -> ExitCode {
    let path = absolute(try path())
    let census = try await census()
    let found = census.sessions.filter { $0.watches.contains(path) }
    try emit(
      .table(
        RecordTable(
          found.map { $0.record(isWhole: false) },
          columns: [.init("session"), .init("client"), .init("server"), .init("since")])))
    let code = try report(census)
    return found.isEmpty && code == .success ? .no : code
  }

  /// The path below the servers' own root.
  private func absolute(_ path: String) -> String {
    guard let chroot else { return path }
    return path == "/" ? chroot : chroot + path
  }

  private func census() async throws -> SessionCensus {
    let probe = try probe()
    let census = await SessionCensus.take(of: servers, probe)
    try Task.checkCancellation()
    if census.failures.count == servers.count { throw unreachable(census.failures) }
    return census
  }

  /// Reports the servers whose sessions are missing.
  private func report(_ census: SessionCensus) throws(ShellError) -> ExitCode {
    for failure in census.failures { try emit(.warning("\(failure.address): \(failure.reason.message)")) }
    for (server, words) in census.refused {
      try emit(
        .warning(
          "\(server) does not allow \(words.joined(separator: ", ")), so its clients are not all listed; add them to"
            + " 4lw.commands.whitelist in its zoo.cfg, or enable its AdminServer and name it with --admin"))
    }
    return census.isComplete ? .success : .partial
  }
}

extension SessionCensus.Session {
  /// The session as a row, or with all znodes that it owns and watches.
  func record(isWhole: Bool) -> Record {
    let since = sinceMilliseconds.map { TimeStyle.iso.text(milliseconds: $0) }
    var lines = ["session    \(id)"]
    func add(_ name: String, _ values: [String]) {
      for (index, value) in values.enumerated() {
        lines.append((index == 0 ? name : "").padding(to: 11) + TerminalText([UInt8](value.utf8)).text)
      }
    }
    if isWhole {
      add("client", [client ?? "none: it is connected to no server that was asked"])
      add("server", [server?.description].compactMap(\.self))
      add("since", [since].compactMap(\.self))
      add("timeout", [timeoutMilliseconds.map { "\($0) ms" }].compactMap(\.self))
      add("requests", client == nil ? [] : ["\(receivedCount) received, \(sentCount) answered, \(queuedCount) waiting"])
      add("ephemerals", ephemerals)
      add("watches", watches)
    }
    return Record(
      lines.joined(separator: "\n"),
      [
        "session": .text("\(id)"), "client": .optional(client), "server": .optional(server?.description),
        "since": .optional(since), "timeoutMs": .optional(timeoutMilliseconds), "received": .number(receivedCount),
        "sent": .number(sentCount), "queued": .number(queuedCount), "ephemeralCount": .number(Int64(ephemerals.count)),
        "watchCount": .number(Int64(watches.count)), "lastOperation": .optional(lastOperation),
        "ephemerals": isWhole ? .list(ephemerals) : .missing, "watches": isWhole ? .list(watches) : .missing,
      ])
  }
}
