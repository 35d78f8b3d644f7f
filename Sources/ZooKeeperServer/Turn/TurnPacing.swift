/// Whether a turn of the loop can end as soon as one connection was read, instead of behind all of them.
///
/// The loop does not tell how many connections have something to read, so a turn ends in a task of its own behind them:
/// their requests share a write of the log, and a send to the leader. Where one client is alone, that task is a tenth
/// of the work on its request. So once a row of turns has seen one connection each, turns end at once, but for a few
/// that look again.
struct TurnPacing {
  /// Turns that make a row, and after which another one looks again.
  private static let rowLength = 16

  /// Turns that have seen one connection, since the last one that saw more.
  private var loneTurnCount = 0
  /// Connections that were read in this turn.
  private var connectionCount = 0

  /// A connection was read.
  ///
  /// - Returns: whether the turn can end at once.
  mutating func onRead() -> Bool {
    connectionCount += 1
    return connectionCount == 1 && loneTurnCount >= Self.rowLength && loneTurnCount % Self.rowLength != 0
  }

  /// A turn has ended.
  mutating func onTurnEnded() {
    // A turn that was about something else says nothing.
    if connectionCount == 1 { loneTurnCount += 1 } else if connectionCount > 1 { loneTurnCount = 0 }
    connectionCount = 0
  }
}
