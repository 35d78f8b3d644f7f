import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Requests of a stream beside other requests: each has one outcome, whatever becomes of the connection.
@Suite(.timeLimit(.minutes(10)))
struct StreamTests {
  @Test func repliesAreMatchedInTheOrderOfTheRequests() throws {
    var harness = try Harness.connected()
    #expect(harness.stream(0) == nil)
    harness.submit(7)
    #expect(harness.stream(1) == nil)
    #expect(harness.frames().map(\.xid) == [1, 2, 3])
    try harness.reply(1)
    #expect(harness.machine.takeOutcomes() == ["0 success"])
    // The other request comes first.
    #expect(throws: JuteError.self) { try harness.reply(3) }
    try harness.reply(2)
    try harness.reply(3, zxid: 1, .noNode)
    #expect(harness.machine.takeOutcomes() == ["1 server(NoNode)"])
    #expect(throws: JuteError.self) { try harness.reply(4) }
  }

  @Test func orderHoldsWhereXidsBeginAgain() throws {
    var harness = try Harness.connected()
    harness.machine.nextXid = Xid(rawValue: .max)
    #expect(harness.stream(0) == nil)
    harness.submit(7)
    #expect(harness.stream(1) == nil)
    #expect(harness.frames().map(\.xid) == [.max, 1, 2])
    try harness.reply(.max)
    #expect(throws: JuteError.self) { try harness.reply(2) }
    try harness.reply(1)
    try harness.reply(2)
    #expect(harness.machine.takeOutcomes() == ["0 success", "1 success"])
  }

  @Test func limitEndsTheWaitAndTheReplyIsStillExpected() throws {
    var harness = try Harness.connected()
    #expect(harness.stream(0, limit: 100) == nil)
    harness.tick(after: 50)
    #expect(harness.stream(1, limit: 100) == nil)
    #expect(try #require(harness.machine.nextDeadline) <= harness.now + 50)
    harness.tick(after: 50)
    #expect(harness.machine.takeOutcomes() == ["0 timedOut"])
    #expect(harness.machine.nextDeadline == harness.now + 50)
    try harness.reply(1)
    try harness.reply(2)
    #expect(harness.machine.takeOutcomes() == ["1 success"])
  }

  @Test func lostConnectionIsTheOutcomeOfAllThatWasSent() throws {
    var harness = try Harness.connected()
    #expect(harness.stream(0, limit: 10) == nil)
    #expect(harness.stream(1) == nil)
    harness.tick(after: 10)
    harness.disconnect()
    #expect(harness.machine.takeOutcomes() == ["0 timedOut", "1 lost"])
    #expect(harness.stream(2)?.code == .connectionLoss(outcomeUnknown: false))
    try harness.connect()
    #expect(harness.stream(3) == nil)
    harness.close(9)
    #expect(harness.stream(4)?.code == .closed)
    harness.tick(after: 2_000)
    #expect(harness.machine.takeOutcomes() == ["3 lost"])
  }

  @Test func tooLargeRequestIsRefused() throws {
    var harness = try Harness.connected { $0.maximumFrameBytes = 40_000 }
    let data = [UInt8](repeating: 1, count: 40_000)
    let refusal = harness.stream(0, .setData(SetDataRequest(path: "/a", data: data, version: -1)))
    guard case .requestTooLarge? = refusal?.code else { return #expect(Bool(false), "\(refusal as Any)") }
    #expect(harness.frames() == [])
  }
}

extension Harness {
  fileprivate mutating func stream(
    _ number: Int, _ request: ClientRequest = .getData(PathWatchRequest(path: "/a")), limit: Int64 = 60_000
  ) -> ZooKeeperError? {
    machine.stream(
      EncodedRequest(request), number: number, sentNanoseconds: now * 1_000_000, deadline: now + limit, now: now)
  }
}

extension SessionMachine {
  fileprivate mutating func takeOutcomes() -> [String] {
    defer { streamReplies.removeAll() }
    return streamReplies.map { reply in
      if case .server(let error) = reply.outcome { return "\(reply.number) server(\(error.name))" }
      return "\(reply.number) \(reply.outcome)"
    }
  }
}
