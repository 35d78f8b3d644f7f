import Platform
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperRecipes

/// lock.
extension CommandContext {
  /// How long the options allow a recipe to wait: nil for indefinitely, zero for not at all.
  func waitingLimit() throws(ShellError) -> Duration? {
    if invocation.flag(.tryOnce) { return .zero }
    guard let word = invocation.value(.timeout) else { return waitLimit }
    return try ValueParser.duration(word, of: "--timeout")
  }

  /// Holds a lock while a command runs, or prints who holds it.
  func lock(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let target = try lockTarget(client, path)
    if invocation.flag(.list) { return try await list(try await target.participants()) }
    if invocation.flag(.revoke) {
      try emit(.recipe(.released(path: path, count: try await target.revoke(client, path))))
      return .success
    }
    if invocation.flag(.release) {
      let count = try await target.releaseOwn()
      try emit(.recipe(.released(path: path, count: count)))
      return count == 0 ? .no : .success
    }
    let failureCode = try invocation.value(.exitCode).map { word throws(ShellError) in
      ExitCode(rawValue: Int32(try ValueParser.integer(word, of: "--exit-code", in: 0...255)))
    }
    if let own = try await alreadyHeld(target, path) { return try await keep(own, name: nil, client, letsGo: false) }
    let held = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await lockTarget(client, path).acquire(data: ownName(), limit: limit)
    }
    guard let (hold, client) = held else {
      guard let failureCode else { throw ShellError.notObtained(path) }
      try emit(.remark(ShellError.notObtained(path).text))
      return failureCode
    }
    return try await keep(hold, name: nil, client)
  }

  /// The hold of this session on the lock, if it has one: otherwise it would wait for itself.
  ///
  /// - Throws: exit code 4 if it holds the lock in another mode than requested.
  private func alreadyHeld(_ target: LockTarget, _ path: String) async throws -> Hold? {
    // The session of a single command is new.
    guard mode != .oneShot else { return nil }
    switch target {
    case .lock(let lock):
      guard let (hold, kind) = try await lock.own() else { return nil }
      guard kind == .exclusive || lock.kind == .shared else {
        throw ShellError.heldAlready(path, "this session already holds it as a shared lock and would wait for itself")
      }
      return hold
    case .semaphore(let semaphore):
      let own = try await semaphore.own()
      return own.count >= semaphore.slots ? own.first : nil
    }
  }

  /// Runs the command after `--` while something is held; without one, prints it and holds it.
  ///
  /// - Parameter letsGo: whether to release it after the command.
  func keep(
    _ hold: Hold, name: String?, variables: [String: String] = [:], _ client: ZooKeeperClient, letsGo: Bool = true
  ) async throws -> ExitCode {
    let isRevocable = invocation.flag(.revocable)
    guard let words = invocation.child else {
      try emit(.recipe(.held(path: hold.path, zxid: hold.zxid, name: name)))
      // In a script and in the interactive shell the session goes on and keeps what it holds.
      guard mode == .oneShot else { return .success }
      try flush()
      try await releasing(hold) { try await holdUntilInputEnds(hold, isRevocable: isRevocable) }
      return .success
    }
    var variables = variables
    variables["ZKCLI_LOCK_PATH"] = hold.path
    variables["ZKCLI_LOCK_ZXID"] = "\(hold.zxid)"
    let settings = ChildSettings(words: words, variables: variables, isRevocable: isRevocable)
    guard letsGo else { return try await runChild(settings, holding: hold, client) }
    return try await releasing(hold) { try await runChild(settings, holding: hold, client) }
  }

  /// Runs `body`, then releases the hold on success or failure.
  private func releasing<Value>(_ hold: Hold, _ body: () async throws -> Value) async throws -> Value {
    do {
      let value = try await body()
      // A failure to release does not change the result: the hold ends with the session.
      try? await hold.release()
      return value
    } catch {
      if ShellError(error).exitCode != .sessionLost { try? await hold.release() }
      throw error
    }
  }

  /// Prints participants with the addresses of their clients.
  func list(_ participants: [Participant]) async throws -> ExitCode {
    let addresses = await ClientAddresses.ask(servers, tls)
    for participant in participants {
      try emit(.recipe(.participant(participant, address: addresses[participant.session])))
    }
    return .success
  }

  /// The name that other processes see.
  func ownName() -> [UInt8] { [UInt8](HostInfo.processName.utf8) }

  private func lockTarget(_ client: ZooKeeperClient, _ path: String) throws(ShellError) -> LockTarget {
    let layout = try invocation.value(.layout).map { word throws(ShellError) in
      Lock.Layout(rawValue: try ValueParser.choice(word, of: "--layout", among: Lock.Layout.allCases.map(\.rawValue)))!
    }
    guard let word = invocation.value(.slots) else {
      let kind: Lock.Kind = invocation.flag(.shared) ? .shared : .exclusive
      return .lock(Lock(client, path: path, kind: kind, layout: layout ?? .curator))
    }
    if invocation.flag(.shared) || layout != nil {
      throw .usage("--slots cannot be combined with --shared or --layout")
    }
    if invocation.flag(.revoke) { throw .usage("--slots cannot be combined with --revoke") }
    let slots = Int(try ValueParser.integer(word, of: "--slots", in: 1...Int64(Int32.max)))
    return .semaphore(Semaphore(client, path: path, slots: slots))
  }
}

/// The two recipes of `lock`.
private enum LockTarget: Sendable {
  case lock(Lock)
  case semaphore(Semaphore)

  func acquire(data: [UInt8], limit: Duration?) async throws -> Hold? {
    switch self {
    case .lock(let lock): try await lock.acquire(data: data, limit: limit)
    case .semaphore(let semaphore): try await semaphore.acquire(data: data, limit: limit)
    }
  }

  func participants() async throws -> [Participant] {
    switch self {
    case .lock(let lock): try await lock.participants()
    case .semaphore(let semaphore): try await semaphore.participants()
    }
  }

  func releaseOwn() async throws -> Int {
    switch self {
    case .lock(let lock): try await lock.releaseOwn()
    case .semaphore(let semaphore): try await semaphore.releaseOwn()
    }
  }

  func revoke(_ client: ZooKeeperClient, _ path: String) async throws -> Int {
    try await Lock(client, path: path).revoke()
  }
}

extension ShellError {
  /// The error if this session already holds the lock in a mode that excludes the requested one.
  static func heldAlready(_ path: String, _ why: String) -> ShellError {
    ShellError(.conflict, "HeldAlready", path: path, why, hint: "release it with --release first")
  }

  /// The error if a lock was not acquired before the timeout.
  static func notObtained(_ path: String) -> ShellError {
    ShellError(.timedOut, "NotObtained", path: path, "the lock was not acquired before the timeout")
  }
}
