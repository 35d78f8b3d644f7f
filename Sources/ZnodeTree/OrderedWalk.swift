package import ZooKeeperProtocol

/// A walk over a subtree in the order in which people read it: a znode, then its children by the bytes of their names,
/// each with all below it.
///
/// In memory are the numbers of the siblings on the way down. The tree must not change during the walk.
package struct OrderedWalk {
  /// The siblings on one level.
  private struct Level {
    var siblings: [ZnodeID]
    /// The place of the one that was visited last.
    var index: Int
    /// How much of the path is that of the parent.
    let parentPathBytes: Int
  }

  private let tree: DataTree
  private let maximumDepth: Int
  private let skipsServersOwn: Bool
  private var levels: [Level] = []
  private var path: [UInt8]
  /// The root, until it has been visited.
  private var first: ZnodeID?
  /// The znode that was visited last; nil before the first and after the last.
  private(set) package var current: ZnodeID?

  /// A walk from the znode at `root` on; nil if there is none.
  ///
  /// - Parameters:
  ///   - maximumDepth: how many levels below the root are visited.
  ///   - skipsServersOwn: whether `/zookeeper` is left out.
  package init?(_ tree: DataTree, from root: String, maximumDepth: Int = .max, skipsServersOwn: Bool = false) {
    guard let id = tree.find(root) else { return nil }
    self.tree = tree
    self.maximumDepth = maximumDepth
    self.skipsServersOwn = skipsServersOwn
    path = root == "/" ? [] : [UInt8](root.utf8)
    first = id
  }

  /// The path of the znode that was visited last.
  package var currentPath: String { path.isEmpty ? "/" : String(decoding: path, as: UTF8.self) }

  /// Whether a sibling of the znode that was visited last comes after all that is under it.
  package var hasNextSibling: Bool { levels.last.map { $0.index + 1 < $0.siblings.count } ?? false }

  /// Goes to the next znode, and returns it; nil at the end.
  ///
  /// *Complexity*: sorts the names of a znode's children once.
  package mutating func next() -> ZnodeID? {
    if let first {
      self.first = nil
      current = first
      return first
    }
    guard let current else { return nil }
    if levels.count < maximumDepth, enter(current) { return self.current }
    while let last = levels.last {
      path.removeLast(path.count - last.parentPathBytes)
      if last.index + 1 < last.siblings.count {
        levels[levels.count - 1].index += 1
        return visit(last.siblings[last.index + 1])
      }
      levels.removeLast()
    }
    self.current = nil
    return nil
  }

  private mutating func enter(_ parent: ZnodeID) -> Bool {
    var children = tree.childrenByName(of: parent)
    if skipsServersOwn, parent == DataTree.root, let own = tree.find("/zookeeper") { children.removeAll { $0 == own } }
    guard let child = children.first else { return false }
    levels.append(Level(siblings: children, index: 0, parentPathBytes: path.count))
    _ = visit(child)
    return true
  }

  private mutating func visit(_ id: ZnodeID) -> ZnodeID {
    path.append(PathBytes.slash)
    path.append(contentsOf: tree.slab.record(id).pointee.name)
    current = id
    return id
  }
}

extension DataTree {
  /// The children of a znode, by the bytes of their names.
  package func childrenByName(of id: ZnodeID) -> [ZnodeID] {
    var children: [ZnodeID] = []
    children.reserveCapacity(childCount(of: id))
    forEachChild(of: id) { children.append($0) }
    children.sort { left, right in
      slab.record(left).pointee.name.lexicographicallyPrecedes(slab.record(right).pointee.name)
    }
    return children
  }

  /// The name of a znode; empty for the root.
  package func name(of id: ZnodeID) -> String { String(decoding: slab.record(id).pointee.name, as: UTF8.self) }

  /// The ACL of a znode.
  package func acl(of id: ZnodeID) -> [ACL] { acl(in: aclSlot(of: id)) }
}
