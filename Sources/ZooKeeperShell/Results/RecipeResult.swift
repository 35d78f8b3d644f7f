package import ZooKeeperProtocol
package import ZooKeeperRecipes

/// What a recipe's command has to say.
package enum RecipeResult: Hashable, Sendable {
  /// Something is held: its znode and fencing token, and the name it is held under, where there is one.
  case held(path: String, zxid: Zxid, name: String?)
  /// Somebody who holds a lock or waits for it; the address of its client where a server has told it.
  case participant(Participant, address: String?)
  /// How many holders were asked to let go, or let go (`lock --revoke`, `lock --release`).
  case letGo(path: String, count: Int)
  /// Who leads now; nil for nobody.
  case leader(Election.Leader?)
  /// A condition that was waited for holds.
  case fulfilled(path: String, stat: Stat?)
  /// An item of a queue; with `data` alone, what was taken or looked at.
  case item(WorkQueue.Item)
  case member(Group.Member)
  /// A group changed: the names of all members, and of those that are new or gone.
  case members(all: [String], joined: [String], left: [String], milliseconds: Int64)
  /// A counter, or a number that was given out.
  case number(path: String, Int64)
  /// Where a two-phase commit stands.
  case transaction(path: String, TwoPhaseCommit.Status)
  /// What a two-phase commit has come to.
  case verdict(path: String, TwoPhaseCommit.Verdict)
  /// Something that a stream of changes tells, and when it came, in milliseconds since 1970; whether data was asked
  /// for.
  case change(ChangeStream.Record, milliseconds: Int64, showsData: Bool = true)
}
