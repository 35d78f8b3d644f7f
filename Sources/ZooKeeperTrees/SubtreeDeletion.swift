import Synchronization
package import ZooKeeperClient
import ZooKeeperProtocol

/// Deletes a subtree from the leaves up, many znodes in one transaction.
package struct SubtreeDeletion {
  package let client: ZooKeeperClient
  package let root: String
  package let limits: TreeWriter.Limits
  /// Called with the number of further deleted znodes.
  package var report: @Sendable (Int) -> Void = { _ in }
  /// The znodes that could not be deleted, with the reasons.
  package private(set) var failures: [String: ZooKeeperError] = [:]
  /// The number of deleted znodes.
  package private(set) var count = 0

  package init(client: ZooKeeperClient, root: String, limits: TreeWriter.Limits) {
    self.client = client
    self.root = root
    self.limits = limits
  }

  /// Whether a znode could not be deleted because it had children that the walk had not seen.
  package var grewMeanwhile: Bool { failures.values.contains { $0.code == .server(.notEmpty) } }

  /// The znodes of the subtree, children before parents; for the root, without the servers' own znodes.
  package func targets() async throws(ZooKeeperError) -> [String] {
    var paths: [String] = []
    do throws(ZooKeeperError) {
      var reader = TreeReader(client: client, root: root, skipsServersOwn: true)
      // A znode whose children cannot be listed may still be deletable.
      while let item = try await reader.next() { paths.append(item.path) }
    } catch {
      guard error.code == .server(.noNode), count > 0 else { throw error }
      return []
    }
    if root == "/" { paths.removeAll { $0 == "/" } }
    return paths.reversed()
  }

  /// Deletes znodes in the given order.
  package mutating func delete(_ paths: [String]) async throws {
    let reported = Mutex(0)
    var writer = TreeWriter(client: client, limits: limits) { [report] count in
      report(
        reported.withLock { reported in
          defer { reported = count }
          return count - reported
        })
    }
    for path in paths { try await writer.add(.delete(PathVersionRequest(path: path, version: -1))) }
    try await writer.finish()
    count += writer.doneCount
    failures = [:]
    // A znode that no longer exists is not a failure.
    for (operation, error) in writer.failures where error.code != .server(.noNode) { failures[operation.path] = error }
  }
}
