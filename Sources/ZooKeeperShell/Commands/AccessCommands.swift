import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// The commands getAcl, setAcl and whoami. addauth is in the session, which keeps the identity.
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
    if invocation.flag(.dryRun) {
      for path in paths { try emit(.path(path)) }
      return .success
    }
    try await allow("Set the ACL of \(paths.count) znodes, \(path) and all under it", count: paths.count)
    var failures: [String: ZooKeeperError] = [:]
    progress.begin("changed", of: paths.count)
    // Children first, because the new ACL of a parent can remove the permission to list or change them.
    var rest = paths.reversed()[...]
    while !rest.isEmpty {
      let requests = rest.prefix(1000).map { SetACLRequest(path: $0, acl: acl, version: version) }
      rest = rest.dropFirst(requests.count)
      try Task.checkCancellation()
      for (request, result) in zip(requests, try await client.setACLsDespiteLoss(requests)) {
        guard case .failure(let error) = result else { continue }
        guard error.concernsOneZnode else { throw error }
        if error.code != .server(.noNode) { failures[request.path] = error }
      }
      progress.advance(by: requests.count)
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
