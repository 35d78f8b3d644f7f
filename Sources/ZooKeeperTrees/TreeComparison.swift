import ZooKeeperProtocol

/// What two subtrees have at one place.
public enum TreeDifference: Hashable, Sendable {
  case onlyLeft(TreeEntry)
  case onlyRight(TreeEntry)
  /// Both have the znode, and its data or its ACL is not the same.
  case changed(left: TreeEntry, right: TreeEntry)
  case same(TreeEntry)
}

/// Compares two subtrees while they are read.
///
/// Both come in the same order, so that at any time only one znode of each is in memory.
public struct TreeComparison<Left: TreeSource, Right: TreeSource> {
  public private(set) var left: Left
  public private(set) var right: Right
  private var nextLeft: TreeEntry?
  private var nextRight: TreeEntry?
  private var hasBegun = false
  private let ignoresACLs: Bool
  /// The digest of what has been read of each side.
  public private(set) var digests = (left: TreeDigest(), right: TreeDigest())

  /// - Parameter ignoresACLs: whether znodes are the same if only their ACLs differ.
  public init(_ left: Left, _ right: Right, ignoresACLs: Bool = false) {
    self.ignoresACLs = ignoresACLs
    self.left = left
    self.right = right
  }

  /// What the two have at the next place; nil at the end.
  ///
  /// - Throws: what either source throws.
  public mutating func next() async throws -> TreeDifference? {
    if !hasBegun {
      hasBegun = true
      try await advanceLeft()
      try await advanceRight()
    }
    guard let one = nextLeft else {
      guard let other = nextRight else { return nil }
      try await advanceRight()
      return .onlyRight(other)
    }
    guard let other = nextRight, !ZnodePath.precedes(one.path, other.path) else {
      try await advanceLeft()
      return .onlyLeft(one)
    }
    if ZnodePath.precedes(other.path, one.path) {
      try await advanceRight()
      return .onlyRight(other)
    }
    try await advanceLeft()
    try await advanceRight()
    return one.hasSameContent(as: other) ? .same(one) : .changed(left: one, right: other)
  }

  private mutating func advanceLeft() async throws {
    nextLeft = try await left.next()
    if ignoresACLs { nextLeft?.acl = nil }
    if let nextLeft { digests.left.add(nextLeft) }
  }

  private mutating func advanceRight() async throws {
    nextRight = try await right.next()
    if ignoresACLs { nextRight?.acl = nil }
    if let nextRight { digests.right.add(nextRight) }
  }
}
