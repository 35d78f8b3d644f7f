public import ZooKeeperClient
import ZooKeeperProtocol

/// Makes a subtree equal to another one, and keeps it so.
///
/// Both are compared completely at the start, after every gap in the events of the watch, and at regular intervals. In
/// between, the events of a persistent recursive watch show what to copy. Changes of ACLs cause no events, so they are
/// copied with the next comparison.
public struct TreeMirror: Sendable {
  /// One of the two subtrees.
  public struct Side: Sendable {
    /// The znode at which the subtree begins.
    public var root: String
    /// Opens a session; called again after the previous one has ended.
    public var open: @Sendable () async throws -> ZooKeeperClient

    public init(root: String, open: @escaping @Sendable () async throws -> ZooKeeperClient) {
      self.root = root
      self.open = open
    }
  }

  /// The result of a comparison.
  public struct Comparison: Hashable, Sendable {
    public var createdCount = 0
    public var changedCount = 0
    public var deletedCount = 0
    /// The digest of each side before the differences were resolved.
    public var source = TreeDigest()
    public var target = TreeDigest()
    /// Parts of the source that are not copied.
    public var omissions = TreeOmissions()
    /// Znodes of the target that could not be written, with the reasons.
    public var failures: [String: ZooKeeperError] = [:]

    /// Whether both sides were equal.
    public var isInStep: Bool { source == target && differenceCount == 0 && failures.isEmpty }
    /// The number of znodes that differed.
    public var differenceCount: Int { createdCount + changedCount + deletedCount }
  }

  /// The reports of a mirror.
  public enum Report: Sendable {
    case compared(Comparison)
    /// A number of changes of the source were copied.
    case copied(Int)
    /// A connection or session failed; the mirror continues when possible.
    case interrupted(ZooKeeperError)
  }

  let source: Side
  let target: Side
  /// The interval of comparisons while the source is followed.
  let comparesEvery: Duration
  /// Called before the first znode of the target is deleted that the source does not have; throws if it must not be.
  let mayDelete: @Sendable (Int) async throws -> Void
  let report: @Sendable (Report) async throws -> Void

  /// The maximum number of comparisons by `copy`.
  private static let roundLimit = 5

  public init(
    from source: Side, to target: Side, comparesEvery: Duration = .seconds(60),
    mayDelete: @escaping @Sendable (Int) async throws -> Void,
    report: @escaping @Sendable (Report) async throws -> Void
  ) {
    self.source = source
    self.target = target
    self.comparesEvery = comparesEvery
    self.mayDelete = mayDelete
    self.report = report
  }

  /// Copies until both sides are equal.
  ///
  /// - Returns: the last comparison, which shows whether they are: a source may be changed continuously, and the target
  ///   may have znodes that cannot be written.
  public func copy() async throws -> Comparison {
    let (from, to) = (try await source.open(), try await target.open())
    var last = Comparison()
    for round in 0..<Self.roundLimit {
      last = try await compare(from, to, asks: round == 0)
      try await report(.compared(last))
      if last.isInStep || !last.failures.isEmpty { break }
    }
    return last
  }

  /// Copies, and follows the source until the task is cancelled.
  ///
  /// Lost connections and sessions are re-established. Cancellation is the only way to end it without an error.
  ///
  /// - Throws: `ZooKeeperError`, except for a lost connection; what the closures throw.
  public func follow() async throws {
    var from = try await source.open()
    var to = try await target.open()
    var pause = Duration.milliseconds(200)
    // After the first comparison, deletions need no permission, because everything in the target was copied from the
    // source.
    var asks = true
    while true {
      do {
        try await followUntilGap(from, to, asks: &asks)
        pause = .milliseconds(200)
      } catch let error as ZooKeeperError where error.mayPass {
        try await report(.interrupted(error))
      }
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .seconds(5))
      if await from.isOver { from = try await reopened(source) ?? from }
      if await to.isOver { to = try await reopened(target) ?? to }
    }
  }

  /// A new session; nil if none can be opened at present.
  private func reopened(_ side: Side) async throws -> ZooKeeperClient? {
    do {
      return try await side.open()
    } catch let error as ZooKeeperError where error.mayPass {
      try await report(.interrupted(error))
      return nil
    }
  }

  /// Compares both sides and then copies the changes that the watch reports, until some may be missing.
  private func followUntilGap(
    _ from: ZooKeeperClient, _ to: ZooKeeperClient, asks: inout Bool
  ) async throws {
    let inbox = ChangedPaths()
    let events = try await from.addWatch(source.root, mode: .persistentRecursive)
    let filling = Task { await inbox.fill(from: events) }
    defer { filling.cancel() }
    var comparison = try await compare(from, to, asks: asks)
    asks = false
    try await report(.compared(comparison))
    let timer = MirrorTimer(every: comparesEvery)
    var lastComparison = ContinuousClock.now
    var lastChange = comparison.isInStep ? nil : lastComparison
    while true {
      try await Task.sleep(for: timer.gathering)
      let (paths, hasGap) = inbox.take()
      if hasGap { return }
      if !paths.isEmpty {
        try await copy(paths, from, to)
        lastChange = .now
      }
      let now = ContinuousClock.now
      let isQuiet = lastChange.map { now - $0 > timer.quiet } ?? false
      if isQuiet || now - lastComparison > comparesEvery {
        comparison = try await compare(from, to, asks: false)
        try await report(.compared(comparison))
        lastComparison = .now
        lastChange = comparison.isInStep || !comparison.failures.isEmpty ? nil : lastComparison
      }
    }
  }

  /// Compares both sides, and makes the target equal to the source.
  ///
  /// - Parameter asks: whether deletions need permission.
  private func compare(
    _ from: ZooKeeperClient, _ to: ZooKeeperClient, asks: Bool
  ) async throws -> Comparison {
    var outcome = Comparison()
    var writes = MirrorWrites(root: target.root, client: to)
    var targetTree = LiveTree(client: to, root: target.root)
    if try await to.statDespiteLoss(target.root) == nil { targetTree = .none(at: target.root, to) }
    var comparison = TreeComparison(
      LiveTree(client: from, root: source.root), targetTree, computesDigests: true)
    while let difference = try await comparison.next() {
      try await writes.add(difference)
    }
    outcome.source = comparison.digests.left
    outcome.target = comparison.digests.right
    outcome.omissions = comparison.left.omissions
    outcome.failures = comparison.right.omissions.failures
    writes.keepWhat(outcome.omissions, of: source.root)
    if asks, !writes.deletions.isEmpty { try await mayDelete(writes.deletions.count) }
    try await writes.finish()
    outcome.createdCount = writes.createdCount
    outcome.changedCount = writes.changedPaths.count
    outcome.deletedCount = writes.deletions.count
    outcome.failures.merge(writes.failures) { $1 }
    return outcome
  }

  /// Copies single znodes that have changed.
  private func copy(_ changed: Set<String>, _ from: ZooKeeperClient, _ to: ZooKeeperClient) async throws {
    let paths = changed.map { TreeEntry.relative($0, to: source.root) }.sorted(by: ZnodePath.precedes)
    let wanted = try await read(paths, under: source.root, from)
    let present = try await read(paths, under: target.root, to)
    var writes = MirrorWrites(root: target.root, client: to)
    for (path, (wanted, present)) in zip(paths, zip(wanted, present)) {
      switch (wanted, present) {
      case (.entry(let wanted), .entry(let present)):
        if !wanted.hasSameContent(as: present) { try await writes.add(.changed(left: wanted, right: present)) }
      case (.entry(let wanted), .absent): try await writes.add(.onlyLeft(wanted))
      case (.absent, .entry):
        var tree = LiveTree(client: to, root: TreeEntry.absolute(path, under: target.root), readsACLs: false)
        do throws(ZooKeeperError) {
          while var entry = try await tree.next() {
            entry.path = TreeEntry.joined(path, entry.path)
            try await writes.add(.onlyRight(entry))
          }
        } catch {
          // It was deleted with its parent.
          guard error.code == .server(.noNode) else { throw error }
        }
      case (.absent, .absent): break
      // The next comparison reports it.
      case (.unreadable, _), (_, .unreadable): break
      }
    }
    try await writes.finish()
    // The next comparison finds znodes that could not be written.
    try await report(.copied(paths.count))
  }

  /// A znode with its data and its ACL.
  private enum Reading {
    case entry(TreeEntry)
    /// It does not exist, or is ephemeral.
    case absent
    case unreadable
  }

  private func read(
    _ paths: [String], under root: String, _ client: ZooKeeperClient
  ) async throws(ZooKeeperError) -> [Reading] {
    let reads = paths.flatMap { path in
      let absolute = TreeEntry.absolute(path, under: root)
      return [ZnodeRead.data(path: absolute), .acl(path: absolute)]
    }
    let readings = try await client.readAllDespiteLoss(reads)
    var entries: [Reading] = []
    for (index, path) in paths.enumerated() {
      do throws(ZooKeeperError) {
        guard case .data(let data, let stat) = try readings[2 * index].get(),
          case .acl(let acl, _) = try readings[2 * index + 1].get(), stat.ephemeralOwner == .none
        else {
          entries.append(.absent)
          continue
        }
        entries.append(.entry(TreeEntry(path: path, data: data, acl: acl, stat: stat)))
      } catch {
        guard error.concernsOneZnode else { throw error }
        entries.append(error.code == .server(.noNode) ? .absent : .unreadable)
      }
    }
    return entries
  }
}

/// The intervals of a mirror.
private struct MirrorTimer {
  /// How long events are collected before they are processed.
  let gathering = Duration.milliseconds(20)
  /// The time without a change after which both sides are compared.
  let quiet: Duration

  init(every interval: Duration) { quiet = min(.seconds(1), interval / 4) }
}

/// The writes to a mirror's target.
private struct MirrorWrites {
  let root: String
  let client: ZooKeeperClient
  private var writer: TreeWriter
  private var acls: [SetACLRequest] = []
  private var creations: Set<String> = []
  private(set) var changedPaths: Set<String> = []
  /// In the order of the tree.
  private(set) var deletions: [String] = []
  private(set) var failures: [String: ZooKeeperError] = [:]
  private(set) var createdCount = 0

  init(root: String, client: ZooKeeperClient) {
    self.root = root
    self.client = client
    writer = TreeWriter(client: client)
  }

  mutating func add(_ difference: TreeDifference) async throws(ZooKeeperError) {
    switch difference {
    case .same: break
    case .onlyLeft(let entry):
      createdCount += 1
      let path = entry.absolutePath(under: root)
      try await writer.add(
        .create(CreateRequest(path: path, data: entry.data, acl: entry.acl ?? ACL.openUnsafe, flags: 0)))
    case .changed(let wanted, let present):
      let path = wanted.absolutePath(under: root)
      changedPaths.insert(path)
      // Without a version, because the source takes precedence over changes in the target.
      if wanted.data != present.data {
        try await writer.add(.setData(SetDataRequest(path: path, data: wanted.data, version: -1)))
      }
      if let acl = wanted.acl, !TreeEntry.areEqual(acl, present.acl) {
        acls.append(SetACLRequest(path: path, acl: acl, version: -1))
      }
    case .onlyRight(let entry): deletions.append(entry.absolutePath(under: root))
    }
  }

  /// Keeps znodes of the target whose counterparts could not be read, because these may exist.
  mutating func keepWhat(_ omissions: TreeOmissions, of sourceRoot: String) {
    deletions.removeAll { omissions.mayHave(TreeEntry.relative($0, to: root), under: sourceRoot) }
  }

  /// Carries out the remaining writes; znodes are deleted at the end, children before their parents.
  mutating func finish() async throws(ZooKeeperError) {
    for path in deletions.reversed() { try await writer.add(.delete(PathVersionRequest(path: path, version: -1))) }
    try await writer.finish()
    for (operation, error) in writer.failures {
      // A znode that is already deleted, or already exists, is not a failure.
      if case .delete = operation, error.code == .server(.noNode) { continue }
      failures[operation.path] = error
    }
    for (request, result) in zip(acls, try await client.setACLsDespiteLoss(acls)) {
      guard case .failure(let error) = result else { continue }
      guard error.concernsOneZnode else { throw error }
      failures[request.path] = error
    }
  }
}

extension ZooKeeperClient {
  /// Whether the session can never be used again.
  fileprivate var isOver: Bool {
    get async { [.expired, .authFailed, .closed].contains(await snapshot().state) }
  }
}

extension ZooKeeperError {
  /// Whether the failure may be temporary: connections can be re-established, and sessions can be opened again.
  fileprivate var mayPass: Bool {
    switch code {
    case .connectionLoss, .cannotConnect, .sessionExpired, .timedOut, .eventOverflow, .closed: true
    case .server(let code): [.connectionLoss, .sessionExpired, .sessionMoved, .throttledOp].contains(code)
    default: false
    }
  }
}
