/// Decides whether a turn of the loop can end as soon as one connection was read, instead of after all of them.
///
/// NIO does not report how many connections have something to read. So a turn usually ends in a task that runs after
/// them, and their requests share a write of the log and a send to the leader. If there is only one active client, that
/// task is a tenth of the work for its request. So after a series of turns with one connection each, turns end at once,
/// except for a few that check whether there are other clients again.
struct TurnPacing {
  /// The length of such a series, and the number of turns after which one checks again.
  private static let rowLength = 16

  /// The number of turns with one connection since the last turn with more.
  private var loneTurnCount = 0
  /// The number of connections that were read in this turn.
  private var connectionCount = 0

  /// Records that a connection was read.
  ///
  /// - Returns: whether the turn can end at once.
  mutating func onRead() -> Bool {
    connectionCount += 1
    return connectionCount == 1 && loneTurnCount >= Self.rowLength && loneTurnCount % Self.rowLength != 0
  }

  /// Records the end of a turn.
  mutating func onTurnEnded() {
    // A turn in which no client was read does not count.
    if connectionCount == 1 { loneTurnCount += 1 } else if connectionCount > 1 { loneTurnCount = 0 }
    connectionCount = 0
  }
}
