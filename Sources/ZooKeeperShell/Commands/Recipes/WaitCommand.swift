import ZooKeeperClient
import ZooKeeperRecipes

/// The command wait.
extension CommandContext {
  /// Waits until a znode meets a condition.
  func wait(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let condition = try await conditionOfOptions()
    let fulfilled = try await waiting(client, limit: try waitingLimit()) { client, limit in
      try await condition.awaited(client, at: path, limit: limit)
    }
    guard let (fulfilment, _) = fulfilled else {
      throw ShellError(.timedOut, "TimedOut", path: path, "the condition was not met before the timeout")
    }
    try emit(.recipe(.conditionMet(path: path, stat: fulfilment.stat)))
    return .success
  }
}
