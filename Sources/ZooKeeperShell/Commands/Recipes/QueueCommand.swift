import ZooKeeperClient
import ZooKeeperRecipes

/// queue.
extension CommandContext {
  /// Puts items into a queue, takes them, or shows them.
  func queue(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["put", "take", "peek", "list", "len"])
    let path = try path(at: 1)
    let queue = WorkQueue(client, path: path)
    if action != "put", let word = invocation.argument(2) {
      throw ShellError.usage("unexpected argument: \(Tokenizer.quote(word))", hint: "queue \(action) takes only a path")
    }
    switch action {
    case "put": return try await put(into: queue)
    case "take":
      if invocation.child != nil { return try await work(onQueueAt: path, client) }
      let item = try await take(fromQueueAt: path, client)
      try emit(.data(path: item.path, data: item.data, stat: item.stat, showsStat: false))
    case "peek":
      guard let item = try await queue.peek() else { return .no }
      try emit(.data(path: item.path, data: item.data, stat: item.stat, showsStat: false))
    case "list": for item in try await queue.items() { try emit(.recipe(.item(item))) }
    default: try emit(.count(path: path, try await queue.count()))
    }
    return .success
  }

  private func put(into queue: WorkQueue) async throws -> ExitCode {
    let priority = try invocation.value(.priority).map { word throws(ShellError) in
      Int32(try ValueParser.integer(word, of: "--priority", in: Int64(Int32.min)...Int64(Int32.max)))
    }
    // A value that begins with a dash follows `--`, as for every command.
    let words = invocation.argument(2).map { [$0] } ?? invocation.child ?? []
    guard words.count == 1 else {
      throw ShellError.usage("queue put takes exactly one data argument", hint: "usage: \(invocation.spec.synopsis)")
    }
    let item = try await queue.put(try await data(words[0]), priority: priority)
    try emit(.created(path: item ?? queue.path, stat: nil))
    return .success
  }

  /// Claims the first item, with a new session if the present one expires while waiting.
  private func claim(
    inQueueAt path: String, _ client: ZooKeeperClient, limit: Duration?
  ) async throws -> (value: WorkQueue.Claim, client: ZooKeeperClient) {
    let claimed = try await waiting(client, limit: limit) { client, limit in
      try await WorkQueue(client, path: path).claim(limit: limit)
    }
    guard let claimed else { throw ShellError.nothingThere(path) }
    return claimed
  }

  /// Takes the first item.
  ///
  /// The loss of the session at that time is an error, because the item may have been taken already.
  private func take(fromQueueAt path: String, _ client: ZooKeeperClient) async throws -> WorkQueue.Item {
    let limit = try waitingLimit()
    let deadline = limit.map { ContinuousClock.now + $0 }
    var client = client
    while true {
      let rest = limit == .zero ? limit : deadline.map { max($0 - .now, .milliseconds(1)) }
      let (claim, owner) = try await claim(inQueueAt: path, client, limit: rest)
      client = owner
      do {
        try await claim.complete()
        return claim.item
      } catch let error as RecipeError where error.code == .removed {
        // A consumer that does not respect claims has taken it.
        try await claim.giveBack()
      }
    }
  }

  /// Runs the command on the first item, which is removed from the queue if the command succeeds.
  private func work(onQueueAt path: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    let (claim, client) = try await claim(inQueueAt: path, client, limit: try waitingLimit())
    do {
      let settings = ChildSettings(
        words: invocation.child ?? [],
        variables: ["ZKCLI_ITEM_PATH": claim.item.path, "ZKCLI_LOCK_ZXID": "\(claim.hold.zxid)"],
        standardInput: claim.item.data ?? [])
      let code = try await runChild(settings, holding: claim.hold, client)
      if code == .success { try await claim.complete() } else { try await claim.giveBack() }
      return code
    } catch {
      try? await claim.giveBack()
      throw error
    }
  }
}

extension ShellError {
  /// The error if there was no item before the timeout.
  static func nothingThere(_ path: String) -> ShellError {
    ShellError(.timedOut, "TimedOut", path: path, "nothing arrived before the timeout")
  }
}
