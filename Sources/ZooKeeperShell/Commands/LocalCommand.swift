import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// The command local, which shows the servers of `--local` and injects faults.
extension ShellSession {
  /// Runs the command.
  ///
  /// - Throws: a usage error without a sandbox, for an unknown action, and for a server that does not exist.
  func runLocal(_ invocation: Invocation, _ settings: ShellSettings) async throws {
    let name = try ValueParser.choice(
      invocation.arguments[0], of: "action", among: LocalAction.allCases.map(\.rawValue))
    guard let action = LocalAction(rawValue: name) else { preconditionFailure("unknown action \(name)") }
    try action.check(invocation)
    guard let sandbox else {
      throw ShellError.usage("`local` needs servers started with --local", hint: "for example: zkcli --local 3")
    }
    let words = [Word](invocation.arguments.dropFirst())
    switch action {
    case .status:
      try Self.expect(0, words)
      return try write(.members(await sandbox.status().map(LocalServer.init)), settings)
    case .partition: await sandbox.partition(try await Self.groups(words, sandbox))
    case .heal:
      try Self.expect(0, words)
      await sandbox.heal()
    case .kill, .restart, .pause, .resume: try await change(sandbox, action, words)
    case .delay, .drop, .slowDisk, .clock: return try await injectFault(sandbox, action, invocation, settings)
    case .expire: return try await expire(sandbox, words)
    case .trace: return try await trace(sandbox, invocation, settings)
    case .record: return try record(sandbox, words)
    }
    if await !sandbox.settle() {
      try Task.checkCancellation()
      try write(.warning("the ensemble has not recovered yet; local status shows its state"), settings)
    }
    if sandbox.hasQuorum { try await findServer(settings) }
  }

  private func change(_ sandbox: LocalEnsemble, _ action: LocalAction, _ words: [Word]) async throws {
    let server: Int
    if words.isEmpty, let only = await Self.onlyServer(for: action, sandbox) {
      server = only
    } else {
      try Self.expect(1, words)
      server = try await Self.server(words[0].text, sandbox)
    }
    do throws(SandboxError) {
      switch action {
      case .kill: try await sandbox.kill(server)
      case .restart: try await sandbox.restart(server)
      case .pause: try await sandbox.pause(server)
      default: try await sandbox.resume(server)
      }
    } catch {
      throw ShellError(.conflict, "Local", error.message, hint: error.hint)
    }
  }

  /// Waits until the session is connected to a server that answers, so that the next command does not fail.
  private func findServer(_ settings: ShellSettings) async throws {
    guard let client = client?.withTimeLimit(settings.timeLimit) else { return }
    while true {
      do throws(ZooKeeperError) {
        _ = try await client.exists("/")
        return
      } catch {
        // A lost connection is expected; any other error shows in the next command.
        guard case .connectionLoss = error.code else { return }
      }
    }
  }

  /// Refuses any other number of arguments.
  static func expect(_ count: Int, _ words: [Word]) throws(ShellError) {
    if words.count > count {
      throw .usage("unexpected argument: \(Tokenizer.quote(words[count]))")
    }
    if words.count < count { throw .usage("missing argument: server", hint: "give its number, or leader") }
  }

  /// The only server that an action can mean, such as the only one that is paused.
  private static func onlyServer(for action: LocalAction, _ sandbox: LocalEnsemble) async -> Int? {
    let servers = await sandbox.status().filter { server in
      switch action {
      case .resume: server.state == .paused
      case .pause: server.state == .running
      case .kill: server.state != .killed
      // A running server can be restarted too, but if one is down, that one is meant.
      default: server.state == .killed || sandbox.size == 1
      }
    }
    return servers.count == 1 ? servers[0].id : nil
  }

  /// The server that an argument names.
  static func server(_ name: String, _ sandbox: LocalEnsemble) async throws(ShellError) -> Int {
    guard name.lowercased() == "leader" else { return try number(name, size: sandbox.size) }
    let leader = await sandbox.status().first { ["leader", "standalone"].contains($0.role) }
    guard let leader else {
      throw ShellError(.ensembleCannot, "NoLeader", "there is no leader", hint: "local status shows the servers")
    }
    return leader.id
  }

  private static func number(_ text: String, size: Int) throws(ShellError) -> Int {
    guard let number = Int(text), (1...size).contains(number) else {
      throw .usage(
        "there is no server \(Tokenizer.quote(Word(text)))", hint: size == 1 ? "it is 1" : "they are 1 to \(size)")
    }
    return number
  }

  /// The groups that arguments such as `1|2,3` or `1 / 2,3` denote.
  private static func groups(_ words: [Word], _ sandbox: LocalEnsemble) async throws(ShellError) -> [Set<Int>] {
    var groups: [Set<Int>] = []
    for part in words.map(\.text).joined(separator: " ").split(whereSeparator: { $0 == "|" || $0 == "/" }) {
      var group: Set<Int> = []
      for name in part.split(whereSeparator: { $0 == "," || $0 == " " }) {
        let number = try await server(String(name), sandbox)
        guard !group.contains(number), !groups.contains(where: { $0.contains(number) }) else {
          throw .usage("server \(number) is named twice")
        }
        group.insert(number)
      }
      if !group.isEmpty { groups.append(group) }
    }
    guard !groups.isEmpty else {
      throw .usage("missing argument: groups", hint: "for example: local partition 1 / 2,3 cuts server 1 off")
    }
    return groups
  }
}

extension ShellSettings {
  /// The same settings for the servers of a sandbox.
  func adapted(to sandbox: LocalEnsemble) throws(ShellError) -> ShellSettings {
    var settings = self
    settings.connectString = try Self.connectString(sandbox.connectString, from: "--local")
    settings.tls = TLSChoice()
    settings.cluster = nil
    if sandbox.allowsReconfig {
      settings.identities.append(Identity(scheme: "digest", secret: [UInt8](LocalEnsemble.superuser.utf8)))
    }
    // The client abandons a paused server after two thirds of the session timeout.
    if sandbox.size > 1, settings.sessionTimeout == nil { settings.sessionTimeout = .seconds(8) }
    return settings
  }
}
