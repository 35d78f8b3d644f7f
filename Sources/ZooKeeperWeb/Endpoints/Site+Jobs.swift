import JSONFormat
import NIOHTTP1
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperTrees

/// Endpoints for jobs on subtrees.
extension Site {
  /// GET /jobs
  func jobList() -> WebAnswer { .json(.array(jobs.all.map(\.document))) }

  /// GET /jobs/ID
  func job(_ id: String) throws(WebError) -> WebAnswer {
    guard let job = jobs.job(id) else { throw .notFound("there is no such job") }
    return .json(job.document)
  }

  /// DELETE /jobs/ID
  func stopJob(_ id: String) async throws -> WebAnswer {
    guard let job = jobs.job(id) else { throw WebError.notFound("there is no such job") }
    await job.stop()
    return .json(job.document, deed: "stop job \(job.id)")
  }

  private static func accepted(_ job: Job, _ deed: String) -> WebAnswer {
    .json(.object([("job", job.document)]), status: .accepted, deed: "\(deed) as job \(job.id)")
  }

  // MARK: Deleting

  /// The number of znodes that can be deleted without confirmation by the name of the root.
  private static let confirmationLimit = 1000

  /// DELETE /znode
  func delete(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    guard path != "/" else { throw WebError.badInput("the root cannot be deleted") }
    guard try request.query.flag("recursive") else {
      guard let version = try request.query.number("version", in: 0...Int64(Int32.max)) else {
        throw WebError.badInput("the parameter version is missing", hint: "give the version that was read")
      }
      try await client(of: request).delete(path, version: Int32(version))
      return .json(
        .object([("deleted", .string(path)), ("count", .number(1))]),
        deed: "delete \(AccessLog.quoted(path)) version \(version)")
    }
    guard let seen = try request.query.number("count", in: 1...Int64(WebLimits.countedZnodes)) else {
      throw WebError.badInput("the parameter count is missing", hint: "give the number of znodes that was shown")
    }
    let session = try session(of: request)
    let client = try await session.connected()
    let deletion = SubtreeDeletion(client: client, root: path, limits: .init(batchCount: 1000))
    let targets = try await walks.run("walks") { try await deletion.targets() }
    let difference = abs(targets.count - Int(seen))
    guard difference * 100 <= Int(seen) else {
      var error = WebError.conflict(
        "CountDiffers", "the subtree has \(targets.count) znodes now, not \(seen)", path: path)
      error.members = [("count", .number(targets.count))]
      throw error
    }
    if targets.count > Self.confirmationLimit, request.query["confirm"] != ZnodePath.name(of: path) {
      throw WebError.conflict(
        "NotConfirmed", "the subtree has \(targets.count) znodes: its name must be given as a confirmation",
        hint: "add confirm=\(ZnodePath.name(of: path))", path: path)
    }
    let job = try jobs.start(.delete, cluster: session.cluster.name, path: path, total: targets.count) { [jobs] job in
      try await Self.carryOut(deletion, targets, job, jobs)
    }
    return Self.accepted(job, "delete \(AccessLog.quoted(path)) and all under it, \(targets.count) znodes")
  }

  /// How many times a subtree is walked again if other clients add to it meanwhile.
  private static let sweepLimit = 5

  private static func carryOut(
    _ deletion: SubtreeDeletion, _ targets: [String], _ job: Job, _ jobs: JobTable
  ) async throws {
    var deletion = deletion
    let done = Progress()
    deletion.report = { more in
      let count = done.add(more)
      var counts = Job.Counts()
      counts.deleted = count
      job.advance(to: count, counts: counts)
    }
    try await deletion.delete(targets)
    for _ in 0..<sweepLimit where deletion.grewMeanwhile { try await deletion.delete(try await deletion.targets()) }
    var counts = Job.Counts()
    counts.deleted = deletion.count
    job.advance(to: deletion.count, counts: counts)
    jobs.note(deletion.failures, in: job)
  }

  // MARK: Copying

  /// The treatment of existing znodes of the target.
  enum Conflict: String, CaseIterable {
    case fail, skip, overwrite

    /// The same for a copy.
    var overwriting: TreeCopy.Overwriting {
      switch self {
      case .fail: .never
      case .skip: .skips
      case .overwrite: .always
      }
    }
  }

  /// POST /copy
  func copy(_ request: WebRequest) async throws -> WebAnswer {
    let fields = try RequestFields(
      request.body, known: ["from", "to", "toCluster", "move", "conflict", "dryRun"])
    let from = try Self.checked(try fields.text("from"))
    let to = try Self.checked(try fields.text("to"))
    let source = try session(of: request)
    let target = try fields.optionalText("toCluster").map { try session(named: $0) } ?? source
    if target !== source { try checkMayChange(target.cluster, request) }
    let (isMove, isDry) = (try fields.flag("move"), try fields.flag("dryRun"))
    let conflict = try fields.choice("conflict", default: Conflict.fail)
    guard !isMove || from != "/" else { throw WebError.badInput("the root cannot be moved") }
    guard target !== source || !ZnodePath.isWithin(from, to) && !ZnodePath.isWithin(to, from) else {
      throw WebError.badInput("\(from) and \(to) overlap")
    }
    let (reader, writer) = (try await source.connected(), try await target.connected())
    if try await reader.exists(from) == nil { throw ZooKeeperError(.server(.noNode), path: from) }
    let shown = target === source ? to : "\(target.cluster.name):\(to)"
    let job = try jobs.start(
      isMove ? .move : .copy, cluster: source.cluster.name, path: from, to: shown
    ) { [self] job in
      let tree = LiveTree(client: reader, root: from, includesEphemerals: false)
      let entries = try await copy(tree, to: writer, to, conflict, isDry: isDry, job)
      guard isMove, !isDry else { return }
      try await removeMoved(entries, from: from, reader, job)
    }
    return Self.accepted(
      job, "\(isMove ? "move" : "copy") \(AccessLog.quoted(from)) to \(AccessLog.quoted(shown))")
  }

  /// Copies the znodes of a source to a place.
  ///
  /// - Returns: the paths and versions of the copied znodes, parents before children.
  private func copy(
    _ source: some TreeSource, to client: ZooKeeperClient, _ root: String, _ conflict: Conflict,
    isDry: Bool, _ job: Job
  ) async throws -> [(path: String, version: Int32)] {
    var source = source
    var taken: [(path: String, version: Int32)] = []
    let exists = try await client.exists(root) != nil
    if !exists, !isDry { try await createParents(of: root, client) }
    var copy = TreeCopy(
      to: client, root: root, overwriting: conflict.overwriting, expectsExisting: exists,
      report: { job.advance(to: $0) })
    while let entry = try await source.next() {
      try Task.checkCancellation()
      guard root != "/" || !ZnodePath.isWithin("/" + entry.path, "/zookeeper") else { continue }
      taken.append((entry.path, entry.stat?.version ?? -1))
      if isDry { job.advance(to: taken.count) } else { try await copy.add(entry) }
    }
    if !isDry { try await copy.finish() }
    let outcome = copy.outcome
    var counts = Job.Counts()
    counts.created = outcome.createdCount
    counts.changed = outcome.changedCount
    counts.skipped = outcome.skippedCount + outcome.unchangedCount + source.omissions.ephemeralCount
    job.advance(to: taken.count, total: taken.count, counts: counts)
    jobs.note(source.omissions.failures, in: job)
    jobs.note(outcome.failures, in: job)
    return taken
  }

  /// Deletes the originals, if all were copied. A znode that has changed since has another version, and is kept.
  private func removeMoved(
    _ entries: [(path: String, version: Int32)], from root: String, _ client: ZooKeeperClient, _ job: Job
  ) async throws {
    guard !job.hasFailures else {
      throw WebError.conflict("Partial", "not all znodes could be copied, so none was deleted")
    }
    var writer = TreeWriter(client: client)
    for entry in entries.reversed() {
      let path = TreeEntry(path: entry.path, data: nil).absolutePath(under: root)
      try await writer.add(.delete(PathVersionRequest(path: path, version: entry.version)))
    }
    try await writer.finish()
    jobs.note(Dictionary(writer.failures.map { ($0.operation.path, $0.error) }) { $1 }, in: job)
  }

  // MARK: Files

  /// GET /export
  func export(_ request: WebRequest) async throws -> WebAnswer {
    let path = try path(of: request)
    let format = try request.query.choice("format", default: WebShell.FileFormat.jsonl)
    let client = try await client(of: request)
    if try await client.exists(path) == nil { throw ZooKeeperError(.server(.noNode), path: path) }
    guard walks.acquire() else { throw WebError.tooMany("too many walks are running") }
    let lease = WalkLease(walks)
    let name = (path == "/" ? "root" : ZnodePath.name(of: path)) + ".\(format.rawValue)"
    let type = format == .jsonl ? "application/jsonl" : "application/x-tar"
    return .download(
      .pieces { [settings] writer in
        defer { lease.end() }
        var tree = LiveTree(client: client, root: path)
        try await settings.shell.export(format, path, { try await tree.next() }) { try await writer.write($0) }
      }, name: name, type: type)
  }

  /// POST /import
  func importTree(_ request: WebRequest) async throws -> WebAnswer {
    let session = try session(of: request)
    let path = try path(of: request)
    let conflict = try request.query.choice("conflict", default: Conflict.fail)
    let isDry = try request.query.flag("dryRun")
    let format: WebShell.FileFormat
    switch try request.header("Content-Type")?.split(separator: ";").first {
    case "application/jsonl", "application/x-ndjson": format = .jsonl
    case "application/x-tar": format = .tar
    default:
      throw WebError.badInput(
        "the header Content-Type must be application/jsonl or application/x-tar")
    }
    let file: (entries: [TreeEntry], refusals: [(String, String)])
    do { file = try settings.shell.entries(format, request.body) } catch {
      var refusal = WebError(any: error, settings.shell)
      refusal.status = .badRequest
      throw refusal
    }
    let client = try await session.connected()
    let job = try jobs.start(
      .importTree, cluster: session.cluster.name, path: path, total: file.entries.count
    ) { [self] job in
      for (name, reason) in file.refusals { job.fail(.init(path: name, word: "Refused", message: reason)) }
      _ = try await copy(ListedTree(file.entries), to: client, path, conflict, isDry: isDry, job)
    }
    return Self.accepted(job, "import \(file.entries.count) znodes to \(AccessLog.quoted(path))")
  }
}
