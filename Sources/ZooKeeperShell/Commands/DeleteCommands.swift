import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// delete and deleteall.
extension CommandContext {
  /// Deletes znodes, or subtrees with `-r`.
  func delete(_ client: ZooKeeperClient) async throws -> ExitCode {
    let paths = try await paths(.live(client))
    if invocation.flag(.recursive) {
      guard invocation.value(.version) == nil else {
        throw ShellError.usage("--recursive cannot be combined with --version")
      }
      return try await deleteSubtrees(client, paths)
    }
    let version = try invocation.version()
    // In versions up to 3.4, zkCli.sh took a version there.
    if invocation.arguments.count == 2, let word = invocation.arguments.last, Int32(word.text) != nil {
      throw ShellError.usage(
        "\(word.text) could be a version or a znode", hint: "write -v \(word.text) or ./\(word.text)")
    }
    if invocation.flag(.dryRun) {
      for path in paths { try emit(.wouldDelete(path: path)) }
      return .success
    }
    if paths.count == 1 {
      try await client.delete(paths[0], version: version)
      try emit(.deleted(path: paths[0], count: 1))
      return .success
    }
    try await allow("Delete \(paths.count) znodes", count: paths.count)
    var writer = TreeWriter(client: client, limits: writeLimits)
    for path in paths { try await writer.add(.delete(PathVersionRequest(path: path, version: version))) }
    try await writer.finish()
    let failures = Dictionary(writer.failures.map { ($0.operation.path, $0.error) }) { $1 }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: nil) }
    for path in paths { try emit(.deleted(path: path, count: 1)) }
    return .success
  }

  /// Deletes subtrees.
  func deleteAll(_ client: ZooKeeperClient) async throws -> ExitCode {
    try await deleteSubtrees(client, try await paths(.live(client)))
  }

  /// How many times a subtree is walked again if other clients add to it meanwhile.
  private static let sweepLimit = 5

  private func deleteSubtrees(_ client: ZooKeeperClient, _ roots: [String]) async throws -> ExitCode {
    let batchCount = try invocation.value(.batch).map { word throws(ShellError) in
      try Int(ShellError.naming(.badValue(.batch), ValueParser.integer(word, of: "--batch", in: 1...100_000)))
    }
    if roots.contains("/"), !invocation.flag(.force), !invocation.flag(.dryRun) {
      throw ShellError.usage("deleteall / would delete the whole tree", hint: "deleteall --force / does it")
    }
    var deletions: [(deletion: SubtreeDeletion, targets: [String])] = []
    for root in roots {
      let deletion = SubtreeDeletion(
        client: client, root: root,
        limits: .init(batchCount: batchCount ?? 1000, batchBytes: min(256 << 10, maximumFrameBytes / 2)))
      deletions.append((deletion, try await deletion.targets()))
    }
    if invocation.flag(.dryRun) {
      for path in deletions.flatMap(\.targets) { try emit(.wouldDelete(path: path)) }
      return .success
    }
    let total = deletions.reduce(0) { $0 + $1.targets.count }
    let what = roots.count == 1 ? "\(roots[0]) and all under it" : "\(roots.count) subtrees"
    try await allow(total == 1 ? "Delete \(roots[0])" : "Delete \(total) znodes, \(what)", count: total)
    progress.begin("deleted", of: total)
    var failures: [String: ZooKeeperError] = [:]
    for (deletion, targets) in deletions {
      var deletion = deletion
      deletion.report = { [progress] in progress.advance(by: $0) }
      try await deletion.delete(targets)
      // Znodes that other clients have created under it meanwhile are part of the subtree as well.
      for _ in 0..<Self.sweepLimit where deletion.grewMeanwhile {
        try await deletion.delete(try await deletion.targets())
      }
      failures.merge(deletion.failures) { $1 }
      if deletion.failures.isEmpty { try emit(.deleted(path: deletion.root, count: deletion.count)) }
    }
    guard failures.isEmpty else { throw ShellError.failures(failures, of: roots.count == 1 ? roots[0] : nil) }
    return .success
  }
}
