public import ZooKeeperClient
public import ZooKeeperProtocol

/// The writes that make one subtree equal to another, each conditional on the version that the comparison has seen.
public struct TreePlan: Sendable {
  /// One write, with the path on the ensemble.
  public enum Step: Hashable, Sendable {
    case create(path: String, data: [UInt8]?, acl: [ACL])
    /// `old` is the former data, to show the difference.
    case setData(path: String, data: [UInt8]?, old: [UInt8]?, version: Int32)
    /// `version` is that of the ACL.
    case setACL(path: String, acl: [ACL], old: [ACL], version: Int32)
    case delete(path: String, version: Int32)

    /// The znode.
    public var path: String {
      switch self {
      case .create(let path, _, _), .setData(let path, _, _, _), .setACL(let path, _, _, _), .delete(let path, _):
        path
      }
    }
  }

  /// In the order in which they are carried out: a parent is created before its children and deleted after them.
  public private(set) var steps: [Step] = []
  private var deletions: [Step] = []
  private let root: String
  private let defaultACL: [ACL]

  /// A plan with given steps.
  public init(steps: [Step]) {
    self.init(root: "/")
    self.steps = steps
  }

  /// A plan for the subtree at `root`.
  ///
  /// - Parameter defaultACL: the ACL of new znodes whose own is unknown.
  public init(root: String, defaultACL: [ACL] = ACL.openUnsafe) {
    self.root = root
    self.defaultACL = defaultACL
  }

  /// Computes the plan that makes `target` equal to `source`.
  ///
  /// - Parameters:
  ///   - sourceRoot: the root of a source on an ensemble, otherwise `/`.
  ///   - prunes: whether znodes are deleted that only the target has.
  ///   - report: called with the number of compared znodes.
  /// - Throws: what reading the two throws.
  public static func making<Source: TreeSource, Target: TreeSource>(
    _ target: Target, at root: String, like source: Source, at sourceRoot: String, prunes: Bool,
    report: (Int) -> Void = { _ in }
  ) async throws -> (plan: TreePlan, source: TreeOmissions, target: TreeOmissions) {
    var plan = TreePlan(root: root)
    var comparison = TreeComparison(source, target)
    var count = 0
    while let difference = try await comparison.next() {
      plan.add(difference, prunes: prunes)
      count += 1
      report(count)
    }
    // Znodes that could not be read may exist.
    let omissions = comparison.left.omissions
    plan.deletions.removeAll {
      omissions.mayHave(TreeEntry.relative($0.path, to: root), under: sourceRoot)
    }
    plan.close()
    return (plan, comparison.left.omissions, comparison.right.omissions)
  }

  /// Adds what one difference requires.
  mutating func add(_ difference: TreeDifference, prunes: Bool) {
    switch difference {
    case .same: break
    case .onlyLeft(let entry):
      steps.append(
        .create(path: entry.absolutePath(under: root), data: entry.data, acl: entry.acl ?? defaultACL))
    case .onlyRight(let entry):
      guard prunes, let stat = entry.stat, stat.ephemeralOwner == .none else { return }
      deletions.append(.delete(path: entry.absolutePath(under: root), version: stat.version))
    case .changed(let wanted, let present):
      guard let stat = present.stat else { return }
      let path = wanted.absolutePath(under: root)
      if !wanted.hasSameData(as: present) {
        steps.append(.setData(path: path, data: wanted.data, old: present.data, version: stat.version))
      }
      if let acl = wanted.acl, !TreeEntry.areEqual(acl, present.acl) {
        steps.append(.setACL(path: path, acl: acl, old: present.acl ?? [], version: stat.aversion))
      }
    }
  }

  /// Appends the deletions after all other steps, children before parents.
  mutating func close() {
    steps += deletions.reversed()
    deletions = []
  }

  /// Whether all steps fit into one transaction, so that they are carried out together or not at all.
  ///
  /// ACLs cannot be set in a transaction.
  public func isAtomic(limits: TreeWriter.Limits) -> Bool {
    guard steps.count <= limits.batchCount else { return false }
    var bytes = 0
    for step in steps {
      guard let operation = step.operation else { return false }
      bytes += operation.approximateBytes
    }
    return bytes <= limits.batchBytes
  }

  /// Carries out the plan.
  ///
  /// - Returns: the number of steps that were carried out, and those that failed, with the reasons. A znode that has
  ///   changed since the comparison stays unchanged, and is among these with BadVersion.
  /// - Throws: `rolledBack` if all steps fit into one transaction and it failed: nothing was changed then.
  public func carryOut(
    on client: ZooKeeperClient, limits: TreeWriter.Limits = .init(),
    report: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws(ZooKeeperError) -> (doneCount: Int, failures: [String: ZooKeeperError]) {
    if isAtomic(limits: limits) {
      try await client.multi(steps.compactMap(\.operation))
      report(steps.count)
      return (steps.count, [:])
    }
    return try await carryOutEach(on: client, limits: limits, report: report)
  }

  /// Carries out the steps so that a failure concerns one znode only.
  func carryOutEach(
    on client: ZooKeeperClient, limits: TreeWriter.Limits = .init(),
    report: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws(ZooKeeperError) -> (doneCount: Int, failures: [String: ZooKeeperError]) {
    var writer = TreeWriter(client: client, limits: limits, report: report)
    var acls: [SetACLRequest] = []
    for step in steps {
      if let operation = step.operation {
        try await writer.add(operation)
      } else if case .setACL(let path, let acl, _, let version) = step {
        acls.append(SetACLRequest(path: path, acl: acl, version: version))
      }
    }
    try await writer.finish()
    var failures: [String: ZooKeeperError] = [:]
    var doneCount = writer.doneCount
    for (operation, error) in writer.failures { failures[operation.path] = error }
    for (request, result) in zip(acls, try await client.setACLsDespiteLoss(acls)) {
      switch result {
      case .success: doneCount += 1
      case .failure(let error):
        guard error.concernsOneZnode else { throw error }
        failures[request.path] = error
      }
    }
    return (doneCount, failures)
  }
}

extension TreePlan.Step {
  /// The operation of a transaction that carries the step out; nil for an ACL.
  var operation: MultiOperation? {
    switch self {
    case .create(let path, let data, let acl): .create(CreateRequest(path: path, data: data, acl: acl, flags: 0))
    case .setData(let path, let data, _, let version):
      .setData(SetDataRequest(path: path, data: data, version: version))
    case .setACL: nil
    case .delete(let path, let version): .delete(PathVersionRequest(path: path, version: version))
    }
  }
}
