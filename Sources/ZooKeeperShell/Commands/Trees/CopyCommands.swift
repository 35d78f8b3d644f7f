import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// cp, mv, export, import.
extension CommandContext {
  /// Copies a znode, or a subtree with `-R`.
  func copy(_ client: ZooKeeperClient) async throws -> ExitCode {
    let (source, target) = try await places(client)
    return try await copy(from: source, to: target, isRecursive: invocation.flag(.recursive), client)
  }

  /// Writes a subtree to a file.
  func export(_ client: ZooKeeperClient) async throws -> ExitCode {
    let source = TreePlace.znode(client, path: try path(), ensemble: .present)
    let target = try await place(of: invocation.argument(1) ?? Word("-"), client, isFile: true)
    return try await copy(from: source, to: target, isRecursive: true, client)
  }

  /// Creates the znodes of a file.
  func importTree(_ client: ZooKeeperClient) async throws -> ExitCode {
    let source = try await place(of: invocation.arguments[0], client, isFile: true)
    let target = TreePlace.znode(client, path: try path(at: 1), ensemble: .present)
    return try await copy(from: source, to: target, isRecursive: true, client)
  }

  /// Moves a subtree to another place, in one transaction if possible, otherwise by a copy and a deletion.
  func move(_ client: ZooKeeperClient) async throws -> ExitCode {
    let (source, target) = try await places(client)
    guard case .znode(let from, let path, let fromEnsemble) = source,
      case .znode(let to, let targetPath, let toEnsemble) = target
    else {
      throw ShellError.usage("mv moves znodes only", hint: "cp copies from and to files")
    }
    guard path != "/" else { throw ShellError.usage("the root cannot be moved") }
    var tree = LiveTree(client: from, root: path, includesEphemerals: true)
    var entries: [TreeEntry] = []
    while let entry = try await tree.next() { entries.append(entry) }
    guard tree.omissions.failures.isEmpty else {
      throw ShellError.failures(tree.omissions.failures, of: path)
    }
    if let ephemeral = entries.first(where: { $0.stat?.ephemeralOwner != SessionID.none }) {
      throw ShellError(
        .conflict, "Ephemeral", path: ephemeral.absolutePath(under: path),
        "an ephemeral znode belongs to its session and cannot be moved", hint: "cp -R copies the others")
    }
    if invocation.flag(.dryRun) {
      for entry in entries { try emit(.path(entry.absolutePath(under: targetPath))) }
      return .success
    }
    for place in [source, target] { try place.cluster?.requireReading(by: invocation, writes: true) }
    try await allow(
      "Move \(entries.count) znodes from \(path) to \(targetPath)", count: entries.count, on: source.cluster)
    if let parent = ZnodePath.parent(of: targetPath), try await to.exists(parent) == nil {
      guard invocation.flag(.parents) else { throw ShellError.missingParent(of: targetPath) }
      try await createParents(parent, to)
    }
    let steps = entries.map { entry in
      TreePlan.Step.create(
        path: entry.absolutePath(under: targetPath), data: entry.data, acl: entry.acl ?? ACL.openUnsafe)
    }
    // Only what was copied is deleted; a znode that has changed meanwhile has another version.
    let deletions = entries.reversed().map { entry in
      TreePlan.Step.delete(path: entry.absolutePath(under: path), version: entry.stat?.version ?? -1)
    }
    progress.begin("moved", of: entries.count)
    if fromEnsemble == toEnsemble {
      try await carryOut(TreePlan(steps: steps + deletions), at: targetPath, from, needsAll: steps.count)
    } else {
      try await carryOut(TreePlan(steps: steps), at: targetPath, to)
      try await carryOut(TreePlan(steps: deletions), at: path, from)
    }
    try emit(.tree(.copied(from: source.text, to: target.text, TreeTally(created: entries.count))))
    return .success
  }

  /// Carries out steps, and fails if one of them fails.
  ///
  /// - Parameter needsAll: the number of first steps that must be complete before the others begin.
  private func carryOut(
    _ plan: TreePlan, at root: String, _ client: ZooKeeperClient, needsAll: Int = 0
  ) async throws {
    if needsAll > 0, !plan.isAtomic(limits: writeLimits) {
      try await carryOut(TreePlan(steps: Array(plan.steps[..<needsAll])), at: root, client)
      return try await carryOut(TreePlan(steps: Array(plan.steps[needsAll...])), at: root, client)
    }
    let outcome = try await plan.carryOut(on: client, limits: writeLimits) { [progress] in progress.advance(to: $0) }
    guard outcome.failures.isEmpty else { throw ShellError.failures(outcome.failures, of: root) }
  }

  /// The limits of writes and bytes in one transaction.
  var writeLimits: TreeWriter.Limits {
    TreeWriter.Limits(batchBytes: min(256 << 10, maximumFrameBytes / 2))
  }

  /// The places of the first two arguments. If the target ends with a slash, the source is copied into it.
  private func places(_ client: ZooKeeperClient) async throws -> (source: TreePlace, target: TreePlace) {
    let source = try await place(of: invocation.arguments[0], client)
    var word = invocation.arguments[1]
    if word.text.hasSuffix("/"), word.text != "/", word.text.hasPrefix("/") || !word.text.contains(":"),
      case .znode(_, let path, _) = source
    {
      word = Word(word.text + ZnodePath.name(of: path))
    }
    let target = try await place(of: word, client)
    guard !overlap(source, target) else {
      throw ShellError.usage("\(source.text) and \(target.text) overlap")
    }
    return (source, target)
  }

  /// Whether one place contains the other, so that a copy would not end, or would change what it reads.
  func overlap(_ left: TreePlace, _ right: TreePlace) -> Bool {
    func real(_ place: TreePlace) -> (servers: Set<ServerAddress>, path: String)? {
      guard case .znode(_, let path, let ensemble) = place else { return nil }
      switch ensemble {
      case .present: return (Set(servers), path == "/" ? chroot ?? "/" : (chroot ?? "") + path)
      case .other(let other): return (Set(other.servers), path)
      case .cluster(_, let other):
        return (Set(other.servers), path == "/" ? other.chroot ?? "/" : (other.chroot ?? "") + path)
      }
    }
    guard let one = real(left), let other = real(right), !one.servers.isDisjoint(with: other.servers) else {
      return false
    }
    return ZnodePath.isWithin(one.path, other.path) || ZnodePath.isWithin(other.path, one.path)
  }

  /// Copies from one place to another; at least one of them is on an ensemble.
  func copy(
    from source: TreePlace, to target: TreePlace, isRecursive: Bool, _ client: ZooKeeperClient
  ) async throws -> ExitCode {
    guard case .znode(let from, let path, _) = source else {
      guard case .znode(let to, let targetPath, _) = target else {
        throw ShellError.usage("one of the two places must be a znode")
      }
      var reader = try reader(of: source)
      return try await copy(&reader, from: source, "/", to: targetPath, of: target, to)
    }
    var tree = LiveTree(client: from, root: path, inFlight: try inFlight())
    guard isRecursive else { return try await copyOne(from, path, source, to: target) }
    guard case .znode(let to, let targetPath, _) = target else {
      return try await export(&tree, from: path, to: target)
    }
    return try await copy(&tree, from: source, path, to: targetPath, of: target, to)
  }

  /// Copies a single znode.
  private func copyOne(
    _ client: ZooKeeperClient, _ path: String, _ source: TreePlace, to target: TreePlace
  ) async throws -> ExitCode {
    let (data, stat) = try await client.getData(path)
    let (acl, _) = try await client.getACL(path)
    if stat.numChildren > 0, !invocation.flag(.yes) {
      try emit(.warning("\(path) has children, which are not copied without -R"))
    }
    var tree = ListedTree([TreeEntry(path: "", data: data, acl: acl, stat: stat)])
    guard case .znode(let to, let targetPath, _) = target else {
      return try await export(&tree, from: path, to: target)
    }
    return try await copy(&tree, from: source, path, to: targetPath, of: target, to)
  }

  /// Copies the znodes of a source to a place on an ensemble.
  private func copy(
    _ tree: inout some TreeSource, from source: TreePlace, _ sourceRoot: String, to root: String, of target: TreePlace,
    _ client: ZooKeeperClient
  ) async throws -> ExitCode {
    try target.cluster?.requireReading(by: invocation, writes: true)
    let exists = try await client.exists(root) != nil
    if !exists, let parent = ZnodePath.parent(of: root), try await client.exists(parent) == nil {
      guard invocation.flag(.parents) else { throw ShellError.missingParent(of: root) }
      if !invocation.flag(.dryRun) { try await createParents(parent, client) }
    }
    if invocation.flag(.dryRun) {
      while let entry = try await tree.next() { try emit(.path(entry.absolutePath(under: root))) }
      return try report(tree.omissions, [:], at: root)
    }
    let overwriting: TreeCopy.Overwriting =
      invocation.flag(.overwrite) ? .always : invocation.flag(.skipExisting) ? .skips : .never
    let hasAsked = Mutex(false)
    progress.begin("copied")
    var copy = TreeCopy(
      to: client, root: root, overwriting: overwriting, expectsExisting: exists, limits: writeLimits,
      mayOverwrite: { count in
        // The user is asked once; a script's limit applies to all batches together.
        if values.asksBeforeDestroying, hasAsked.withLock({ $0 }) { return }
        try await allow("Overwrite \(count) znodes under \(root)", count: count, on: target.cluster)
        // Overwriting a single znode needs no confirmation.
        if count > 1 { hasAsked.withLock { $0 = true } }
      },
      report: { [progress] in progress.advance(to: $0) })
    do {
      while let entry = try await tree.next() {
        // The servers' own znodes are not copied.
        guard root != "/" || !ZnodePath.isWithin("/" + entry.path, "/zookeeper") else { continue }
        try await copy.add(entry)
      }
      try await copy.finish()
    } catch {
      // Complete the writes in flight before the failure to read the source is reported; a second failure is ignored.
      try? await copy.abandon()
      throw error
    }
    let outcome = copy.outcome
    try emit(
      .tree(
        .copied(
          from: source.text, to: target.text,
          TreeTally(
            created: outcome.createdCount, changed: outcome.changedCount, unchanged: outcome.unchangedCount,
            skipped: outcome.skippedCount, ephemeral: tree.omissions.ephemeralCount))))
    let refusals = (tree as? any TreeFileReader)?.refusals ?? []
    try refuse(refusals)
    let code = try report(tree.omissions, outcome.failures, at: root)
    return refusals.isEmpty ? code : .partial
  }

  /// Writes the znodes of a source to a file or stdout.
  func export(
    _ tree: inout some TreeSource, from root: String, to target: TreePlace
  ) async throws -> ExitCode {
    // Read before the file is created, so that an unreadable source leaves no file.
    guard let first = try await tree.next() else { return try report(tree.omissions, [:], at: root) }
    var (writer, abandon) = try self.writer(of: target, root: root)
    var count = 0
    progress.begin("written")
    do {
      var next: TreeEntry? = first
      while let entry = next {
        try writer.add(entry)
        count += 1
        progress.advance()
        next = try await tree.next()
      }
      try writer.finish()
    } catch {
      abandon()
      throw error
    }
    if case .standardStream = target {
      // The export itself is the answer.
    } else {
      try emit(
        .tree(
          .exported(
            from: root, to: target.text, count: count, ephemeralCount: tree.omissions.ephemeralCount)))
    }
    try refuse(writer.refusals)
    let code = try report(tree.omissions, [:], at: root)
    return writer.refusals.isEmpty ? code : .partial
  }

  /// A writer for a file or stdout, and a cleanup for an unfinished file.
  private func writer(
    of place: TreePlace, root: String
  ) throws(ShellError) -> (writer: any TreeFileWriter, abandon: () -> Void) {
    switch place {
    case .znode: preconditionFailure("a znode is not a file")
    case .past: throw .usage("the past cannot be written")
    case .standardStream(let format):
      if invocation.flag(.resume) { throw .notResumed("stdout") }
      let sink = ByteSink { [emit] bytes throws(ShellError) in try emit(.tree(.bytes(bytes))) }
      switch format ?? .jsonl {
      case .jsonl: return (try TreeLinesWriter(sink, root: root), {})
      case .tar: return (try TarWriter(sink), {})
      case .directory: throw .usage("stdout cannot be a directory", hint: "name the directory")
      }
    case .file(let name, let format):
      let format = format ?? TreeFormat(ending: name) ?? (FileIO.isDirectory(name) ? .directory : .jsonl)
      if format == .directory {
        try FileIO.makeDirectory(name)
        return (try TreeDirectoryWriter(name, resumes: invocation.flag(.resume)), {})
      }
      if invocation.flag(.resume) { throw .notResumed(format == .tar ? "an archive" : "a file of lines") }
      let file = try NewFile(name, replaces: invocation.flag(.overwrite))
      return (format == .tar ? try TarWriter(file.sink) : try TreeLinesWriter(file.sink, root: root), file.abandon)
    }
  }

  /// Lists the znodes that cannot be read from or written to a file.
  private func refuse(_ refusals: [(path: String, reason: String)]) throws(ShellError) {
    for refusal in refusals { try emit(.warning("\(refusal.path) is left out: \(refusal.reason)")) }
  }

  /// Reports which znodes of a subtree were left out.
  ///
  /// - Returns: the exit code.
  /// - Throws: exit code 11 if something could not be read or written.
  func report(
    _ omissions: TreeOmissions, _ failures: [String: ZooKeeperError], at root: String
  ) throws(ShellError) -> ExitCode {
    if omissions.ephemeralCount > 0 {
      let count = omissions.ephemeralCount
      try emit(.warning("\(count) ephemeral \(count == 1 ? "znode is" : "znodes are") left out"))
    }
    if omissions.vanishedCount > 0 {
      let count = omissions.vanishedCount
      try emit(
        .warning("the tree has changed meanwhile: \(count) \(count == 1 ? "znode has" : "znodes have") gone"))
    }
    let all = omissions.failures.merging(failures) { $1 }
    guard all.isEmpty else { throw ShellError.failures(all, of: root) }
    return .success
  }

  /// The most requests in flight.
  func inFlight() throws(ShellError) -> Int {
    guard let word = invocation.value(.inFlight) else { return 64 }
    return Int(try ValueParser.integer(word, of: "--in-flight", in: 1...10_000))
  }
}

extension ShellError {
  /// The error for `--resume` with a format that cannot be resumed.
  fileprivate static func notResumed(_ what: String) -> ShellError {
    .usage(
      "\(what) cannot be resumed, because it is created only when it is complete",
      hint: "export it again, or to a directory")
  }
}
