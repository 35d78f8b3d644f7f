import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

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
      let stat = try await client.setACL(path, acl: acl, version: version)
      try emit(.changed(path: path, stat: invocation.flag(.stat) ? stat : nil))
      return .success
    }
    var paths: [String] = []
    var reader = TreeReader(client: client, root: path)
    while let item = try await reader.next() { paths.append(item.path) }
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
