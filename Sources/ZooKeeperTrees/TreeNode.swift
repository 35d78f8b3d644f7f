public import ZooKeeperProtocol

/// A znode of a subtree, as far as it was read.
public struct TreeNode: Hashable, Sendable {
  /// The path on the ensemble that it was read from.
  public var path: String
  /// The stat that belongs to the data, or to the children where no data was read.
  public var stat: Stat
  /// The data; nil for null, and where no data was asked for.
  public var data: [UInt8]?
  /// The ACL; empty where it was not asked for.
  public var acl: [ACL]

  /// A znode with what was read of it.
  public init(path: String, stat: Stat, data: [UInt8]? = nil, acl: [ACL] = []) {
    self.path = path
    self.stat = stat
    self.data = data
    self.acl = acl
  }

  /// Whether the znode belongs to a session, and goes with it.
  public var isEphemeral: Bool { stat.ephemeralOwner != .none }
}

extension ZnodePath {
  /// Whether one path comes before another in the order in which trees are read: a znode before those under it, and
  /// siblings by the bytes of their names.
  public static func precedes(_ left: String, _ right: String) -> Bool {
    // A slash sorts before any other byte: what is under `/a` comes before `/a-b`.
    left.utf8.lexicographicallyPrecedes(right.utf8) { left, right in
      guard left != right else { return false }
      if left == UInt8(ascii: "/") { return true }
      return right == UInt8(ascii: "/") ? false : left < right
    }
  }
}
