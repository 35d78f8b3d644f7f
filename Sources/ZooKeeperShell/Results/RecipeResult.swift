import ZnodeFormats
package import ZooKeeperProtocol
package import ZooKeeperRecipes

/// What a recipe's command has to say.
package enum RecipeResult: Hashable, Sendable {
  /// Something is held: its znode and fencing token, and the name it is held under, where there is one.
  case held(path: String, zxid: Zxid, name: String?)
  /// A holder of a lock or a waiter; the address of its client if a server has reported it.
  case participant(Participant, address: String?)
  /// How many holders were asked to let go, or let go (`lock --revoke`, `lock --release`).
  case released(path: String, count: Int)
  /// The current leader; nil if there is none.
  case leader(Election.Leader?)
  /// A condition that was waited for holds.
  case conditionMet(path: String, stat: Stat?)
  /// An item of a queue; with `data` alone, what was taken or looked at.
  case item(WorkQueue.Item)
  case member(Group.Member)
  /// A group changed: the names of all members, and of those that are new or gone.
  case members(all: [String], joined: [String], left: [String], milliseconds: Int64)
  /// A counter, or a number that was given out.
  case number(path: String, Int64)
  /// The state of a two-phase commit.
  case transaction(path: String, TwoPhaseCommit.Status)
  /// The decision of a two-phase commit.
  case decision(path: String, TwoPhaseCommit.Verdict)
  /// A record of a stream of changes, and when it arrived, in milliseconds since 1970; whether data was asked
  /// for.
  case change(ChangeStream.Record, milliseconds: Int64, showsData: Bool = true)
}
