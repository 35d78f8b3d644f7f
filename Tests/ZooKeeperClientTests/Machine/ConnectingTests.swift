import Jute
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Finding a server that grants a session.
@Suite(.timeLimit(.minutes(10)))
struct ConnectingTests {
  @Test func handshakeIsTheCapturedOne() throws {
    var harness = Harness { $0.sessionTimeoutMilliseconds = 10_000 }
    harness.start()
    #expect(harness.take().connects == ["zk0"])
    #expect(harness.machine.outbound.bytes == [])
    harness.open()
    let zeros = [UInt8](repeating: 0, count: 8)
    #expect(
      harness.machine.outbound.bytes
        == [0, 0, 0, 0x2d] + [0, 0, 0, 0] + zeros + [0, 0, 0x27, 0x10] + zeros + [0, 0, 0, 16] + zeros + zeros + [0])
    #expect(harness.machine.state == .disconnected)
    try harness.respond(
      ConnectResponse(
        timeoutMilliseconds: 4_000, sessionID: Harness.session, password: Harness.password, readOnly: false))
    #expect(harness.machine.state == .syncConnected)
    #expect(harness.machine.timeoutMilliseconds == 4_000)
    #expect(harness.take().states == [.syncConnected])
  }

  @Test func handshakeAllowsReadOnlyWhenAsked() {
    var harness = Harness { $0.allowsReadOnly = true }
    harness.start()
    harness.open()
    guard case .connect(let request)? = harness.frames().first else { return #expect(Bool(false)) }
    #expect(request.readOnly == true)
  }

  @Test func answerWithoutTheReadOnlyByteIsReadWrite() throws {
    var harness = Harness()
    harness.start()
    try harness.connect(readOnly: nil)
    #expect(harness.machine.state == .syncConnected)
  }

  @Test func orderOfServersIsTheSeeds() {
    func order(_ seed: UInt64) -> [String] {
      var harness = Harness(servers: 6) { $0.seed = seed }
      harness.start()
      for _ in 0..<5 { harness.refuse() }
      return harness.take().connects
    }
    for seed in 0..<20 as Range<UInt64> {
      #expect(order(seed).sorted() == (0..<6).map { "zk\($0)" })
      #expect(order(seed) == order(seed))
    }
    // Not all clients begin with the same server.
    #expect(Set((0..<20).map { order($0)[0] }).count >= 4)
  }

  @Test func nextServerIsTriedForEveryKindOfFailure() throws {
    var harness = Harness(servers: 5) { $0.connectTimeoutMilliseconds = 5_000 }
    harness.wait(1)
    harness.start()
    harness.refuse()
    // Silence before the connection, and after it.
    harness.tick(after: 999)
    #expect(harness.actions.connects.count == 2)
    harness.tick(after: 1)
    harness.open()
    harness.tick(after: 1_000)
    harness.open()
    harness.disconnect()
    harness.open()
    harness.disconnect(JuteError(.negativeLength(-2), offset: 0))
    let actions = harness.take()
    #expect(actions.connects == harness.machine.servers.map(\.host))
    #expect(actions.disconnects == [2, 3])
    guard case .cannotConnect(let failures)? = actions.failure(1) else { return #expect(Bool(false)) }
    #expect(failures.map(\.address) == harness.machine.servers)
    #expect(
      failures.map(\.reason) == [
        .refused, .timedOut(connected: false, milliseconds: 1_000), .timedOut(connected: true, milliseconds: 1_000),
        .closedWithoutAnswer, .notZooKeeper(JuteError(.negativeLength(-2), offset: 0)),
      ])
  }

  @Test func fruitlessRoundFailsWhoeverWillNotWait() {
    var harness = Harness(servers: 2)
    harness.start()
    harness.wait(1)
    harness.wait(2, failsFast: false)
    harness.submit(3)
    harness.addIdentity(4)
    harness.refuse()
    #expect(harness.take().completed == [])
    harness.refuse()
    let actions = harness.take()
    #expect(Set(actions.completed) == [1, 3, 4])
    for id in [1, 3, 4] {
      guard case .cannotConnect(let failures)? = actions.failure(id) else { return #expect(Bool(false)) }
      #expect(failures.count == 2)
    }
    #expect(actions.connects == [])
  }

  /// During an election servers close connections; what is asked for after it must not fail because of that.
  @Test func whatComesInTheMiddleOfARoundWaitsForAnother() throws {
    var harness = Harness(servers: 3)
    harness.start()
    harness.submit(1)
    harness.open()
    harness.disconnect()
    harness.refuse()
    harness.open()
    // This server may have decided already, and the two before it have.
    harness.submit(2)
    harness.wait(3)
    harness.disconnect()
    var actions = harness.take()
    #expect(actions.completed == [1])
    harness.tick(after: 5_000)
    harness.refuse()
    try harness.connect()
    actions = harness.take()
    #expect(actions.completed == [3] && actions.failure(3) == nil)
    #expect(harness.frames().compactMap(\.xid) == [1])
    try harness.reply(1)
    #expect(harness.take().failure(2) == nil)
  }

  @Test func whatComesInTheMiddleOfARoundFailsAfterTheNext() {
    var harness = Harness(servers: 3)
    harness.start()
    harness.refuse()
    harness.submit(1)
    harness.refuse()
    harness.refuse()
    #expect(harness.take().completed == [])
    harness.tick(after: 5_000)
    for _ in 0..<3 { harness.refuse() }
    #expect(harness.take().completed == [1])
  }

  @Test func pausesGrowWithinBoundsAndEndWithSuccess() throws {
    for seed in 0..<50 as Range<UInt64> {
      var harness = Harness(servers: 2) {
        $0.seed = seed
        $0.sessionTimeoutMilliseconds = 40_000
      }
      harness.start()
      for round in 0..<12 {
        harness.refuse()
        harness.refuse()
        guard case .waiting(let until) = harness.machine.phase else { return #expect(Bool(false)) }
        let ceiling = min(5_000, Int64(100) << Int64(round))
        #expect((ceiling / 2...ceiling).contains(until - harness.now))
        #expect(harness.machine.nextDeadline == until)
        _ = harness.take()
        harness.tick(after: until - harness.now - 1)
        #expect(harness.take().connects == [])
        harness.tick(after: 1)
        #expect(harness.take().connects.count == 1)
      }
      try harness.connect()
      harness.disconnect()
      harness.refuse()
      harness.refuse()
      guard case .waiting(let until) = harness.machine.phase else { return #expect(Bool(false)) }
      #expect(until - harness.now <= 100)
    }
  }

  @Test func waiterWithALimitLearnsWhatWasInTheWay() {
    var harness = Harness(servers: 2)
    harness.start()
    harness.wait(1, failsFast: false, limit: 200)
    harness.wait(2, failsFast: false, limit: 100)
    #expect(harness.machine.nextDeadline == harness.now + 100)
    harness.tick(after: 100)
    #expect(harness.take().failure(2) == .timedOut(outcomeUnknown: false))
    harness.refuse()
    harness.tick(after: 100)
    #expect(
      harness.take().failure(1)
        == .cannotConnect([
          ConnectFailure(address: harness.machine.servers[0], reason: .refused)
        ]))
  }

  @Test func staleReportsAreNoNews() {
    var harness = Harness(servers: 2)
    harness.start()
    harness.refuse()
    _ = harness.take()
    harness.machine.onConnectFailed(attempt: 1, .refused, now: harness.now, into: &harness.actions)
    harness.machine.onDisconnected(attempt: 1, now: harness.now, into: &harness.actions)
    #expect(harness.take().isEmpty)
    // A connection that succeeds after all is no longer wanted.
    harness.machine.onConnected(attempt: 1, now: harness.now, into: &harness.actions)
    #expect(harness.take().disconnects == [1])
    #expect(harness.machine.phase == .connecting)
    harness.start()
    #expect(harness.take().isEmpty)
  }

  @Test func shortAnswerIsARefusalOfAReadOnlyServer() throws {
    var harness = Harness(servers: 2) { $0.allowsReadOnly = true }
    harness.start()
    harness.open()
    try harness.receive(ReplyHeader(xid: Xid(rawValue: 0), zxid: .zero, error: .notReadOnly).encoded)
    #expect(harness.machine.phase == .connecting)
    let actions = harness.take()
    #expect(actions.disconnects == [1])
    #expect(harness.machine.failures.map(\.reason) == [.readOnlyServerRefused])
    #expect(harness.machine.state == .disconnected)
  }

  @Test(arguments: Array(0..<36).filter { $0 != 16 }) func answerOfAnyOtherLengthIsNoServers(count: Int) {
    var harness = Harness()
    harness.start()
    harness.open()
    #expect(throws: JuteError.self) { try harness.receive([UInt8](repeating: 1, count: count)) }
  }

  @Test func answerWithoutAPasswordIsNoServers() {
    var harness = Harness()
    harness.start()
    harness.open()
    let answer =
      bigEndian(0) + bigEndian(9_000) + bigEndian(0) + bigEndian(7) + bigEndian(-1) + [UInt8](repeating: 0, count: 16)
    #expect(throws: JuteError(.unexpectedNull, offset: 16)) { try harness.receive(answer) }
  }

  @Test func newSessionThatIsRefusedIsAFailedAttempt() throws {
    var harness = Harness(servers: 2)
    harness.start()
    harness.open()
    try harness.respond(ConnectResponse(timeoutMilliseconds: 0, sessionID: .none, password: [], readOnly: false).padded)
    #expect(harness.machine.phase == .connecting)
    #expect(harness.take().disconnects == [1])
  }

  @Test func largestTimeoutsDoNotOverflow() throws {
    let longest = Duration.seconds(Int64.max).milliseconds
    var harness = Harness {
      $0.connectTimeoutMilliseconds = longest
      $0.sessionTimeoutMilliseconds = longest
    }
    harness.start()
    harness.wait(1, failsFast: false, limit: longest)
    #expect(try #require(harness.machine.nextDeadline) > harness.now)
    harness.open()
    guard case .connect(let request)? = harness.frames().first else { return #expect(Bool(false)) }
    #expect(request.timeoutMilliseconds == .max)
    try harness.connect(timeout: .max)
    harness.submit(2, limit: longest)
    harness.tick(after: 1)
    #expect(harness.take().completed == [1])
  }
}

extension ConnectResponse {
  /// The same with the password that servers send, whatever they say.
  var padded: ConnectResponse {
    var response = self
    response.password = [UInt8](repeating: 0, count: ConnectRequest.passwordLengthBytes)
    return response
  }
}
