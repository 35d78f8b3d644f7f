import ZooKeeperClient
import ZooKeeperProtocol

/// Paths with wildcards.
extension CommandContext {
  /// The znodes that the arguments from a place on name: each a path, or a pattern such as `/app/*/config`.
  ///
  /// A znode whose name is the pattern itself has precedence. Names are matched one by one, so that `*` never goes
  /// beyond a slash.
  ///
  /// - Parameter first: the place of the first of these arguments.
  /// - Throws: NoNode for a pattern that nothing matches.
  func paths(from first: Int = 0, _ client: ZooKeeperClient) async throws -> [String] {
    var paths: [String] = []
    for word in invocation.arguments.dropFirst(first) {
      let path = try path(of: word)
      guard dialect.expandsPatterns, Glob.isPattern(path), try await client.exists(path) == nil else {
        paths.append(path)
        continue
      }
      let matches = try await expand(path, client)
      guard !matches.isEmpty else {
        throw ShellError(.noNode, "NoNode", path: path, "no znode matches the pattern")
      }
      paths += matches
    }
    return paths
  }

  private func expand(_ pattern: String, _ client: ZooKeeperClient) async throws -> [String] {
    var found = ["/"]
    for part in pattern.utf8.split(separator: UInt8(ascii: "/")) {
      let name = String(part) ?? ""
      guard Glob.isPattern(name) else {
        found = found.map { ZnodePath.child(name, of: $0) }
        continue
      }
      let glob = Glob(name)
      var next: [String] = []
      for (parent, reply) in zip(found, await client.getChildren2(ofAll: found)) {
        switch reply {
        case .success(let reply):
          next += reply.children.filter(glob.matches).sorted().map { ZnodePath.child($0, of: parent) }
        case .failure(let error):
          guard error.code == .server(.noNode) else { throw error }
        }
      }
      found = next
    }
    // What follows the last pattern may be missing under some of its matches.
    let stats = await client.stats(ofAll: found)
    var existing: [String] = []
    for (path, stat) in zip(found, stats) {
      switch stat {
      case .success: existing.append(path)
      case .failure(let error): guard error.code == .server(.noNode) else { throw error }
      }
    }
    return existing
  }
}
