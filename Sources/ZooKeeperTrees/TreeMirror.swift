public import ZooKeeperClient
import ZooKeeperProtocol

/// Makes a subtree like another one, and keeps it so.
///
/// Both are compared whole at first, after every gap in the events of the watch, and now and then. In between, the
/// events of a persistent recursive watch say what to copy. Changes of ACLs cause no events, so that they are copied
/// with the next comparison.
public struct TreeMirror: Sendable {
  /// One of the two subtrees.
  public struct Side: Sendable {
    /// The znode at which the subtree begins.
    public var root: String
    /// Opens a session; called again when the one before has ended.
    public var open: @Sendable () async throws -> ZooKeeperClient

    public init(root: String, open: @escaping @Sendable () async throws -> ZooKeeperClient) {
      self.root = root
      self.open = open
    }
  }

  /// What a comparison has found and done.
  public struct Comparison: Hashable, Sendable {
    public var createdCount = 0
    public var changedCount = 0
    public var deletedCount = 0
    /// The digest of each side as it was read, before anything was done about the differences.
    public var source = TreeDigest()
    public var target = TreeDigest()
    /// What of the source is not copied.
    public var omissions = TreeOmissions()
    /// Znodes of the target that could not be written, and why.
    public var failures: [String: ZooKeeperError] = [:]

    /// Whether both sides were found to be the same.
    public var isInStep: Bool { source == target && differenceCount == 0 && failures.isEmpty }
    /// How many znodes were not the same.
    public var differenceCount: Int { createdCount + changedCount + deletedCount }
  }

  /// What is reported.
  public enum Report: Sendable {
    case compared(Comparison)
    /// So many changes of the source were copied.
    case copied(Int)
    /// A connection or session failed; the mirror goes on when it can.
    case interrupted(ZooKeeperError)
  }

  let source: Side
  let target: Side
  /// How often both sides are compared while the source is followed.
  let comparesEvery: Duration
  /// Asked before the first znode of the target is deleted that the source does not have; throws if it must not be.
  let mayDelete: @Sendable (Int) async throws -> Void
  let report: @Sendable (Report) async throws -> Void

  /// So often both sides are compared by `run(follows: false)` before it gives up.
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

  /// Copies until both sides have been found to be the same.
  ///
  /// - Returns: the last comparison, which says whether they are: a source that is written to all the time may always
  ///   be ahead, and the target may have znodes that cannot be written.
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
  /// Lost connections and sessions are waited for. Cancellation is the only way to end it without an error.
  ///
  /// - Throws: `ZooKeeperError` for anything but a lost connection; what the closures throw.
  public func follow() async throws {
    var from = try await source.open()
    var to = try await target.open()
    var pause = Duration.milliseconds(200)
    // What the target has once it is like the source was copied from there, and goes with its original.
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

  /// A new session; nil if none can be had for the moment.
  private func reopened(_ side: Side) async throws -> ZooKeeperClient? {
    do {
      return try await side.open()
    } catch let error as ZooKeeperError where error.mayPass {
      try await report(.interrupted(error))
      return nil
    }
  }

  /// Compares both sides and then copies what the watch reports, until it has missed something.
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

  /// Compares both sides, and does what is needed for the target to be as the source was.
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
          // It went with its parent.
          guard error.code == .server(.noNode) else { throw error }
        }
      case (.absent, .absent): break
      // The next comparison reports it.
      case (.unreadable, _), (_, .unreadable): break
      }
    }
    try await writes.finish()
    // What could not be written will be found by the next comparison.
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
  /// So long events are gathered before they are looked at.
  let gathering = Duration.milliseconds(20)
  /// After so much time without a change both sides are compared.
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
      // Without a version: the source wins over whatever the target has.
      if wanted.data != present.data {
        try await writer.add(.setData(SetDataRequest(path: path, data: wanted.data, version: -1)))
      }
      if let acl = wanted.acl, !TreeEntry.areEqual(acl, present.acl) {
        acls.append(SetACLRequest(path: path, acl: acl, version: -1))
      }
    case .onlyRight(let entry): deletions.append(entry.absolutePath(under: root))
    }
  }

  /// Keeps the znodes of the target whose counterparts could not be read: they may well exist.
  mutating func keepWhat(_ omissions: TreeOmissions, of sourceRoot: String) {
    deletions.removeAll { omissions.mayHave(TreeEntry.relative($0, to: root), under: sourceRoot) }
  }

  /// Carries out what remains; znodes are deleted at the end, children before their parents.
  mutating func finish() async throws(ZooKeeperError) {
    for path in deletions.reversed() { try await writer.add(.delete(PathVersionRequest(path: path, version: -1))) }
    try await writer.finish()
    for (operation, error) in writer.failures {
      // One that is gone, or there, already is what was wanted.
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
  /// Whether the failure may pass by itself: connections come back, and sessions can be opened anew.
  fileprivate var mayPass: Bool {
    switch code {
    case .connectionLoss, .cannotConnect, .sessionExpired, .timedOut, .eventOverflow, .closed: true
    case .server(let code): [.connectionLoss, .sessionExpired, .sessionMoved, .throttledOp].contains(code)
    default: false
    }
  }
}
