import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// What happens because time passes.
@Suite(.timeLimit(.minutes(10)))
struct TimeTests {
  static let durations: [(Duration, Int64)] = [
    (.zero, 0), (.milliseconds(1), 1), (.nanoseconds(1), 1), (.microseconds(1001), 2), (.seconds(90), 90_000),
    (.seconds(-1), -1_000), (.seconds(2_305_000_000), 2_305_000_000_000),
    (.seconds(2_306_000_000), 2_305_843_009_213), (.seconds(Int64.max), 2_305_843_009_213),
    (.seconds(Int64.min + 1), -2_305_843_009_213),
  ]

  @Test(arguments: durations) func limitIsRoundedUpAndKeptInBounds(duration: Duration, milliseconds: Int64) {
    #expect(duration.milliseconds == milliseconds)
  }

  @Test func pingGoesOutAfterAThirdOfTheTimeout() throws {
    var harness = try Harness.connected()
    #expect(harness.machine.nextDeadline == harness.now + 3_000)
    harness.tick(after: 2_999)
    #expect(harness.frames() == [])
    harness.tick(after: 1)
    #expect(harness.frames() == [.request(.ping, .ping)])
    try harness.reply(-2)
    harness.tick(after: 2_999)
    harness.submit(1)
    #expect(harness.frames().map(\.xid) == [1])
    // A request is as good as a ping.
    harness.tick(after: 2_999)
    #expect(harness.frames() == [])
    harness.tick(after: 1)
    #expect(harness.frames() == [.request(.ping, .ping)])
    #expect(harness.take().disconnects == [])
  }

  @Test func pingGoesOutEveryTenSecondsAtLeast() throws {
    var harness = Harness()
    harness.start()
    try harness.connect(timeout: 60_000)
    #expect(harness.machine.nextDeadline == harness.now + 10_000)
  }

  @Test func silenceForTwoThirdsOfTheTimeoutEndsTheConnection() throws {
    var harness = try Harness.connected(servers: 2)
    let attempt = harness.machine.attempt
    harness.submit(1)
    harness.tick(after: 5_999)
    #expect(harness.take().isEmpty)
    harness.tick(after: 1)
    let actions = harness.take()
    #expect(actions.disconnects == [attempt])
    #expect(actions.failure(1) == .connectionLoss(outcomeUnknown: true))
    #expect(actions.states == [.disconnected])
    #expect(actions.connects.count == 1)
  }

  /// The servers may have been down themselves, so that no time has passed for the session: only they can say.
  @Test func theClockAloneDoesNotEndTheSession() throws {
    var harness = try Harness.connected { $0.connectTimeoutMilliseconds = 600_000 }
    harness.submit(1)
    try harness.reply(1)
    harness.tick(after: 6_000)
    harness.submit(2)
    harness.wait(3, failsFast: false)
    _ = harness.take()
    harness.tick(after: 5_999)
    #expect(!harness.machine.isOverByTheClock(now: harness.now))
    harness.tick(after: 1)
    #expect(harness.machine.isOverByTheClock(now: harness.now))
    harness.tick(after: 500_000)
    #expect(harness.take().isEmpty)
    harness.open()
    guard case .connect(let request)? = harness.frames().first else { return #expect(Bool(false)) }
    #expect(request.sessionID == Harness.session && request.password == Harness.password)
    try harness.respond(
      ConnectResponse(
        timeoutMilliseconds: 9_000, sessionID: Harness.session, password: Harness.password, readOnly: false))
    #expect(!harness.machine.isOverByTheClock(now: harness.now))
    #expect(harness.take().succeeded(3))
    #expect(harness.frames().compactMap(\.xid) == [2])
  }

  @Test func firstSessionHasNothingToLose() {
    var harness = Harness()
    harness.start()
    harness.wait(1, failsFast: false)
    for _ in 0..<100 {
      harness.refuse()
      harness.tick(after: 5_000)
    }
    #expect(harness.take().completed == [])
    #expect(harness.machine.state == .disconnected)
  }

  @Test func requestsOverTheirLimitAreAnsweredOnce() throws {
    var harness = try Harness.connected()
    harness.submit(1, limit: 100)
    harness.submit(2)
    harness.submit(3, limit: 50)
    #expect(harness.machine.nextDeadline == harness.now + 50)
    harness.tick(after: 49)
    #expect(harness.take().isEmpty)
    harness.tick(after: 1)
    let first = harness.take()
    #expect(first.completed == [3])
    #expect(first.failure(3) == .timedOut(outcomeUnknown: true))
    #expect(harness.machine.nextDeadline == harness.now + 50)
    // Its reply is still expected, and dropped.
    try harness.reply(1)
    try harness.reply(2)
    try harness.reply(3)
    #expect(harness.take().completed == [1, 2])
    harness.tick(after: 50)
    #expect(harness.take().isEmpty)
  }

  @Test func queuedRequestOverItsLimitIsNotSent() throws {
    var harness = Harness()
    harness.start()
    harness.submit(1, limit: 100)
    harness.submit(2)
    harness.tick(after: 100)
    #expect(harness.take().failure(1) == .timedOut(outcomeUnknown: false))
    harness.open()
    _ = harness.frames()
    try harness.connect()
    #expect(harness.frames().map(\.xid) == [1])
    try harness.reply(1)
    #expect(harness.take().completed == [2])
  }

  @Test func cancelledRequestsAreAnsweredOnce() throws {
    var harness = Harness()
    harness.start()
    harness.submit(1)
    harness.wait(2)
    harness.cancel(1)
    harness.cancel(2)
    harness.cancel(77)
    let early = harness.take()
    #expect(early.failure(1) == .cancelled(outcomeUnknown: false))
    #expect(early.failure(2) == .cancelled(outcomeUnknown: false))
    try harness.connect()
    _ = harness.take()
    harness.submit(3, limit: 100)
    harness.submit(4)
    harness.cancel(3)
    harness.cancel(3)
    #expect(harness.take().failure(3) == .cancelled(outcomeUnknown: true))
    harness.tick(after: 100)
    try harness.reply(1)
    try harness.reply(2)
    harness.cancel(4)
    #expect(harness.take().completed == [4])
  }

  @Test func closeWaitsForTheAnswer() throws {
    var harness = try Harness.connected()
    try harness.watch(.persistent, "/p", 1)
    harness.submit(2)
    harness.submit(3)
    harness.close(4)
    harness.close(5)
    harness.submit(6)
    harness.wait(7)
    harness.addIdentity(8)
    let early = harness.take()
    for id in 6...8 { #expect(early.failure(id) == .closed) }
    #expect(harness.machine.state == .closed)
    #expect(harness.frames().compactMap(\.request).last == .closeSession)
    try harness.reply(2)
    try harness.reply(3)
    #expect(harness.take().completed == [2, 3])
    try harness.reply(4)
    let actions = harness.take()
    #expect(actions.succeeded(4))
    #expect(actions.succeeded(5))
    #expect(actions.states == [.closed])
    #expect(actions.finished == [1])
    #expect(actions.disconnects == [harness.machine.attempt])
    harness.close(9)
    #expect(harness.take().succeeded(9))
    harness.submit(10)
    #expect(harness.take().failure(10) == .closed)
  }

  @Test(arguments: ["limit", "end of connection"]) func closeWithoutAnAnswerEndsAllTheSame(by end: String) throws {
    var harness = try Harness.connected()
    harness.submit(1)
    harness.close(2, limit: 500)
    #expect(harness.machine.nextDeadline == harness.now + 500)
    if end == "limit" {
      harness.tick(after: 499)
      #expect(harness.take().isEmpty)
      harness.tick(after: 1)
    } else {
      harness.disconnect()
    }
    let actions = harness.take()
    #expect(actions.failure(1) == .closed)
    #expect(actions.succeeded(2))
    #expect(harness.machine.nextDeadline == nil)
  }

  @Test func closeBeforeTheConnectionIsAtOnce() {
    var harness = Harness()
    harness.start()
    harness.submit(1)
    harness.wait(2)
    harness.close(3)
    let actions = harness.take()
    #expect(actions.failure(1) == .closed)
    #expect(actions.failure(2) == .closed)
    #expect(actions.succeeded(3))
    #expect(actions.disconnects == [1])
    harness.open()
    #expect(harness.take().disconnects == [1])
  }
}
