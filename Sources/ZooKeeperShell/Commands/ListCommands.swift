import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// ls.
extension CommandContext {
  /// Lists children, or with `-R` a subtree.
  func list(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try optionalPath() ?? directory
    if invocation.flag(.recursive) { return try await listSubtree(client, path) }
    let watch = invocation.flag(.watch)
    if invocation.flag(.long) { return try await listLong(client, path, watch: watch) }
    if invocation.flag(.stat) {
      let (names, stat) = try await client.getChildren2(path, watch: watch)
      try emit(.children(path: path, names: names.sorted(), stat: stat))
    } else {
      try emit(.children(path: path, names: try await client.getChildren(path, watch: watch).sorted(), stat: nil))
    }
    return .success
  }

  private func listLong(_ client: ZooKeeperClient, _ path: String, watch: Bool) async throws -> ExitCode {
    let names = try await client.getChildren(path, watch: watch).sorted()
    let stats = await client.stats(ofAll: names.map { ZnodePath.child($0, of: path) })
    for (name, stat) in zip(names, stats) {
      // A child that went away in between is no longer one.
      if case .failure(let error) = stat, error.code == .server(.noNode) { continue }
      try emit(.entry(ListingEntry(name: name, stat: try stat.get())))
    }
    return .success
  }

  private func listSubtree(_ client: ZooKeeperClient, _ path: String) async throws -> ExitCode {
    var code = ExitCode.success
    let isLong = invocation.flag(.long)
    var reader = TreeReader(client: client, root: path)
    while let item = try await reader.next() {
      switch item {
      case .node(let node): try emit(isLong ? .entry(ListingEntry(name: node.path, stat: node.stat)) : .path(node.path))
      case .failed(let path, let error):
        code = .partial
        try emit(.path(path))
        try emit(.warning("\(path): its children cannot be listed: \(ShellError(error).message)"))
      }
    }
    return code
  }
}
