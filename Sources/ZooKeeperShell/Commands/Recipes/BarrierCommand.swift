import ZooKeeperClient
import ZooKeeperRecipes

/// barrier.
extension CommandContext {
  /// The first argument of a recipe that has several actions.
  func action(of choices: [String]) throws(ShellError) -> String {
    guard let word = invocation.argument(0) else {
      throw .missing("argument", "action", of: invocation.spec)
    }
    return try ValueParser.choice(word, of: "action", among: choices)
  }

  /// Waits at a barrier, or enters and leaves a double barrier.
  func barrier(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["wait", "set", "clear", "enter", "leave", "run"])
    let path = try path(at: 1)
    let gate = Barrier(client, path: path)
    switch action {
    case "set": try await gate.set()
    case "clear": try await gate.clear()
    case "wait":
      let isOpen = try await waiting(client, limit: try waitingLimit()) { client, limit in
        try await Barrier(client, path: path).pass(limit: limit)
      }
      guard isOpen else { throw ShellError.stillWaiting(path) }
    default: return try await doubleBarrier(client, path, action)
    }
    return .success
  }

  private func doubleBarrier(_ client: ZooKeeperClient, _ path: String, _ action: String) async throws -> ExitCode {
    guard let word = invocation.value(.count) else {
      throw ShellError.missing("option", "--count", of: invocation.spec)
    }
    let count = Int(try ValueParser.integer(word, of: "--count", in: 1...Int64(Int32.max)))
    let limit = try waitingLimit()
    if action == "leave" {
      guard mode != .oneShot else {
        throw ShellError.usage("barrier leave needs a session that has entered", hint: "barrier run enters and leaves")
      }
      guard try await DoubleBarrier(client, path: path, count: count).leaveOwn(limit: limit) else {
        throw ShellError.stillWaiting(path)
      }
      return .success
    }
    if action == "run", invocation.child == nil {
      throw ShellError.usage("missing command for barrier run", hint: "give it after --")
    }
    let entered = try await waiting(client, limit: limit) { client, limit in
      try await DoubleBarrier(client, path: path, count: count).enter(data: ownName(), limit: limit)
    }
    guard let (entry, client) = entered else { throw ShellError.stillWaiting(path) }
    var code = ExitCode.success
    if action == "run", let words = invocation.child {
      code = try await runChild(
        ChildSettings(words: words, variables: ["ZKCLI_LOCK_PATH": entry.path]), holding: entry, client)
    } else {
      try emit(.recipe(.held(path: entry.path, zxid: entry.zxid, name: nil)))
      guard mode == .oneShot else { return .success }
      try flush()
      try await holdUntilInputEnds(entry)
    }
    guard try await DoubleBarrier(client, path: path, count: count).leave(entry, limit: limit) else {
      throw ShellError.stillWaiting(path)
    }
    return code
  }
}

extension ShellError {
  /// The error if the other processes did not enter or leave before the timeout.
  static func stillWaiting(_ path: String) -> ShellError {
    ShellError(.timedOut, "TimedOut", path: path, "the condition was not met before the timeout")
  }
}
