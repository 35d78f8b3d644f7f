import ZooKeeperClient
import ZooKeeperProtocol

/// The commands addWatch and removewatches. printwatches is in the session.
extension CommandContext {
  /// Adds a persistent watch.
  func addWatch(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    var mode = AddWatchMode.persistentRecursive
    if let word = invocation.value(.mode) {
      let choice = try ShellError.naming(
        .badValue(.mode), ValueParser.choice(word, of: "--mode", among: ["PERSISTENT", "PERSISTENT_RECURSIVE"]))
      if choice == "PERSISTENT" { mode = .persistent }
    }
    try await client.addDefaultWatch(path, mode: mode)
    return .success
  }

  /// Removes watches of this session.
  func removeWatches(_ client: ZooKeeperClient) async throws -> ExitCode {
    let kinds: [(OptionName, WatcherType)] = [
      (.children, .children), (.data, .data), (.persistent, .persistent), (.persistentRecursive, .persistentRecursive),
    ]
    let type = kinds.first { invocation.flag($0.0) }?.1 ?? .any
    try await client.removeWatches(try path(), type: type, local: invocation.flag(.local))
    return .success
  }
}
