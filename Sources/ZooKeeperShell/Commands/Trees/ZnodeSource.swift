import ZooKeeperClient
import ZooKeeperHistory
import ZooKeeperProtocol
import ZooKeeperTrees

/// The source of znodes for commands that only read: an ensemble, or a past state.
enum ZnodeSource: Sendable {
  case live(ZooKeeperClient)
  case past(PastState)

  /// A reader of a subtree.
  ///
  /// - Throws: NoNode if a past state does not have the znode; on an ensemble, the first read throws it.
  func reader(
    of root: String, reading details: TreeReader.Details = [], inFlight: Int = 64, maximumDepth: Int? = nil,
    skipsServersOwn: Bool = false
  ) throws(ZooKeeperError) -> ZnodeReader {
    switch self {
    case .live(let client):
      return ZnodeReader(
        TreeReader(
          client: client, root: root, reading: details, inFlight: inFlight, maximumDepth: maximumDepth,
          skipsServersOwn: skipsServersOwn))
    case .past(let state):
      let walk = state.walk(
        from: root, readsData: details.contains(.data), readsACLs: details.contains(.acl),
        maximumDepth: maximumDepth ?? .max, skipsServersOwn: skipsServersOwn)
      guard let walk else { throw ZooKeeperError(.server(.noNode), path: root) }
      return ZnodeReader(walk)
    }
  }

  /// Whether there is a znode.
  func exists(_ path: String) async throws(ZooKeeperError) -> Bool {
    switch self {
    case .live(let client): try await client.exists(path) != nil
    case .past(let state): state.exists(path)
    }
  }

  /// The names of the children of each znode.
  func childNames(ofAll paths: [String]) async -> [Result<[String], ZooKeeperError>] {
    switch self {
    case .live(let client): await client.getChildren2(ofAll: paths).map { $0.map(\.children) }
    case .past(let state):
      paths.map { path in
        state.childNames(of: path).map(Result.success) ?? .failure(ZooKeeperError(.server(.noNode), path: path))
      }
    }
  }

  /// Which of the znodes exist.
  ///
  /// - Throws: the error of a znode for which that cannot be determined.
  func existing(among paths: [String]) async throws(ZooKeeperError) -> [String] {
    guard case .live(let client) = self else {
      var found: [String] = []
      for path in paths where try await exists(path) { found.append(path) }
      return found
    }
    var found: [String] = []
    for (path, stat) in zip(paths, await client.stats(ofAll: paths)) {
      switch stat {
      case .success: found.append(path)
      case .failure(let error): guard error.code == .server(.noNode) else { throw error }
      }
    }
    return found
  }
}

/// Reads a subtree of an ensemble or of the past, in the order of `TreeReader`.
struct ZnodeReader {
  /// The znode at which the subtree begins.
  let root: String
  // Two optionals instead of an enum, so that neither is copied for each step.
  private var live: TreeReader?
  private var past: PastWalk?

  init(_ live: TreeReader) {
    root = live.root
    self.live = live
  }

  init(_ past: PastWalk) {
    root = past.root
    self.past = past
  }

  /// The number of znodes that were deleted while the subtree was read.
  var vanishedCount: Int { live?.vanishedCount ?? 0 }

  /// Whether the znode that was just returned has a sibling after all its descendants.
  func hasSibling(after path: String) -> Bool { live?.hasSibling(after: path) ?? past?.hasNextSibling ?? false }

  /// The next znode; nil at the end.
  mutating func next() async throws(ZooKeeperError) -> TreeReader.Item? {
    guard past != nil else { return try await live?.next() }
    if Task.isCancelled { throw ZooKeeperError(.cancelled(outcomeUnknown: false), path: root) }
    return past?.next().map { .node(TreeNode($0)) }
  }
}

extension TreeNode {
  /// A znode of a past state.
  init(_ znode: PastZnode) { self.init(path: znode.path, stat: znode.stat, data: znode.data, acl: znode.acl) }
}
