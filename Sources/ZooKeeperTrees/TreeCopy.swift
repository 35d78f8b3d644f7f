internal import DequeModule
public import ZooKeeperClient
public import ZooKeeperProtocol

/// Creates the znodes of a source at another place, as they come. While some are written, the next ones are taken.
///
/// What is there already is compared: the same data and ACL is fine, so that a copy that was interrupted can be
/// repeated; anything else is a conflict, or is overwritten where that is asked for.
public struct TreeCopy: Sendable {
  /// What is done about znodes that the target has already, with other data or another ACL.
  public enum Overwriting: Sendable {
    /// They stay as they are, and are failures with NodeExists.
    case never
    /// They get the source's data and ACL.
    case always
    /// They stay as they are, and are counted.
    case skips
  }

  /// What has been done so far.
  public struct Outcome: Sendable {
    public var createdCount = 0
    public var changedCount = 0
    /// Znodes that were as they should be.
    public var unchangedCount = 0
    /// Znodes that were left as they are because that was asked for.
    public var skippedCount = 0
    /// Znodes of the target that could not be written, and why.
    public var failures: [String: ZooKeeperError] = [:]

    /// All that has been looked at.
    public var count: Int { createdCount + changedCount + unchangedCount + skippedCount + failures.count }
  }

  /// What writes the znodes; nil while `writing` has it.
  private var writer: ChunkWriter?
  private var writing: OwnedTask<ChunkWriter, any Error>?
  private var chunk: [TreeEntry] = []
  private var chunkBytes = 0
  /// What had been done when the last znodes that were written were complete.
  public private(set) var outcome = Outcome()

  /// So many znodes, or so many bytes of data, are taken before they are written.
  private static let chunkCount = 4000
  private static let chunkBytes = 8 << 20

  /// - Parameters:
  ///   - client: a session with the target's ensemble.
  ///   - root: where the source's root goes. Its parent must exist.
  ///   - expectsExisting: whether the target is known to have a znode there, so that it is looked at before it is
  ///     written.
  ///   - mayOverwrite: is told how many znodes have been and are about to be overwritten; throws if they must not be.
  ///   - report: is told how many znodes have been looked at.
  public init(
    to client: ZooKeeperClient, root: String, overwriting: Overwriting = .never, expectsExisting: Bool,
    limits: TreeWriter.Limits = .init(), defaultACL: [ACL] = ACL.openUnsafe,
    mayOverwrite: @escaping @Sendable (Int) async throws -> Void = { _ in },
    report: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    writer = ChunkWriter(
      client: client, root: root, overwriting: overwriting, limits: limits, defaultACL: defaultACL,
      mayOverwrite: mayOverwrite, report: report, expectsExisting: expectsExisting)
  }

  /// Takes a znode, after its parent.
  ///
  /// - Throws: `ZooKeeperError` if the session fails, or the task is cancelled; what `mayOverwrite` throws. It may be
  ///   about znodes that were taken before.
  public mutating func add(_ entry: TreeEntry) async throws {
    chunk.append(entry)
    chunkBytes += entry.data?.count ?? 0
    if chunk.count >= Self.chunkCount || chunkBytes >= Self.chunkBytes { try await writeChunk() }
  }

  /// Writes what was taken, and waits until it is written.
  ///
  /// - Throws: as `add`.
  public mutating func finish() async throws {
    try await writeChunk()
    try await settle()
    try await writer?.finish()
    if let writer { outcome = writer.outcome }
  }

  /// Begins to write what was taken, once what was taken before it is written.
  private mutating func writeChunk() async throws {
    try await settle()
    guard let writer, !chunk.isEmpty else { return }
    self.writer = nil
    let entries = chunk
    chunk = []
    chunkBytes = 0
    writing = OwnedTask(
      Task {
        var writer = writer
        try await writer.write(entries)
        return writer
      })
  }

  /// Waits until what was taken is on its way to the servers, except for what has not been begun.
  private mutating func settle() async throws {
    guard let writing else { return }
    let writer = try await writing.value
    self.writing = nil
    outcome = writer.outcome
    self.writer = writer
  }

  /// Waits for what is being written. What was taken since then is not begun.
  ///
  /// - Throws: as `add`.
  public mutating func abandon() async throws {
    try await settle()
    try await writer?.settle()
    if let writer { outcome = writer.outcome }
  }
}

/// Writes some znodes of a copy after the other.
private struct ChunkWriter: Sendable {
  let client: ZooKeeperClient
  let root: String
  let overwriting: TreeCopy.Overwriting
  let limits: TreeWriter.Limits
  let defaultACL: [ACL]
  let mayOverwrite: @Sendable (Int) async throws -> Void
  let report: @Sendable (Int) -> Void
  /// Whether the target may have znodes already.
  var expectsExisting: Bool
  private(set) var outcome = TreeCopy.Outcome()
  private var writer: TreeWriter
  /// The znodes of which some are still being written, and how many had been given to the writer with them.
  private var unsettled: Deque<(entries: [TreeEntry], endCount: Int)> = []
  private var givenCount = 0
  /// How many of them could not be written.
  private var failedCount = 0

  init(
    client: ZooKeeperClient, root: String, overwriting: TreeCopy.Overwriting, limits: TreeWriter.Limits,
    defaultACL: [ACL], mayOverwrite: @escaping @Sendable (Int) async throws -> Void,
    report: @escaping @Sendable (Int) -> Void, expectsExisting: Bool
  ) {
    self.client = client
    self.root = root
    self.overwriting = overwriting
    self.limits = limits
    self.defaultACL = defaultACL
    self.mayOverwrite = mayOverwrite
    self.report = report
    self.expectsExisting = expectsExisting
    writer = TreeWriter(client: client, limits: limits)
  }

  /// Gives znodes to the servers. The last ones may still be on their way when it returns.
  mutating func write(_ entries: [TreeEntry]) async throws {
    var missing = entries
    if expectsExisting { missing = try await reconcile(missing) }
    givenCount += missing.count
    unsettled.append((missing, givenCount))
    for entry in missing { try await writer.add(creation(of: entry)) }
    try await takeOutcomes()
  }

  /// Waits until all znodes are written.
  mutating func finish() async throws {
    try await writer.finish()
    try await takeOutcomes()
  }

  /// Waits until those znodes are written that are on their way.
  mutating func settle() async throws {
    try await writer.settle()
    try await takeOutcomes()
  }

  private mutating func takeOutcomes() async throws {
    outcome.createdCount = writer.doneCount
    var existing: Set<String> = []
    for (operation, error) in writer.failures {
      if error.code == .server(.nodeExists) {
        existing.insert(operation.path)
      } else {
        outcome.failures[operation.path] = error
      }
    }
    failedCount += writer.failures.count
    writer.forgetFailures()
    if !existing.isEmpty {
      // They were not expected, but more may come.
      expectsExisting = true
      let entries = unsettled.flatMap(\.entries).filter { existing.contains($0.absolutePath(under: root)) }
      for entry in try await reconcile(entries) {
        let path = entry.absolutePath(under: root)
        outcome.failures[path] = ZooKeeperError(.server(.nodeExists), path: path)
      }
    }
    while let first = unsettled.first, first.endCount <= failedCount + writer.doneCount { unsettled.removeFirst() }
    report(outcome.count)
  }

  private func creation(of entry: TreeEntry) -> MultiOperation {
    let request = CreateRequest(
      path: entry.absolutePath(under: root), data: entry.data, acl: entry.acl ?? defaultACL, flags: entry.mode.flags)
    return switch entry.mode {
    case .container: .createContainer(request)
    case .persistentTTL(let milliseconds):
      .createTTL(CreateTTLRequest(create: request, ttlMilliseconds: milliseconds))
    default: .create(request)
    }
  }

  /// Compares znodes with those that the target has, and overwrites or skips these as asked for.
  ///
  /// - Returns: the znodes that the target does not have.
  private mutating func reconcile(_ entries: [TreeEntry]) async throws -> [TreeEntry] {
    let paths = entries.map { $0.absolutePath(under: root) }
    let reads = paths.flatMap { [ZnodeRead.data(path: $0), .acl(path: $0)] }
    let readings = try await client.readAllDespiteLoss(reads)
    var missing: [TreeEntry] = []
    var changes = TreePlan(root: root)
    var changedPaths: Set<String> = []
    for (index, entry) in entries.enumerated() {
      var present = TreeEntry(path: entry.path, data: nil)
      do throws(ZooKeeperError) {
        for reading in readings[(2 * index)...(2 * index + 1)] {
          switch try reading.get() {
          case .data(let data, let stat): (present.data, present.stat) = (data, stat)
          case .acl(let acl, _): present.acl = acl
          case .stat, .children: break
          }
        }
      } catch {
        if error.code == .server(.noNode) {
          missing.append(entry)
        } else if error.concernsOneZnode {
          outcome.failures[paths[index]] = error
        } else {
          throw error
        }
        continue
      }
      if entry.hasSameContent(as: present) {
        outcome.unchangedCount += 1
      } else {
        switch overwriting {
        case .never:
          outcome.failures[paths[index]] = ZooKeeperError(.server(.nodeExists), path: paths[index])
        case .skips: outcome.skippedCount += 1
        case .always:
          changes.add(.changed(left: entry, right: present), prunes: false)
          changedPaths.insert(paths[index])
        }
      }
    }
    guard !changedPaths.isEmpty else { return missing }
    try await mayOverwrite(outcome.changedCount + changedPaths.count)
    let failures = try await changes.carryOutEach(on: client, limits: limits).failures
    outcome.failures.merge(failures) { $1 }
    outcome.changedCount += changedPaths.count { failures[$0] == nil }
    return missing
  }
}
