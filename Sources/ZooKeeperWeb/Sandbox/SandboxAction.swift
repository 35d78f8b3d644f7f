import JSONFormat
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The actions on the servers of the sandbox.
enum SandboxAction: String, Sendable {
  case kill, restart, pause, resume, partition, heal, delay, drop, clock, expire, writer
  case slowDisk = "slow-disk"
}

extension Site {
  /// The sandbox.
  ///
  /// - Throws: 404 if there is none.
  private func presentSandbox() throws(WebError) -> SandboxControl {
    guard let sandbox else {
      throw .notFound("there is no sandbox", hint: "start the server with zkcli web --local 3")
    }
    return sandbox
  }

  /// GET /sandbox
  func sandboxDocument() async throws -> WebAnswer { .json(await (try presentSandbox()).document()) }

  /// POST /sandbox/ACTION
  func perform(_ action: SandboxAction, _ request: WebRequest) async throws -> WebAnswer {
    let sandbox = try presentSandbox()
    let deed = try await sandbox.perform(action, request.body)
    return .json(await sandbox.document(), deed: deed)
  }
}

extension SandboxControl {
  /// Carries out an action. Most return before the servers have recovered.
  ///
  /// - Returns: what was done, for the access log.
  func perform(_ action: SandboxAction, _ body: [UInt8]) async throws -> String {
    switch action {
    case .kill, .restart, .pause, .resume: return try await control(action, body)
    case .partition:
      let groups = try Self.groups(body)
      let ensemble = ensemble
      try run("partition") { await ensemble.partition(groups) }
      return "partition \(groups.map { $0.sorted().map(String.init).joined(separator: ",") }.joined(separator: " / "))"
    case .heal:
      _ = try RequestFields(body.isEmpty ? [UInt8]("{}".utf8) : body, known: [])
      let ensemble = ensemble
      try run("heal") { await ensemble.heal() }
      return "heal"
    case .delay, .drop: return try await spoilLink(action, body)
    case .slowDisk:
      let fields = try RequestFields(body, known: ["server", "milliseconds"])
      let (id, time) = (try server(fields), try fields.number("milliseconds", in: 0...60_000))
      try await ensemble.slowDisk(.milliseconds(time), of: [id])
      return "slow the disk of \(id) by \(time) ms"
    case .clock:
      let fields = try RequestFields(body, known: ["server", "milliseconds"])
      let tenYears = Int64(10 * 365) * 86_400_000
      let (id, time) = (try server(fields), try fields.number("milliseconds", in: -tenYears...tenYears))
      try await ensemble.setClock(ahead: .milliseconds(time), of: [id])
      return "set the clock of \(id) off by \(time) ms"
    case .expire: return try expire(body)
    case .writer:
      let fields = try RequestFields(body, known: ["enabled", "perSecond"])
      let isOn = try fields.requiredFlag("enabled")
      let rate = try fields.optionalNumber("perSecond", in: 1...100)
      await writer.set(isOn: isOn, perSecond: rate.map(Int.init))
      return "writer \(isOn ? "on" : "off")"
    }
  }

  private func control(_ action: SandboxAction, _ body: [UInt8]) async throws -> String {
    let fields = try RequestFields(body, known: ["server"])
    let id = try server(fields)
    let state = await ensemble.status().first { $0.id == id }?.state
    let isPossible =
      switch action {
      case .kill: state != .killed
      case .pause: state == .running
      case .resume: state == .paused
      default: true
      }
    guard isPossible else {
      throw WebError.conflict("Local", "server \(id) is \(state?.rawValue ?? "unknown")")
    }
    let ensemble = ensemble
    try run("\(action.rawValue) \(id)") { () throws(SandboxError) in
      switch action {
      case .kill: try await ensemble.kill(id)
      case .restart: try await ensemble.restart(id)
      case .pause: try await ensemble.pause(id)
      default: try await ensemble.resume(id)
      }
    }
    // The recovery is not awaited, but the action itself usually takes a few milliseconds.
    await settle(within: .milliseconds(300))
    return "\(action.rawValue) \(id)"
  }

  private func spoilLink(_ action: SandboxAction, _ body: [UInt8]) async throws -> String {
    let known: Set<String> =
      action == .delay ? ["from", "to", "milliseconds", "jitterMilliseconds"] : ["from", "to", "percent"]
    let fields = try RequestFields(body, known: known)
    let (from, to) = (try server(fields, "from"), try server(fields, "to"))
    guard from != to else { throw WebError.badInput("from and to are the same server") }
    if action == .delay {
      let time = try fields.number("milliseconds", in: 0...60_000)
      let jitter = try fields.optionalNumber("jitterMilliseconds", in: 0...60_000) ?? 0
      guard jitter <= time else { throw WebError.badInput("jitterMilliseconds is more than milliseconds") }
      try await ensemble.delay(.milliseconds(time), jitter: .milliseconds(jitter), among: [from, to])
      return "delay \(from) and \(to) by \(time) ms"
    }
    let percent = try fields.number("percent", in: 0...100)
    try await ensemble.breakConnections(probability: Double(percent) / 100, among: [from, to])
    return "drop \(percent) % between \(from) and \(to)"
  }

  private func expire(_ body: [UInt8]) throws -> String {
    let fields = try RequestFields(body, known: ["session"])
    let text = try fields.text("session")
    guard let digits = text.hasPrefix("0x") ? text.dropFirst(2) : nil, let bits = UInt64(digits, radix: 16) else {
      throw WebError.badInput("session must be a hexadecimal number such as 0x1000a2b3c4d0001")
    }
    let ensemble = ensemble
    let session = Int64(bitPattern: bits)
    try run("expire") { () throws(SandboxError) in try await ensemble.expire(session: session) }
    return "expire \(text)"
  }

  private func server(_ fields: RequestFields, _ name: String = "server") throws(WebError) -> Int {
    let id = Int(try fields.number(name, in: 1...9))
    guard id <= ensemble.size else { throw .notFound("there is no server \(id)") }
    return id
  }

  private static func groups(_ body: [UInt8]) throws(WebError) -> [Set<Int>] {
    let fields = try RequestFields(body, known: ["groups"])
    guard case .array(let items)? = fields["groups"], !items.isEmpty, items.count <= 9 else {
      throw .badInput("groups must be an array of arrays of servers")
    }
    var groups: [Set<Int>] = []
    var seen: Set<Int> = []
    for item in items {
      guard case .array(let members) = item else { throw .badInput("groups must be an array of arrays of servers") }
      var group: Set<Int> = []
      for member in members {
        guard let number = member.wholeNumber, (1...9).contains(number) else {
          throw .badInput("groups must be an array of arrays of servers")
        }
        guard seen.insert(Int(number)).inserted else { throw .badInput("server \(number) is in more than one group") }
        group.insert(Int(number))
      }
      if !group.isEmpty { groups.append(group) }
    }
    return groups
  }
}
