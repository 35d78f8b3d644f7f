import Platform
import Synchronization
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// diff, apply, mirror.
extension CommandContext {
  /// Prints the differences of two subtrees.
  func diff(_ client: ZooKeeperClient) async throws -> ExitCode {
    let left = try await place(of: invocation.arguments[0], client)
    let right = try await place(of: invocation.arguments[1], client)
    progress.begin("compared")
    let (one, root) = try side(left)
    let (other, otherRoot) = try side(right)
    let areSame = try await diff(one, root, other, otherRoot) == .success
    // Parts of the past that cannot be read may differ.
    for case .past(let state, _, _) in [left, right] where state.exitCode != .success { return state.exitCode }
    return areSame ? .success : .no
  }

  /// The subtree at a place, and the name of its root in messages.
  private func side(_ place: TreePlace) throws(ShellError) -> (tree: any TreeSource, root: String) {
    switch place {
    case .znode(let client, let path, _): (try liveTree(client, path), path)
    case .past(let state, let path, _): (PastTree(state, root: path, includesEphemerals: true), path)
    case .file, .standardStream: (try listedTree(place), place.text)
    }
  }

  private func liveTree(_ client: ZooKeeperClient, _ root: String) throws(ShellError) -> LiveTree {
    LiveTree(client: client, root: root, includesEphemerals: true, inFlight: try inFlight())
  }

  /// The znodes of a file, in memory, because a handwritten file can be in any order.
  private func listedTree(_ place: TreePlace) throws(ShellError) -> ListedTree {
    var reader = try reader(of: place)
    let entries = try reader.rest()
    for refusal in reader.refusals { try emit(.warning("\(refusal.path) is left out: \(refusal.reason)")) }
    return ListedTree(entries)
  }

  /// Prints the differences of two subtrees that are read in parallel.
  func diff<Left: TreeSource, Right: TreeSource>(
    _ left: Left, _ leftRoot: String, _ right: Right, _ rightRoot: String
  ) async throws -> ExitCode {
    let ignoresACLs = invocation.flag(.ignoreACL)
    var comparison = TreeComparison(left, right, ignoresACLs: ignoresACLs)
    var areSame = true
    while let difference = try await comparison.next() {
      progress.advance()
      if case .same = difference { continue }
      areSame = false
      try emit(.tree(.difference(difference, isBrief: invocation.flag(.brief))))
    }
    _ = try report(comparison.left.omissions, [:], at: leftRoot)
    _ = try report(comparison.right.omissions, [:], at: rightRoot)
    return areSame ? .success : .no
  }

  /// Changes a subtree to the state that a file describes, after showing the changes.
  func apply(_ client: ZooKeeperClient) async throws -> ExitCode {
    let source = try await place(of: invocation.arguments[0], client, isFile: true)
    let root = try path(at: 1)
    let prunes = invocation.flag(.prune)
    progress.begin("compared")
    let target = try await self.target(client, root)
    let plan: TreePlan
    switch source {
    case .znode(let from, let path, _):
      guard !overlap(source, .znode(client, path: root, ensemble: .present)) else {
        throw ShellError.usage("\(source.text) and \(root) overlap")
      }
      let made = try await TreePlan.making(
        target, at: root, like: LiveTree(client: from, root: path), at: path, prunes: prunes
      ) { [progress] in progress.advance(to: $0) }
      _ = try report(made.source, made.target.failures, at: root)
      plan = made.plan
    default:
      let made = try await TreePlan.making(
        target, at: root, like: try listedTree(source), at: "/", prunes: prunes
      ) { [progress] in progress.advance(to: $0) }
      _ = try report(TreeOmissions(), made.target.failures, at: root)
      plan = made.plan
    }
    return try await apply(plan, to: root, client)
  }

  /// The present state of the subtree to change; empty if it does not exist.
  private func target(_ client: ZooKeeperClient, _ root: String) async throws -> LiveTree {
    if try await client.exists(root) != nil {
      return LiveTree(client: client, root: root, includesEphemerals: true, inFlight: try inFlight())
    }
    if let parent = ZnodePath.parent(of: root), try await client.exists(parent) == nil {
      throw ShellError.missingParent(of: root)
    }
    return .none(at: root, client)
  }

  private func apply(_ plan: TreePlan, to root: String, _ client: ZooKeeperClient) async throws -> ExitCode {
    guard !plan.steps.isEmpty else {
      try emit(.tree(.applied(to: root, doneCount: 0)))
      return .success
    }
    for step in plan.steps { try emit(.tree(.step(step))) }
    if invocation.flag(.dryRun) { return .success }
    try flush()
    let destroyed = plan.steps.count { if case .create = $0 { false } else { true } }
    if destroyed > 0 {
      try await allow(
        "Make \(plan.steps.count) changes under \(root), \(destroyed) of them to znodes that exist", count: destroyed)
    }
    progress.begin("written", "changes", of: plan.steps.count)
    let outcome = try await plan.carryOut(on: client, limits: writeLimits) { [progress] in progress.advance(to: $0) }
    try emit(.tree(.applied(to: root, doneCount: outcome.doneCount)))
    guard outcome.failures.isEmpty else { throw ShellError.failures(outcome.failures, of: root) }
    return .success
  }

  /// Makes a subtree equal to another one, and keeps it so with `--follow`.
  func mirror(_ client: ZooKeeperClient) async throws -> ExitCode {
    let source = try await place(of: invocation.arguments[0], client)
    let target = try await place(of: invocation.arguments[1], client)
    guard case .znode(let from, let path, let fromEnsemble) = source,
      case .znode(let to, let targetPath, let toEnsemble) = target
    else { throw ShellError.usage("mirror copies from a znode to a znode", hint: "export and import use files") }
    guard !overlap(source, target) else {
      throw ShellError.usage("\(source.text) and \(target.text) overlap")
    }
    if try await to.exists(targetPath) == nil, let parent = ZnodePath.parent(of: targetPath),
      try await to.exists(parent) == nil
    {
      guard invocation.flag(.parents) else { throw ShellError.missingParent(of: targetPath) }
      try await createParents(parent, to)
    }
    try target.cluster?.requireReading(by: invocation, writes: true)
    let interval = try invocation.value(.every).map { word throws(ShellError) in
      try ValueParser.duration(word, of: "--every")
    }
    let mirror = TreeMirror(
      from: side(path, from, fromEnsemble), to: side(targetPath, to, toEnsemble),
      comparesEvery: interval ?? .seconds(60),
      mayDelete: { count in
        guard invocation.flag(.prune) else {
          throw ShellError(
            .conflict, "NotEmpty", path: targetPath, "it has \(count) znodes that the source does not have",
            hint: "--prune deletes them")
        }
        try await allow(
          "Delete \(count) znodes under \(targetPath) that the source does not have", count: count, on: target.cluster)
      }, report: { try report($0) })
    if invocation.flag(.follow) {
      try await mirror.follow()
      return .success
    }
    let last = try await mirror.copy()
    _ = try report(last.omissions, last.failures, at: targetPath)
    guard last.isInStep else {
      throw ShellError(
        .partial, "Partial", path: targetPath, "the source changes faster than it can be copied",
        hint: "--follow copies changes as they happen")
    }
    return .success
  }

  private func side(
    _ root: String, _ client: ZooKeeperClient, _ ensemble: TreePlace.Ensemble
  ) -> TreeMirror.Side {
    let isUsed = Mutex(false)
    return TreeMirror.Side(root: root) { [reopen, openOther, openCluster] in
      let isAgain = isUsed.withLock { isUsed in
        defer { isUsed = true }
        return isUsed
      }
      guard isAgain else { return client }
      switch ensemble {
      case .present: return try await reopen()
      case .other(let other): return try await openOther(other)
      case .cluster(let cluster, _): return try await openCluster(cluster.name).0
      }
    }
  }

  private func report(_ report: TreeMirror.Report) throws(ShellError) {
    let now = WallClock.nowMilliseconds()
    switch report {
    case .compared(let comparison):
      try emit(.tree(.mirrored(comparison, milliseconds: now)))
      for (path, error) in comparison.failures.sorted(by: { $0.key < $1.key }).prefix(20) {
        try emit(.warning("\(path): \(ShellError(error).message)"))
      }
    case .copied(let count): try emit(.tree(.followed(count: count, milliseconds: now)))
    case .interrupted(let error): try emit(.warning("interrupted, and will continue: \(ShellError(error).text)"))
    }
    try flush()
  }
}
