import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Endpoints for searches.
extension Site {
  /// GET /subtree
  func subtree(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let client = try await client(of: request)
    return try await walks.run("walks") {
      var reader = TreeReader(client: client, root: path, skipsServersOwn: false)
      var (count, bytes, ephemeralCount) = (0, Int64(0), 0)
      while count < WebLimits.countedZnodes, let item = try await reader.next() {
        try Task.checkCancellation()
        count += 1
        guard case .node(let node) = item else { continue }
        bytes += Int64(max(0, node.stat.dataLength))
        if node.stat.isOwnedBySession { ephemeralCount += 1 }
      }
      let isTruncated = count >= WebLimits.countedZnodes
      return .json(
        .object([
          ("path", .string(path)), ("count", .number(count)), ("dataBytes", .number(bytes)),
          ("ephemerals", .number(ephemeralCount)), ("truncated", .bool(isTruncated)),
        ]))
    }
  }

  /// GET /search
  func search(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let ignoresCase = try request.query.flag("ignoreCase")
    let name = request.query["name"].flatMap { $0.isEmpty ? nil : $0 }
    let value = request.query["value"].flatMap { $0.isEmpty ? nil : $0 }
    guard name != nil || value != nil else { throw WebError.badInput("name or value is missing") }
    for text in [name, value].compactMap(\.self) where text.utf8.count > 1000 {
      throw WebError.badInput("a pattern has more than 1000 bytes")
    }
    let lines: WebShell.LineSearch?
    do {
      lines = try value.map { try settings.shell.search($0, try request.query.flag("regex"), ignoresCase) }
    } catch {
      var refusal = WebError(any: error, settings.shell)
      refusal.status = .badRequest
      throw refusal
    }
    let limit = Int(try request.query.number("limit", in: 1...10_000) ?? 1000)
    let search = TreeSearch(
      root: path, name: name.map { Glob(ignoresCase ? $0.lowercased() : $0) }, ignoresCase: ignoresCase,
      lines: lines, limit: limit)
    let client = try await client(of: request)
    if try await client.exists(path) == nil { throw ZooKeeperError(.server(.noNode), path: path) }
    guard walks.acquire() else { throw WebError.tooMany("too many walks are running") }
    let lease = WalkLease(walks)
    return WebAnswer(
      headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")],
      body: .pieces { writer in
        defer { lease.end() }
        try await search.run(client, writer)
      })
  }
}

/// A search through a subtree, whose matches are events.
struct TreeSearch: Sendable {
  let root: String
  /// The pattern for names; nil for any.
  let name: Glob?
  let ignoresCase: Bool
  /// The search in the data; nil for any data.
  let lines: WebShell.LineSearch?
  let limit: Int

  private static let reportInterval = Duration.milliseconds(200)
  /// The maximum length of a line that is shown, in characters.
  private static let lineLimit = 300

  /// Searches until the end or the limit, or until the reader disconnects.
  func run(_ client: ZooKeeperClient, _ writer: PieceWriter) async throws {
    var reader = TreeReader(client: client, root: root, reading: lines == nil ? [] : .data, inFlight: 32)
    var (visited, matches, failures) = (0, 0, 0)
    var last = ContinuousClock.now
    var pending: [UInt8] = []
    try await writer.write(EventStream.bytes("progress", .object([("visited", .number(0))])))
    while matches < limit, let item = try await reader.next() {
      try Task.checkCancellation()
      visited += 1
      switch item {
      case .failed: failures += 1
      case .node(let node):
        if let match = match(node) {
          matches += 1
          pending += EventStream.bytes("match", match)
        }
      }
      guard !pending.isEmpty || ContinuousClock.now - last >= Self.reportInterval else { continue }
      // Matches are sent as they are found, but many of them in one write.
      guard ContinuousClock.now - last >= Self.reportInterval || pending.count > 16 << 10 || matches < 20 else {
        continue
      }
      last = .now
      pending += EventStream.bytes("progress", .object([("visited", .number(visited))]))
      try await writer.write(pending)
      pending = []
    }
    let end = JSON.object([
      ("visited", .number(visited)), ("matches", .number(matches)), ("truncated", .bool(matches >= limit)),
      ("failures", .number(failures)),
    ])
    try await writer.write(pending + EventStream.bytes("end", end))
  }

  private func match(_ node: TreeNode) -> JSON? {
    if let name {
      let own = ZnodePath.name(of: node.path)
      guard name.matches(ignoresCase ? own.lowercased() : own) else { return nil }
    }
    var line: JSON = .null
    if let lines {
      guard let data = node.data, let found = lines(data) else { return nil }
      line = .object([
        ("number", .number(found.number)), ("text", .string(String(found.text.prefix(Self.lineLimit)))),
      ])
    }
    return .object([("path", .string(node.path)), ("stat", .of(node.stat)), ("line", line)])
  }
}
