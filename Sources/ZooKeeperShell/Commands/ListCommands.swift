import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// ls.
extension CommandContext {
  /// Lists children, or subtrees with `-R`.
  func list(_ client: ZooKeeperClient) async throws -> ExitCode {
    guard !invocation.arguments.isEmpty else { return try await list(client, directory) {} }
    var code = ExitCode.success
    try await forEachPath(.live(client)) { path, heading in
      let result = try await list(client, path, heading)
      if result != .success { code = result }
    }
    return code
  }

  private func list(
    _ client: ZooKeeperClient, _ path: String, _ heading: () throws(ShellError) -> Void
  ) async throws -> ExitCode {
    if invocation.flag(.recursive) { return try await listSubtree(client, path, heading) }
    let watch = invocation.flag(.watch)
    let key = try invocation.value(.sort).map { word throws(ShellError) in
      try ValueParser.choice(word, of: "--sort", among: ["name", "size", "mtime", "children"])
    }
    if invocation.flag(.long) || key != nil && key != "name" {
      return try await listLong(client, path, sortedBy: key ?? "name", watch: watch, heading)
    }
    var stat: Stat?
    var names: [String]
    if invocation.flag(.stat) {
      (names, stat) = try await client.getChildren2(path, watch: watch)
    } else {
      names = try await client.getChildren(path, watch: watch)
    }
    names.sort()
    try heading()
    if invocation.flag(.print0) {
      for name in names { try emit(.name(name, endsWithNull: true)) }
    } else {
      try emit(.children(path: path, names: names, stat: stat))
    }
    return .success
  }

  private func listLong(
    _ client: ZooKeeperClient, _ path: String, sortedBy key: String, watch: Bool,
    _ heading: () throws(ShellError) -> Void
  ) async throws -> ExitCode {
    let names = try await client.getChildren(path, watch: watch).sorted()
    try heading()
    let stats = await client.stats(ofAll: names.map { ZnodePath.child($0, of: path) })
    var entries: [ListingEntry] = []
    for (name, stat) in zip(names, stats) {
      // A child that was deleted in between is no longer listed.
      if case .failure(let error) = stat, error.code == .server(.noNode) { continue }
      entries.append(
        ListingEntry(
          name: name, stat: try stat.get(), isHuman: invocation.flag(.human), showsOwner: invocation.flag(.owner)))
    }
    func sort(by measure: (Stat) -> Int64) {
      entries.sort { (measure($0.stat), $1.name) > (measure($1.stat), $0.name) }
    }
    switch key {
    case "size": sort { Int64($0.dataLength) }
    case "mtime": sort(by: \.mtimeMilliseconds)
    case "children": sort { Int64($0.numChildren) }
    default: break
    }
    for entry in entries {
      try emit(invocation.flag(.long) ? .entry(entry) : .name(entry.name, endsWithNull: invocation.flag(.print0)))
    }
    return .success
  }

  private func listSubtree(
    _ client: ZooKeeperClient, _ path: String, _ heading: () throws(ShellError) -> Void
  ) async throws -> ExitCode {
    var code = ExitCode.success
    let isLong = invocation.flag(.long)
    var reader = TreeReader(client: client, root: path)
    while let item = try await reader.next() {
      if item.path == path { try heading() }
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
