import ZooKeeperClient
import ZooKeeperProtocol

/// getAcl, setAcl, whoami; addauth is the session's, which keeps the identity.
extension CommandContext {
  /// Prints the ACL of a znode.
  func getACL(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let (acl, stat) = try await client.getACL(path)
    try emit(.acl(path: path, acl, stat: invocation.flag(.stat) ? stat : nil))
    return .success
  }

  /// Replaces the ACL of a znode, or of a whole subtree.
  func setACL(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    let acl = try acl(invocation.arguments[1])
    let version = try invocation.version()
    guard invocation.flag(.recursive) else {
      if invocation.flag(.dryRun) {
        try emit(.path(path))
        return .success
      }
      let stat = try await client.setACL(path, acl: acl, version: version)
      try emit(.changed(path: path, stat: invocation.flag(.stat) ? stat : nil))
      return .success
    }
    var paths: [String] = []
    try await SubtreeWalk(client: client, root: path).run {
      paths.append($0.path)
    } fail: { path, _ in
      paths.append(path)
    }
    if invocation.flag(.dryRun) {
      for path in paths { try emit(.path(path)) }
      return .success
    }
    let extent = paths.count == 1 ? "the znode \(path)" : "\(paths.count) znodes, \(path) and all under it"
    try await allowed(count: paths.count, what: "replace the ACL of \(extent)")
    var failures: [String: ZooKeeperError] = [:]
    // Children first: the new ACL of a parent may take away the right to list or change them.
    for path in paths.reversed() {
      do {
        try await client.setACL(path, acl: acl, version: version)
      } catch {
        guard case .server(let code) = error.code else { throw error }
        if code != .noNode { failures[path] = error }
      }
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: path) }
    try emit(.changed(path: path, stat: nil))
    return .success
  }

  /// Prints the identities of the connection.
  func whoAmI(_ client: ZooKeeperClient) async throws -> ExitCode {
    try emit(.identities(try await client.whoAmI()))
    return .success
  }
}
