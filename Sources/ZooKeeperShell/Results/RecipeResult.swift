import ZnodeFormats
package import ZooKeeperProtocol
package import ZooKeeperRecipes

/// A result of a recipe.
package enum RecipeResult: Hashable, Sendable {
  /// A hold: its znode, its fencing token and its name, if it has one.
  case held(path: String, zxid: Zxid, name: String?)
  /// A holder of a lock or a waiter, with the address of its client if a server has reported it.
  case participant(Participant, address: String?)
  /// The number of holders that were asked to release (`lock --revoke`) or have released (`lock --release`).
  case released(path: String, count: Int)
  /// The current leader; nil if there is none.
  case leader(Election.Leader?)
  /// A condition that was waited for holds.
  case conditionMet(path: String, stat: Stat?)
  /// An item of a queue that was taken or read.
  case item(WorkQueue.Item)
  case member(Group.Member)
  /// A change of a group: the names of all members, of new ones and of those that have left.
  case members(all: [String], joined: [String], left: [String], milliseconds: Int64)
  /// The value of a counter, or a new number.
  case number(path: String, Int64)
  /// The state of a two-phase commit.
  case transaction(path: String, TwoPhaseCommit.Status)
  /// The decision of a two-phase commit.
  case decision(path: String, TwoPhaseCommit.Verdict)
  /// A record of a stream of changes, with the time of arrival in milliseconds since 1970, and whether data was
  /// requested.
  case change(ChangeStream.Record, milliseconds: Int64, showsData: Bool = true)
}
