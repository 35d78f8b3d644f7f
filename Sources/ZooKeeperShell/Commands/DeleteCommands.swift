import ZooKeeperClient
import ZooKeeperProtocol

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
    let version = try invocation.version()
    if invocation.flag(.dryRun) {
      try emit(.wouldDelete(path: path))
      return .success
    }
    try await client.delete(path, version: version)
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
      throw ShellError.usage(
        "\(invocation.spec.name) / would delete the whole tree", hint: "deleteall --force / does it")
    }
    var deletion = SubtreeDeletion(
      client: client, root: root, batchCount: batchCount ?? 1000, batchBytes: maximumFrameBytes / 2)
    let targets = try await deletion.targets()
    if invocation.flag(.dryRun) {
      for path in targets { try emit(.wouldDelete(path: path)) }
      return .success
    }
    let extent = targets.count == 1 ? "the znode \(root)" : "\(targets.count) znodes, \(root) and all under it"
    try await allowed(count: targets.count, what: "delete \(extent)")
    try await deletion.delete(targets)
    // What others created under it in the meantime is part of the subtree as well.
    for _ in 0..<Self.sweepLimit where deletion.grewMeanwhile {
      deletion.failures = [:]
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
  /// The most znodes in one transaction.
  let batchCount: Int
  /// The most bytes of paths in one transaction, under the servers' limit for a frame.
  let batchBytes: Int
  /// What could not be deleted, and why.
  var failures: [String: ZooKeeperError] = [:]
  /// How many znodes are gone.
  var count = 0

  /// Whether a znode could not go because it had children that the walk had not seen.
  var grewMeanwhile: Bool { failures.values.contains { $0.code == .server(.notEmpty) } }

  /// The znodes of the subtree, children before parents; of the root's, all but the servers' own.
  func targets() async throws -> [String] {
    var paths: [String] = []
    do {
      try await SubtreeWalk(client: client, root: root).run { visit in
        paths.append(visit.path)
      } fail: { path, _ in
        // It cannot be listed, but perhaps it can be deleted.
        paths.append(path)
      }
    } catch let error as ZooKeeperError where error.code == .server(.noNode) && count > 0 {
      return []
    }
    if root == "/" { paths.removeAll { $0 == "/" || ZnodePath.isWithin($0, "/zookeeper") } }
    return paths.reversed()
  }

  /// Deletes znodes in the given order, a batch at a time.
  mutating func delete(_ paths: [String]) async throws {
    var rest = paths[...]
    while !rest.isEmpty {
      try Task.checkCancellation()
      var batch: [String] = []
      var bytes = 0
      while let path = rest.first, batch.count < batchCount, batch.isEmpty || bytes + path.utf8.count < batchBytes {
        batch.append(path)
        // A delete's frame has 21 bytes beside the path.
        bytes += path.utf8.count + 21
        rest.removeFirst()
      }
      do {
        try await client.multi(batch.map { .delete(PathVersionRequest(path: $0, version: -1)) })
        count += batch.count
      } catch {
        guard case .rolledBack = error.code else { throw error }
        try await deleteOneByOne(batch)
      }
    }
  }

  /// One znode of a transaction stops all of it, so they are deleted by themselves.
  private mutating func deleteOneByOne(_ paths: [String]) async throws {
    for path in paths {
      do {
        try await client.delete(path)
        count += 1
      } catch {
        guard case .server(let code) = error.code else { throw error }
        // Gone already: which is what was wanted.
        if code != .noNode { failures[path] = error }
      }
    }
  }
}
