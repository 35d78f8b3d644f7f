package import TxnLog
internal import ZnodeTree
package import ZooKeeperProtocol

/// The tree as it was at a moment, and the sessions that were open then.
///
/// *Thread*: one at a time.
package struct PastState: @unchecked Sendable {
  // @unchecked: the tree does not change after the initialization. Reading it only changes a cache of the last long
  // path, which one thread does at a time.

  let tree: DataTree
  /// The last transaction in it.
  package let zxid: Zxid
  /// The time of that transaction in milliseconds since 1970; nil if the log does not contain it.
  package let timeMilliseconds: Int64?
  /// The open sessions, with their timeouts in milliseconds.
  package let sessions: [SessionID: Int32]
  /// The snapshot that it was built from; nil if the log was enough.
  package let snapshot: ZxidFile?
  /// The number of transactions that were applied to the snapshot.
  package let replayedCount: Int
  /// The findings.
  package let findings: [HistoryFinding]

  /// The number of znodes, including the root.
  package var znodeCount: Int { tree.znodeCount }

  /// Whether a znode existed.
  package func exists(_ path: String) -> Bool { tree.find(path) != nil }

  /// A znode with its data and its ACL; nil if it did not exist.
  package func znode(at path: String) -> PastZnode? {
    tree.find(path).map { PastZnode($0, path: path, in: tree, readsData: true, readsACL: true) }
  }

  /// The names of a znode's children, sorted by their bytes; nil if the znode did not exist.
  package func childNames(of path: String) -> [String]? {
    tree.find(path).map { tree.childrenByName(of: $0).map { tree.name(of: $0) } }
  }

  /// A walk over a subtree, in the order of paths; nil if the znode did not exist.
  ///
  /// - Parameters:
  ///   - maximumDepth: the number of levels below the root to visit.
  ///   - skipsServersOwn: whether `/zookeeper` is left out.
  package func walk(
    from root: String, readsData: Bool = false, readsACLs: Bool = false, maximumDepth: Int = .max,
    skipsServersOwn: Bool = false
  ) -> PastWalk? {
    OrderedWalk(tree, from: root, maximumDepth: maximumDepth, skipsServersOwn: skipsServersOwn).map {
      PastWalk(root: root, tree: tree, walk: $0, readsData: readsData, readsACLs: readsACLs)
    }
  }
}

/// A znode of a past state.
package struct PastZnode: Hashable, Sendable {
  /// The lifetime of a znode.
  package enum Lifetime: Hashable, Sendable {
    case persistent
    /// Until the end of a session.
    case session(SessionID)
    /// Until its last child is deleted.
    case container
    /// Until it has had no writes for this time, and has no children.
    case ttl(milliseconds: Int64)
  }

  package let path: String
  package let stat: Stat
  /// nil for null, and if data was not requested.
  package let data: [UInt8]?
  /// Empty if it was not requested.
  package let acl: [ACL]
  package let lifetime: Lifetime

  init(_ id: ZnodeID, path: String, in tree: DataTree, readsData: Bool, readsACL: Bool) {
    self.path = path
    stat = tree.stat(of: id)
    data = readsData ? tree.data(of: id) : nil
    acl = readsACL ? tree.acl(of: id) : []
    lifetime =
      switch tree.owner(of: id) {
      case .persistent: .persistent
      case .session(let session): .session(session)
      case .container: .container
      case .ttl(let milliseconds): .ttl(milliseconds: milliseconds)
      }
  }
}

/// A walk over a subtree of a past state: a znode, then its children by the bytes of their names.
///
/// *Thread*: one at a time.
package struct PastWalk: @unchecked Sendable {
  // @unchecked: as `PastState`.

  /// The znode at which it begins.
  package let root: String
  let tree: DataTree
  private var walk: OrderedWalk
  private let readsData: Bool
  private let readsACLs: Bool

  init(root: String, tree: DataTree, walk: OrderedWalk, readsData: Bool, readsACLs: Bool) {
    self.root = root
    self.tree = tree
    self.walk = walk
    self.readsData = readsData
    self.readsACLs = readsACLs
  }

  /// Whether the last znode has a sibling after all its descendants.
  package var hasNextSibling: Bool { walk.hasNextSibling }

  /// The paths of the next znodes, at most `limit`; empty at the end.
  package mutating func nextPaths(_ limit: Int) -> [String] {
    var paths: [String] = []
    paths.reserveCapacity(limit)
    while paths.count < limit, walk.next() != nil { paths.append(walk.currentPath) }
    return paths
  }

  /// The next znode; nil at the end.
  package mutating func next() -> PastZnode? {
    walk.next().map {
      PastZnode($0, path: walk.currentPath, in: tree, readsData: readsData, readsACL: readsACLs)
    }
  }
}
