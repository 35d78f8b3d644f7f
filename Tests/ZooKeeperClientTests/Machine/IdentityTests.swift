import Testing

@testable import ZooKeeperClient

/// Callers of `addAuth` who wait no longer.
@Suite(.timeLimit(.minutes(10)))
struct IdentityTests {
  @Test func identityHasALimitAndCanBeCancelled() throws {
    var harness = try Harness.connected()
    harness.addIdentity(1, limit: 100)
    harness.addIdentity(2)
    #expect(harness.machine.nextDeadline == harness.now + 100)
    harness.tick(after: 100)
    #expect(harness.take().failure(1) == .timedOut(outcomeUnknown: true))
    harness.cancel(2)
    #expect(harness.take().failure(2) == .cancelled(outcomeUnknown: true))
    try harness.reply(-4, zxid: 0)
    try harness.reply(-4, zxid: 0)
    #expect(harness.take().isEmpty)
    // It is an identity all the same.
    harness.disconnect()
    harness.open()
    _ = harness.frames()
    harness.addIdentity(3, limit: 100)
    try harness.connect()
    #expect(harness.frames().map(\.xid) == [-4, -4, -4])
  }

  @Test func identityWaitingForAConnectionHasALimitToo() {
    var harness = Harness()
    harness.start()
    harness.addIdentity(1, limit: 100)
    harness.addIdentity(2)
    harness.tick(after: 100)
    harness.cancel(2)
    let actions = harness.take()
    #expect(actions.failure(1) == .timedOut(outcomeUnknown: false))
    #expect(actions.failure(2) == .cancelled(outcomeUnknown: false))
  }
}
