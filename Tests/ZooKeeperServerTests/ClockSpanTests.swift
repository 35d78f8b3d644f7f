import Testing

@testable import ZooKeeperServer

/// The time since another server's clock says that a transaction was made.
struct ClockSpanTests {
  /// What a server that lies may send must not end the one that measures.
  @Test(
    arguments: [
      (1_000, 1_250, 250_000), (1_250, 1_000, -250_000), (.min, 1_000, 0), (.max, -1_000, 0), (.min, .max, 0),
      (0, .max, 0), (0, .max / 1000, .max / 1000 * 1000),
    ] as [(Int64, Int64, Int)])
  func spansOfAnyTimes(made: Int64, now: Int64, microseconds: Int) {
    #expect(EnsembleDriver.microseconds(from: made, to: now) == microseconds)
  }
}
