import Testing

@testable import ZooKeeperServer

/// When a turn can end before all connections were read.
@Suite struct TurnPacingTests {
  private static let rowLength = 16

  /// The pacing after turns with these numbers of connections.
  private func pacing(after connectionCounts: [Int]) -> TurnPacing {
    var pacing = TurnPacing()
    for count in connectionCounts {
      for _ in 0..<count { _ = pacing.onRead() }
      pacing.onTurnEnded()
    }
    return pacing
  }

  @Test func loneConnectionNeedNotWaitOnceItWasAloneForARow() {
    var pacing = pacing(after: Array(repeating: 1, count: Self.rowLength))
    let looksAgain = !pacing.onRead()
    pacing.onTurnEnded()
    let endsAtOnce = pacing.onRead()
    #expect(looksAgain && endsAtOnce)
  }

  @Test func everyRowHasATurnThatLooksAgain() {
    var pacing = pacing(after: Array(repeating: 1, count: Self.rowLength))
    let ended = (0..<4 * Self.rowLength).map { _ in
      defer { pacing.onTurnEnded() }
      return pacing.onRead()
    }
    #expect(ended.count { !$0 } == 4)
    #expect(ended.indices.filter { !ended[$0] }.allSatisfy { $0 % Self.rowLength == 0 })
  }

  @Test func secondConnectionOfATurnEndsTheRow() {
    var pacing = pacing(after: Array(repeating: 1, count: Self.rowLength + 3) + [2])
    let ends = [pacing.onRead(), pacing.onRead()]
    #expect(ends == [false, false])
  }

  @Test func turnsWithoutConnectionsSayNothing() {
    var pacing = pacing(after: Array(repeating: 1, count: Self.rowLength + 1) + [0, 0, 0])
    let endsAtOnce = pacing.onRead()
    #expect(endsAtOnce)
  }
}
