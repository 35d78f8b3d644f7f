import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// The exchange of SASL in the life of a session.
@Suite struct SASLSessionTests {
  /// A session on whose first connection the exchange has begun.
  private func authenticating() throws -> Harness {
    var harness = Harness { $0.authenticates = true }
    harness.start()
    harness.submit(1)
    harness.wait(2)
    harness.addIdentity(3)
    try harness.connect()
    return harness
  }

  /// The tokens that the mechanism was given: nil at the beginning.
  private func tokens(_ harness: inout Harness) -> [[UInt8]?] {
    harness.take().compactMap { if case .authenticate(_, _, let token) = $0 { .some(token) } else { nil } }
  }

  private func answer(_ harness: inout Harness, _ outcome: Harness.Machine.SASLOutcome) {
    harness.machine.onSASL(attempt: harness.machine.attempt, outcome, now: harness.now, into: &harness.actions)
  }

  private func reply(_ harness: inout Harness, _ xid: Xid, _ token: [UInt8]?, _ error: KeeperError = .ok) throws {
    try harness.reply(xid.rawValue, zxid: 0, error, body: SASLToken(token: token).encoded)
  }

  @Test func nothingIsSentBeforeTheExchangeIsOver() throws {
    var harness = try authenticating()
    _ = harness.frames()
    #expect(tokens(&harness) == [nil])
    #expect(harness.machine.state == .disconnected)
    answer(&harness, .reply([1]))
    var sent = harness.frames()
    #expect(sent.map(\.request) == [.sasl(SASLToken(token: [1]))])
    try reply(&harness, .first, [2])
    #expect(tokens(&harness) == [[2]])
    answer(&harness, .complete([3]))
    sent = harness.frames()
    #expect(sent.map(\.request) == [.sasl(SASLToken(token: [3]))])
    #expect(tokens(&harness) == [])
    // The server's word on the last token counts.
    try reply(&harness, .first.next, nil)
    #expect(harness.machine.state == .syncConnected)
    sent = harness.frames()
    #expect(sent.count == 2 && sent.first?.xid == Xid.auth.rawValue)
    #expect(harness.take().contains { if case .complete(2, .success) = $0 { true } else { false } })
  }

  @Test func mechanismWithoutALastTokenIsEnough() throws {
    var harness = try authenticating()
    answer(&harness, .reply([]))
    try reply(&harness, .first, [2])
    answer(&harness, .complete(nil))
    #expect(harness.machine.state == .syncConnected)
  }

  @Test func everyConnectionBeginsWithAnExchange() throws {
    var harness = try authenticating()
    answer(&harness, .complete(nil))
    _ = harness.take()
    harness.disconnect()
    harness.tick(after: 100)
    try harness.connect()
    #expect(tokens(&harness) == [nil])
    #expect(harness.machine.state == .disconnected)
  }

  /// Each way to fail with what the error says.
  @Test func failedExchangeEndsTheSession() throws {
    let failures: [(String, (inout Harness) throws -> Void)] = [
      ("no ticket", { answer(&$0, .failed("no ticket")) }),
      (
        "the server refuses the login",
        {
          answer(&$0, .reply([1]))
          try reply(&$0, .first, nil, .authFailed)
        }
      ),
      (
        "does not use SASL",
        {
          answer(&$0, .reply([1]))
          try reply(&$0, .first, nil)
        }
      ),
      (
        "would go on without it",
        {
          answer(&$0, .reply([1]))
          try reply(&$0, .first, [2])
          answer(&$0, .reply([3]))
          try reply(&$0, .first.next, nil)
        }
      ),
      (
        "a token of",
        {
          answer(&$0, .reply([1]))
          try reply(&$0, .first, [UInt8](repeating: 0, count: Harness.Machine.saslTokenLimitBytes + 1))
        }
      ),
    ]
    for (text, fail) in failures {
      var harness = try authenticating()
      _ = harness.take()
      try fail(&harness)
      #expect(harness.machine.state == .authFailed)
      let reasons = harness.take().compactMap { action -> String? in
        guard case .complete(_, .failure(let error)) = action, case .saslFailed(let reason) = error.code else {
          return nil
        }
        return reason
      }
      #expect(reasons.count == 3 && reasons.allSatisfy { $0.contains(text) }, "\(reasons)")
    }
  }

  @Test func unexpectedFramesAreErrors() throws {
    var harness = try authenticating()
    // The mechanism has the token; nothing was asked.
    #expect(throws: JuteError.self) { try harness.reply(1) }
    answer(&harness, .reply([1]))
    #expect(throws: JuteError.self) { try harness.reply(7) }
    #expect(throws: JuteError.self) { try harness.reply(Xid.first.rawValue, body: [1, 2]) }
  }

  @Test func exchangeIsLimitedInTime() throws {
    var harness = try authenticating()
    _ = harness.take()
    harness.tick(after: SessionSettings.leastAuthenticationMilliseconds - 1)
    #expect(harness.take().isEmpty)
    harness.tick(after: 1)
    #expect(harness.take().contains { if case .disconnect = $0 { true } else { false } })
    // What comes too late is ignored.
    answer(&harness, .complete(nil))
    #expect(harness.machine.state == .disconnected)
  }

  @Test func closingDuringTheExchangeEndsTheSession() throws {
    var harness = try authenticating()
    _ = harness.frames()
    harness.close(9)
    #expect(harness.frames().map(\.request) == [.closeSession])
    harness.disconnect()
    #expect(harness.machine.state == .closed)
  }
}
