import Platform
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperRecipes

/// The command watch.
extension CommandContext {
  /// Prints the changes of a znode as they happen.
  func watch(_ client: ZooKeeperClient) async throws -> ExitCode {
    let countdown = try countdown()
    let stream = ChangeStream(
      path: try path(), isRecursive: invocation.flag(.recursive), readsData: invocation.flag(.withData),
      beginsWithState: invocation.flag(.initial), until: try await conditionOfUntil())
    let command = try invocation.value(.exec).map { word throws(ShellError) in try ValueParser.text(word, of: "--exec")
    }
    let hasEnded = try await stream.follow(client, limit: waitLimit, reopen: reopen) { record in
      try emit(
        .recipe(
          .change(record, milliseconds: WallClock.nowMilliseconds(), showsData: invocation.flag(.withData))))
      try flush()
      if let command { try await run(command, for: record, client) }
      if case .change = record { return countdown.goesOn() }
      return true
    }
    guard hasEnded else { throw ShellError.timeIsUp(stream.path) }
    return .success
  }

  private func run(_ command: String, for record: ChangeStream.Record, _ client: ZooKeeperClient) async throws {
    var variables: [String: String] = [:]
    var input: [UInt8]?
    switch record {
    case .present(let path, let data, let stat):
      variables = ["ZKCLI_EVENT": "present", "ZKCLI_EVENT_PATH": path, "ZKCLI_EVENT_ZXID": "\(stat.mzxid)"]
      input = data
    case .change(let event, let data, _):
      variables = ["ZKCLI_EVENT": event.type.name, "ZKCLI_EVENT_PATH": event.path ?? ""]
      variables["ZKCLI_EVENT_ZXID"] = event.zxid.map { "\($0)" } ?? ""
      input = data
    case .gap: variables = ["ZKCLI_EVENT": "gap", "ZKCLI_EVENT_PATH": "", "ZKCLI_EVENT_ZXID": ""]
    }
    let settings = ChildSettings(
      words: ["/bin/sh", "-c", Word(command)], variables: variables, standardInput: input ?? [], takesSignals: false)
    let code = try await runChild(settings, holding: nil, client)
    try Task.checkCancellation()
    if code != .success { try emit(.warning("the command of --exec ended with exit code \(code.rawValue)")) }
  }
}
