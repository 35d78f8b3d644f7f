import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// delete and deleteall.
extension CommandContext {
  /// Deletes a znode, or with `-r` a subtree.
  func delete(_ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    if invocation.flag(.recursive) {
      guard invocation.value(.version) == nil else {
        throw ShellError.usage("--recursive cannot be combined with --version")
      }
      return try await deleteSubtree(client, path)
    }
    try await client.delete(path, version: try invocation.version())
    try emit(.deleted(path: path, count: 1))
    return .success
  }

  /// Deletes a subtree.
  func deleteAll(_ client: ZooKeeperClient) async throws -> ExitCode {
    try await deleteSubtree(client, try path())
  }

  /// How often a subtree is walked again when others add to it meanwhile.
  private static let sweepLimit = 5

  private func deleteSubtree(_ client: ZooKeeperClient, _ root: String) async throws -> ExitCode {
    let batchCount = try invocation.value(.batch).map { word throws(ShellError) in
      try Int(ShellError.naming(.badValue(.batch), ValueParser.integer(word, of: "--batch", in: 1...100_000)))
    }
    if root == "/", !invocation.flag(.force), !invocation.flag(.dryRun) {
      throw ShellError.usage("deleteall / would delete the whole tree", hint: "add --force to do it")
    }
    var deletion = SubtreeDeletion(
      client: client, root: root,
      limits: .init(batchCount: batchCount ?? 1000, batchBytes: min(256 << 10, maximumFrameBytes / 2)))
    let targets = try await deletion.targets()
    if invocation.flag(.dryRun) {
      for path in targets { try emit(.wouldDelete(path: path)) }
      return .success
    }
    if targets.count > 1, !invocation.flag(.force) {
      guard try await values.confirms("Delete \(targets.count) znodes, \(root) and all under it?") else {
        throw ShellError(.no, "Refused", path: root, "nothing was deleted")
      }
    }
    progress.begin("deleted", of: targets.count)
    deletion.report = { [progress] in progress.advance(to: $0) }
    try await deletion.delete(targets)
    // What others created under it in the meantime is part of the subtree as well.
    for _ in 0..<Self.sweepLimit where deletion.grewMeanwhile {
      try await deletion.delete(try await deletion.targets())
    }
    guard deletion.failures.isEmpty else { throw ShellError.failures(deletion.failures, of: root) }
    try emit(.deleted(path: root, count: deletion.count))
    return .success
  }
}

/// Deletes a subtree from the leaves up, many znodes in one transaction.
struct SubtreeDeletion {
  let client: ZooKeeperClient
  let root: String
  let limits: TreeWriter.Limits
  /// Is told how many znodes are gone.
  var report: @Sendable (Int) -> Void = { _ in }
  /// What could not be deleted, and why.
  private(set) var failures: [String: ZooKeeperError] = [:]
  /// How many znodes are gone.
  private(set) var count = 0

  init(client: ZooKeeperClient, root: String, limits: TreeWriter.Limits) {
    self.client = client
    self.root = root
    self.limits = limits
  }

  /// Whether a znode could not go because it had children that the walk had not seen.
  var grewMeanwhile: Bool { failures.values.contains { $0.code == .server(.notEmpty) } }

  /// The znodes of the subtree, children before parents; of the root's, all but the servers' own.
  func targets() async throws(ZooKeeperError) -> [String] {
    var paths: [String] = []
    do throws(ZooKeeperError) {
      var reader = TreeReader(client: client, root: root, skipsServersOwn: true)
      // One that cannot be listed can perhaps be deleted.
      while let item = try await reader.next() { paths.append(item.path) }
    } catch {
      guard error.code == .server(.noNode), count > 0 else { throw error }
      return []
    }
    if root == "/" { paths.removeAll { $0 == "/" } }
    return paths.reversed()
  }

  /// Deletes znodes in the given order.
  mutating func delete(_ paths: [String]) async throws {
    var writer = TreeWriter(client: client, limits: limits) { [count, report] in report(count + $0) }
    for path in paths { try await writer.add(.delete(PathVersionRequest(path: path, version: -1))) }
    try await writer.finish()
    count += writer.doneCount
    failures = [:]
    // One that is gone already is what was wanted.
    for (operation, error) in writer.failures where error.code != .server(.noNode) { failures[operation.path] = error }
  }
}
