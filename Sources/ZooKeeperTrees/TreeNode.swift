public import ZooKeeperProtocol

/// A znode of a subtree.
public struct TreeNode: Hashable, Sendable {
  /// The path on the ensemble that it was read from.
  public var path: String
  /// The stat that was read with the data, or with the children if no data was read.
  public var stat: Stat
  /// The data; nil for null, and if it was not requested.
  public var data: [UInt8]?
  /// The ACL; empty if it was not requested.
  public var acl: [ACL]

  public init(path: String, stat: Stat, data: [UInt8]? = nil, acl: [ACL] = []) {
    self.path = path
    self.stat = stat
    self.data = data
    self.acl = acl
  }

  /// Whether the znode belongs to a session and is deleted with it.
  public var isEphemeral: Bool { stat.ephemeralOwner != .none }
}

extension ZnodePath {
  /// Whether one path precedes another in the order in which trees are read: a znode before its descendants, and
  /// siblings by the bytes of their names.
  public static func precedes(_ left: String, _ right: String) -> Bool {
    // A slash sorts before any other byte, so that descendants of `/a` precede `/a-b`.
    left.utf8.lexicographicallyPrecedes(right.utf8) { left, right in
      guard left != right else { return false }
      if left == UInt8(ascii: "/") { return true }
      return right == UInt8(ascii: "/") ? false : left < right
    }
  }
}
