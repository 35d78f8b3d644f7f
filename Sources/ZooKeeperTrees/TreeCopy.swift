internal import DequeModule
public import ZooKeeperClient
public import ZooKeeperProtocol

/// Creates the znodes of a source at another place as they are read. While some are written, the next ones are read.
///
/// Existing znodes are compared: the same data and ACL are accepted, so that an interrupted copy can be repeated;
/// anything else is a conflict, or is overwritten if requested.
public struct TreeCopy: Sendable {
  /// The treatment of existing znodes with other data or another ACL.
  public enum Overwriting: Sendable {
    /// They stay unchanged, and are reported as failures with NodeExists.
    case never
    /// They get the source's data and ACL.
    case always
    /// They stay unchanged, and are counted.
    case skips
  }

  /// The outcome so far.
  public struct Outcome: Sendable {
    public var createdCount = 0
    public var changedCount = 0
    /// Znodes that already had the right data and ACL.
    public var unchangedCount = 0
    /// Existing znodes that were skipped.
    public var skippedCount = 0
    /// Znodes of the target that could not be written, with the reasons.
    public var failures: [String: ZooKeeperError] = [:]

    /// The number of all znodes so far.
    public var count: Int { createdCount + changedCount + unchangedCount + skippedCount + failures.count }
  }

  /// The writer; nil while `writing` uses it.
  private var writer: ChunkWriter?
  private var writing: OwnedTask<ChunkWriter, any Error>?
  private var chunk: [TreeEntry] = []
  private var chunkBytes = 0
  /// The outcome after the last completed chunk.
  public private(set) var outcome = Outcome()

  /// The number of znodes, or of bytes of data, that are buffered before they are written.
  private static let chunkCount = 4000
  private static let chunkBytes = 8 << 20

  /// - Parameters:
  ///   - client: a session with the target's ensemble.
  ///   - root: the path for the source's root. Its parent must exist.
  ///   - expectsExisting: whether the target is known to have a znode there, so that existing znodes are read before
  ///     they are written.
  ///   - mayOverwrite: called with the number of znodes that have been or are about to be overwritten; throws if they
  ///     must not be.
  ///   - report: called with the number of znodes so far.
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

  /// Adds a znode, after its parent.
  ///
  /// - Throws: `ZooKeeperError` if the session fails, or the task is cancelled; what `mayOverwrite` throws. The error
  ///   can concern znodes that were added before.
  public mutating func add(_ entry: TreeEntry) async throws {
    chunk.append(entry)
    chunkBytes += entry.data?.count ?? 0
    if chunk.count >= Self.chunkCount || chunkBytes >= Self.chunkBytes { try await writeChunk() }
  }

  /// Writes the buffered znodes, and waits until all are written.
  ///
  /// - Throws: as `add`.
  public mutating func finish() async throws {
    try await writeChunk()
    try await settle()
    try await writer?.finish()
    if let writer { outcome = writer.outcome }
  }

  /// Starts to write the buffered znodes, after the previous ones have been written.
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

  /// Waits until the current chunk has been sent to the servers.
  private mutating func settle() async throws {
    guard let writing else { return }
    let writer = try await writing.value
    self.writing = nil
    outcome = writer.outcome
    self.writer = writer
  }

  /// Waits for writes in flight. Znodes that were added since then are not written.
  ///
  /// - Throws: as `add`.
  public mutating func abandon() async throws {
    try await settle()
    try await writer?.settle()
    if let writer { outcome = writer.outcome }
  }
}

/// Writes chunks of znodes of a copy.
private struct ChunkWriter: Sendable {
  let client: ZooKeeperClient
  let root: String
  let overwriting: TreeCopy.Overwriting
  let limits: TreeWriter.Limits
  let defaultACL: [ACL]
  let mayOverwrite: @Sendable (Int) async throws -> Void
  let report: @Sendable (Int) -> Void
  /// Whether the target may have existing znodes.
  var expectsExisting: Bool
  private(set) var outcome = TreeCopy.Outcome()
  private var writer: TreeWriter
  /// The chunks that are still being written, with the number of znodes that had been passed to the writer by then.
  private var unsettled: Deque<(entries: [TreeEntry], endCount: Int)> = []
  private var givenCount = 0
  /// The number of znodes that could not be written.
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

  /// Sends znodes to the servers. The last ones may still be in flight when it returns.
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

  /// Waits for znodes in flight.
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
      // Existing znodes were not expected, but there may be more.
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

  /// Compares znodes with existing ones, and overwrites or skips these as configured.
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
