import Testing

@testable import ServerCore

/// Handshakes come no faster than the settings allow.
@Suite struct ConnectionThrottleTests {
  private func throttle(_ change: (inout ConnectionThrottle.Settings) -> Void) -> ConnectionThrottle {
    var settings = ConnectionThrottle.Settings()
    change(&settings)
    return ConnectionThrottle(settings, now: 1000, seed: 7)
  }

  /// How many of `count` handshakes at one time are admitted.
  private func admitted(
    _ throttle: inout ConnectionThrottle, _ count: Int, at now: Int64,
    _ handshake: ConnectionThrottle.Handshake = .newSession
  ) -> Int {
    (0..<count).count { _ in throttle.admit(handshake, now: now) }
  }

  @Test func withoutTokensEverythingIsAdmitted() {
    var throttle = throttle { _ in }
    #expect(admitted(&throttle, 1000, at: 1000) == 1000 && throttle.deficit == 0)
  }

  @Test func tokensComeBackWithTime() {
    var throttle = throttle { ($0.tokens, $0.fillMilliseconds, $0.fillCount) = (10, 100, 2) }
    #expect(admitted(&throttle, 15, at: 1000) == 10 && throttle.deficit == 10)
    // As in Apache's server, nothing comes back before more than the time has passed.
    #expect(admitted(&throttle, 5, at: 1100) == 0)
    #expect(admitted(&throttle, 5, at: 1101) == 2)
    #expect(admitted(&throttle, 50, at: 100_000) == 10)
  }

  @Test func newSessionsCostMore() {
    var throttle = throttle { ($0.tokens, $0.isWeighed, $0.fillMilliseconds) = (4, true, 1_000_000) }
    // Four new sessions are twelve tokens.
    #expect(admitted(&throttle, 3, at: 1000) == 3)
    #expect(admitted(&throttle, 3, at: 1000, .earlierSession) == 1)
    #expect(throttle.deficit == 11 && !throttle.admit(.newSession, now: 1000))
  }

  /// Apache's server takes no smaller weights for other sessions than for local ones.
  @Test func newLocalSessionsHaveAWeightOfTheirOwn() {
    var throttle = throttle { ($0.tokens, $0.isWeighed, $0.fillMilliseconds) = (4, true, 1_000_000) }
    #expect(admitted(&throttle, 20, at: 1000, .newLocalSession) == 12)
    var dear = self.throttle {
      ($0.tokens, $0.isWeighed, $0.fillMilliseconds, $0.localSessionWeight) = (2, true, 1_000_000, 5)
    }
    // The bucket has ten tokens.
    #expect(admitted(&dear, 1, at: 1000, .earlierSession) == 1 && dear.deficit == 5)
    #expect(admitted(&dear, 9, at: 1000, .newLocalSession) == 1)
    var unweighed = self.throttle { ($0.tokens, $0.fillMilliseconds) = (4, 1_000_000) }
    #expect(admitted(&unweighed, 9, at: 1000, .newLocalSession) == 4)
  }

  @Test func refusalsBecomeLikelierWhileTheBucketIsEmpty() {
    var throttle = throttle {
      ($0.tokens, $0.freezeMilliseconds, $0.dropIncrease, $0.dropDecrease, $0.fillMilliseconds) =
        (1, 10, 0.25, 0.5, 1000)
    }
    _ = admitted(&throttle, 1, at: 1000)
    for step in 1...4 {
      _ = throttle.admit(.newSession, now: 1000 + Int64(step) * 11)
      #expect(throttle.dropProbability == Double(step) * 0.25)
    }
    // Now every handshake is refused, until the bucket is full again.
    #expect(admitted(&throttle, 100, at: 1045) == 0)
    _ = throttle.admit(.newSession, now: 9000)
    #expect(throttle.dropProbability == 0.5)
    let count = (0..<1000).count { throttle.admit(.newSession, now: 9000 + Int64($0)) }
    #expect(count < 10)
  }

  @Test(arguments: [
    (Int.max, Int.max, Int.max, Int64.max), (1, 1, Int.max, Int64.max), (Int.max, 0, 0, Int64.max), (-1, -1, -1, 0),
  ])
  func absurdNumbersDoNotOverflow(tokens: Int, interval: Int, count: Int, now: Int64) {
    var throttle = throttle {
      ($0.tokens, $0.fillMilliseconds, $0.fillCount, $0.isWeighed) = (tokens, interval, count, true)
    }
    #expect(throttle.admit(.newSession, now: now) || tokens > 0)
    #expect(throttle.deficit >= 0)
  }
}
