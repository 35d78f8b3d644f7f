import ZooKeeperProtocol

/// A difference of two subtrees at one path.
public enum TreeDifference: Hashable, Sendable {
  case onlyLeft(TreeEntry)
  case onlyRight(TreeEntry)
  /// Both have the znode, with different data or ACLs.
  case changed(left: TreeEntry, right: TreeEntry)
  case same(TreeEntry)
}

/// Compares two subtrees while they are read.
///
/// Both are read in the same order, so that only one znode of each is in memory at a time.
public struct TreeComparison<Left: TreeSource, Right: TreeSource> {
  public private(set) var left: Left
  public private(set) var right: Right
  private var nextLeft: TreeEntry?
  private var nextRight: TreeEntry?
  private var hasBegun = false
  private let ignoresACLs: Bool
  /// The digest of the znodes read from each side, if requested.
  public private(set) var digests = (left: TreeDigest(), right: TreeDigest())
  private let computesDigests: Bool

  /// - Parameter ignoresACLs: whether differences of ACLs are ignored.
  public init(_ left: Left, _ right: Right, ignoresACLs: Bool = false, computesDigests: Bool = false) {
    self.computesDigests = computesDigests
    self.ignoresACLs = ignoresACLs
    self.left = left
    self.right = right
  }

  /// The comparison at the next path; nil at the end.
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
    if computesDigests, let nextLeft { digests.left.add(nextLeft) }
  }

  private mutating func advanceRight() async throws {
    nextRight = try await right.next()
    if ignoresACLs { nextRight?.acl = nil }
    if computesDigests, let nextRight { digests.right.add(nextRight) }
  }
}
