import ZooKeeperClient
import ZooKeeperProtocol

/// get, stat, exists, sync, getEphemerals, getAllChildrenNumber.
extension CommandContext {
  /// Prints the data of a znode.
  func get(_ client: ZooKeeperClient) async throws -> ExitCode {
    if let word = invocation.value(.jsonPath) { return try await getJSONValue(word, client) }
    let form: DataForm = invocation.flag(.hex) ? .hexDump : invocation.flag(.base64) ? .base64 : .plain
    try await forEachPath(.live(client)) { path, heading in
      let (stored, stat) = try await client.getData(path, watch: invocation.flag(.watch))
      let data = try stored.map { data throws(ShellError) in try decoded(data, of: path) }
      try heading()
      try emit(.data(path: path, data: data, stat: stat, showsStat: invocation.flag(.stat), form: form))
    }
    return .success
  }

  /// Prints the stat of a znode.
  func stat(_ client: ZooKeeperClient) async throws -> ExitCode {
    try await forEachPath(.live(client)) { path, heading in
      guard let stat = try await client.exists(path, watch: invocation.flag(.watch)) else {
        throw ZooKeeperError(.server(.noNode), path: path)
      }
      try heading()
      try emit(.stat(path: path, stat))
    }
    return .success
  }

  /// Reports by the exit code whether a znode exists.
  func exists(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let stat = try await client.exists(path, watch: invocation.flag(.watch))
    try emit(.existence(path: path, stat))
    return stat == nil ? .no : .success
  }

  /// Makes the server catch up with the leader.
  func sync(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try optionalPath() ?? directory
    try await client.sync(path)
    try emit(.synced(path: path))
    return .success
  }

  /// Lists this session's ephemeral znodes.
  func listEphemerals(_ client: ZooKeeperClient) async throws -> ExitCode {
    try emit(.ephemerals(try await client.getEphemerals(try optionalPath() ?? "/").sorted()))
    return .success
  }

  /// Counts the znodes under one.
  func countDescendants(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    try emit(.count(path: path, try await client.getAllChildrenNumber(path)))
    return .success
  }
}
