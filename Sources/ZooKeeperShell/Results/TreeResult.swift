package import ZooKeeperTrees

/// A result of a command about whole subtrees.
package enum TreeResult: Hashable, Sendable {
  /// A piece of an export to stdout.
  case bytes([UInt8])
  /// A znode that `find` has found.
  case found(TreeNode, endsWithNull: Bool)
  /// A line of a value that matches a pattern, without its end; lines are numbered from 1.
  case matchedLine(path: String, number: Int, text: [UInt8])
  /// A value that is not text and matches a pattern.
  case matchedBinary(path: String)
  case matchedZnode(path: String)
  case matchCount(path: String, count: Int)
  /// The totals of a subtree.
  case usage(UsageSum, isHuman: Bool)
  /// One of the znodes with the most data, or with the most children.
  case largest(UsageSum, isWidest: Bool, isHuman: Bool)
  /// A znode of a tree drawing, with the branches before its name.
  case branch(String, TreeNode, isRoot: Bool, isLong: Bool)
  /// The summary of a copy or an import.
  case copied(from: String, to: String, TreeTally)
  /// The summary of an export.
  case exported(from: String, to: String, count: Int, ephemeralCount: Int)
  /// A difference between two subtrees. With `isBrief`, only its path.
  case difference(TreeDifference, isBrief: Bool)
  /// A step of a plan.
  case step(TreePlan.Step)
  /// A plan was carried out.
  case applied(to: String, doneCount: Int)
  /// A mirror has compared both sides, at a time in milliseconds since 1970.
  case mirrored(TreeMirror.Comparison, milliseconds: Int64)
  /// A mirror has copied changes.
  case followed(count: Int, milliseconds: Int64)
}

/// The numbers of znodes that an operation has affected.
package struct TreeTally: Hashable, Sendable {
  package var created = 0
  package var changed = 0
  package var unchanged = 0
  package var skipped = 0
  package var ephemeral = 0

  package init(created: Int = 0, changed: Int = 0, unchanged: Int = 0, skipped: Int = 0, ephemeral: Int = 0) {
    self.created = created
    self.changed = changed
    self.unchanged = unchanged
    self.skipped = skipped
    self.ephemeral = ephemeral
  }
}
