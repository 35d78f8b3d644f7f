import Jute
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// A session that outlives its connection.
@Suite(.timeLimit(.minutes(10)))
struct ReconnectTests {
  @Test func sessionIsTakenBackWithIdPasswordAndLastZxid() throws {
    var harness = try Harness.connected(servers: 2)
    harness.submit(1)
    harness.submit(2)
    harness.submit(3)
    try harness.reply(1, zxid: 40)
    try harness.reply(2, zxid: 44, .noNode)
    try harness.reply(3, zxid: 43)
    // Neither pings nor events are replies that the client may rely on.
    try harness.reply(-2, zxid: 90)
    try harness.notify(.nodeCreated, "/x", zxid: 91)
    _ = harness.take()
    harness.disconnect()
    let actions = harness.take()
    #expect(actions.states == [.disconnected])
    #expect(actions.connects == [harness.machine.servers[1].host])
    _ = harness.frames()
    harness.open()
    #expect(
      harness.frames() == [
        .connect(
          ConnectRequest(
            lastZxidSeen: Zxid(rawValue: 44), timeoutMilliseconds: 9_000, sessionID: Harness.session,
            password: Harness.password, readOnly: false))
      ])
  }

  @Test func identitiesGoFirstThenWatchesThenQueuedRequests() throws {
    var harness = try Harness.connected()
    harness.addIdentity(1, "a:1")
    harness.addIdentity(2, "b:2")
    try harness.reply(-4, zxid: 0)
    try harness.reply(-4, zxid: 0)
    #expect(harness.take().completed == [1, 2])
    try harness.watch(.data, "/d", 1)
    try harness.watch(.child, "/c", 2)
    try harness.watch(.exist, "/e", 3, .noNode)
    harness.disconnect()
    harness.submit(10)
    harness.addIdentity(11, "c:3")
    harness.submit(12, .sync(PathRequest(path: "/")))
    #expect(harness.machine.outbound.bytes == [])
    harness.open()
    _ = harness.frames()
    try harness.respond(
      ConnectResponse(
        timeoutMilliseconds: 9_000, sessionID: Harness.session, password: Harness.password, readOnly: false))
    let frames = harness.frames()
    #expect(
      frames.compactMap(\.request) == [
        .auth(AuthPacket(scheme: "digest", auth: Array("a:1".utf8))),
        .auth(AuthPacket(scheme: "digest", auth: Array("b:2".utf8))),
        .auth(AuthPacket(scheme: "digest", auth: Array("c:3".utf8))),
        .setWatches(
          SetWatches(
            relativeZxid: Zxid(rawValue: 1), dataWatches: ["/d"], existWatches: ["/e"], childWatches: ["/c"])),
        .getData(PathWatchRequest(path: "/a")), .sync(PathRequest(path: "/")),
      ])
    #expect(frames.map(\.xid) == [-4, -4, -4, -8, 4, 5])
  }

  @Test func persistentWatchesNeedTheNewerOperation() throws {
    var harness = try Harness.connected()
    try harness.watch(.persistent, "/p", 1)
    try harness.watch(.persistentRecursive, "/r", 2, .noNode)
    harness.disconnect()
    harness.open()
    _ = harness.frames()
    try harness.connect()
    #expect(
      harness.frames().compactMap(\.request) == [
        .setWatches2(
          SetWatches(
            relativeZxid: Zxid(rawValue: 1), persistentWatches: ["/p"], persistentRecursiveWatches: ["/r"]))
      ])
  }

  @Test func manyWatchesAreSentInPieces() throws {
    var harness = try Harness.connected()
    let paths = (0..<3_000).map { "/\($0)-" + String(repeating: "x", count: 100) }
    for (index, path) in paths.enumerated() { try harness.watch(index % 2 == 0 ? .data : .child, path, index + 1) }
    harness.disconnect()
    harness.open()
    _ = harness.frames()
    try harness.connect()
    var seen: [String] = []
    let frames = harness.frames()
    #expect(frames.count == 3)
    for frame in frames {
      guard case .request(.setWatches, .setWatches(let request)) = frame else { return #expect(Bool(false)) }
      let part = request.dataWatches + request.childWatches
      #expect(part.map { $0.utf8.count }.reduce(0, +) <= WatchRegistry.setWatchesChunkBytes)
      seen += part
    }
    #expect(seen.sorted() == paths.sorted())
  }

  @Test func nothingIsSentWhereNothingIsWatched() throws {
    var harness = try Harness.connected()
    harness.disconnect()
    harness.open()
    _ = harness.frames()
    try harness.connect()
    #expect(harness.frames() == [])
  }

  @Test func serverThatDropsEverybodyIsAskedLessAndLess() throws {
    var harness = try Harness.connected()
    var pauses: [Int64] = []
    for _ in 0..<8 {
      harness.disconnect()
      if case .waiting(let until) = harness.machine.phase {
        pauses.append(until - harness.now)
        harness.tick(after: until - harness.now)
      }
      #expect(harness.machine.phase == .connecting)
      try harness.connect()
    }
    // A few losses in a row may be bad luck.
    #expect(pauses.count == 8 - SessionSettings.shortConnectionLimit)
    #expect(try #require(pauses.last) > (try #require(pauses.first)))
    harness.tick(after: SessionSettings.shortConnectionMilliseconds)
    harness.disconnect()
    #expect(harness.machine.phase == .connecting)
  }

  /// The pause after a round without success, once a few quick losses have made the pauses long.
  private func pause(behind connection: (inout Harness) throws -> Void) throws -> Int64? {
    var harness = try Harness.connected()
    for _ in 0..<12 {
      harness.disconnect()
      if case .waiting(let until) = harness.machine.phase { harness.tick(after: until - harness.now) }
      try harness.connect()
    }
    try connection(&harness)
    harness.disconnect()
    if case .connecting = harness.machine.phase { harness.refuse() }
    guard case .waiting(let until) = harness.machine.phase else { return nil }
    return until - harness.now
  }

  @Test func pausesBeginAnewBehindAConnectionThatWasOfUse() throws {
    let afterLong = try pause { $0.tick(after: SessionSettings.shortConnectionMilliseconds) }
    #expect(try #require(afterLong) <= SessionSettings.firstPauseMilliseconds)
    let afterAnswer = try pause { harness in
      harness.submit(1)
      try harness.reply(1)
    }
    #expect(try #require(afterAnswer) <= SessionSettings.firstPauseMilliseconds)
    let afterNothing = try pause { _ in }
    #expect(try #require(afterNothing) > 1_000)
  }

  /// A session that has seen the transaction 40, on a connection that the server closes without an answer.
  private func closedUnanswered(_ change: (inout SessionSettings) -> Void = { _ in }) throws -> Harness {
    var harness = try Harness.connected(change)
    harness.submit(1)
    try harness.reply(1, zxid: 40)
    harness.disconnect()
    harness.wait(2)
    harness.open()
    _ = harness.take()
    harness.disconnect()
    return harness
  }

  @Test func aServerBehindWhatTheSessionHasSeenIsNamed() throws {
    var harness = try closedUnanswered()
    #expect(harness.take().compared == ["zk0"])
    harness.compare(39)
    let reason = ConnectFailure.Reason.behind(server: Zxid(rawValue: 39), seen: Zxid(rawValue: 40))
    #expect(
      harness.take().failure(2)
        == .cannotConnect([ConnectFailure(address: harness.machine.servers[0], reason: reason)]))
  }

  @Test(arguments: [40, .max, nil] as [Int64?]) func anotherOneHasClosedForAnotherReason(zxid: Int64?) throws {
    var harness = try closedUnanswered()
    harness.compare(zxid)
    let failure = ConnectFailure(address: harness.machine.servers[0], reason: .closedWithoutAnswer)
    #expect(harness.take().failure(2) == .cannotConnect([failure]))
    // An answer that comes late is none.
    harness.compare(1)
    #expect(harness.take().isEmpty)
  }

  @Test func aServerThatIsNotToBeAskedIsNotWaitedFor() throws {
    var harness = try closedUnanswered()
    let deadline = try #require(harness.machine.nextDeadline)
    harness.tick(after: deadline - harness.now)
    let failure = ConnectFailure(address: harness.machine.servers[0], reason: .closedWithoutAnswer)
    #expect(harness.take().failure(2) == .cannotConnect([failure]))
  }

  /// Such a server would refuse the session indefinitely, and its callers would wait as long.
  @Test func serversThatHaveLostTheirDataEndTheSessionInTime() throws {
    var harness = try closedUnanswered()
    harness.wait(3, failsFast: false)
    for _ in 0..<10 {
      harness.compare(7)
      #expect(harness.machine.state == .disconnected)
      guard case .waiting(let until) = harness.machine.phase else { return #expect(Bool(false)) }
      harness.tick(after: until - harness.now)
      harness.open()
      harness.disconnect()
      if harness.machine.isOverByTheClock(now: harness.now) { break }
    }
    harness.tick(after: 0)
    for _ in 0..<60 where harness.machine.state == .disconnected {
      harness.compare(7)
      guard case .waiting(let until) = harness.machine.phase else { continue }
      harness.tick(after: until - harness.now)
      harness.open()
      harness.disconnect()
    }
    #expect(harness.take().failure(3) == .sessionExpired)
    #expect(harness.machine.state == .expired)
  }

  @Test(
    arguments: [
      ("Zookeeper version: 3.8\nZxid: 0x1f\nMode: follower\n", 31), ("Zxid: 0xffffffffffffffff\r\n", -1),
      ("Zxid: 0x1ffffffffffffffff\n", nil), ("Zxid: 0x-1\n", nil), ("Zxid: 0x\n", nil), ("", nil),
      ("This ZooKeeper instance is not currently serving requests\n", nil),
    ] as [(String, Int64?)]) func aZxidIsReadFromWhatAServerSays(answer: String, zxid: Int64?)
  {
    #expect(FourLetterWord.zxid(in: answer) == zxid.map(Zxid.init))
  }

  @Test func requestsInFlightFailInOrderBeforeTheDisconnection() throws {
    var harness = try Harness.connected()
    for id in 1...3 { harness.submit(id) }
    harness.addIdentity(4)
    try harness.reply(1)
    _ = harness.take()
    harness.disconnect()
    let actions = harness.take()
    #expect(actions.completed == [2, 3, 4])
    for id in 2...4 { #expect(actions.failure(id) == .connectionLoss(outcomeUnknown: true)) }
    let end = actions.firstIndex { if case .notify = $0 { true } else { false } }
    let last = actions.lastIndex { if case .complete = $0 { true } else { false } }
    #expect(try #require(last) < (try #require(end)))
  }

  @Test func identityThatWasInFlightIsSentAgain() throws {
    var harness = try Harness.connected()
    harness.addIdentity(1, "a:1")
    harness.disconnect()
    _ = harness.take()
    harness.open()
    _ = harness.frames()
    try harness.connect()
    #expect(harness.frames().map(\.xid) == [-4])
    harness.addIdentity(2, "b:2")
    // One answer for the first, for which no one waits, and one for the second.
    try harness.reply(-4, zxid: 0)
    #expect(harness.take().completed == [])
    try harness.reply(-4, zxid: 0)
    #expect(harness.take().succeeded(2))
  }

  @Test func replyOutOfOrderBreaksTheConnection() throws {
    var harness = try Harness.connected()
    harness.submit(1)
    harness.submit(2)
    let error = JuteError(.unknownValue(2), offset: 0)
    #expect(throws: error) { try harness.reply(2) }
    harness.disconnect(error)
    let actions = harness.take()
    #expect(actions.failure(1) == .malformedReply(error))
    #expect(actions.failure(2) == .connectionLoss(outcomeUnknown: true))
    #expect(actions.connects.count == 1)
  }

  @Test func replyThatNobodyAskedForBreaksTheConnection() throws {
    var harness = try Harness.connected()
    #expect(throws: JuteError.self) { try harness.reply(1) }
    #expect(throws: JuteError.self) { try harness.receive([0, 0, 0, 1]) }
    #expect(throws: JuteError.self) { try harness.reply(-1, body: [1, 2, 3]) }
    // An answer to an identity that was not sent says nothing.
    try harness.reply(-4, zxid: 0, .authFailed)
    #expect(harness.take().isEmpty)
  }

  @Test func oversizedReplyIsTheOldestRequests() throws {
    var harness = try Harness.connected()
    harness.submit(1)
    harness.submit(2)
    harness.disconnect(JuteError(.tooLarge(lengthBytes: 5_000_000, limitBytes: 0xfffff), offset: 0))
    let actions = harness.take()
    #expect(actions.failure(1) == .replyTooLarge(lengthBytes: 5_000_000, limitBytes: 0xfffff))
    #expect(actions.failure(2) == .connectionLoss(outcomeUnknown: true))
  }

  @Test func oversizedRequestIsRefusedHere() throws {
    var harness = try Harness.connected { $0.maximumFrameBytes = 100_000 }
    // Header 8, path 4 + 2, data 4, version 4.
    func request(_ count: Int) -> ClientRequest {
      .setData(SetDataRequest(path: "/a", data: [UInt8](repeating: 0, count: count), version: -1))
    }
    harness.submit(1, request(100_000 - 22))
    #expect(harness.take().completed == [])
    #expect(harness.machine.outbound.count == 4 + 100_000)
    harness.submit(2, request(100_000 - 21))
    #expect(harness.take().failure(2) == .requestTooLarge(lengthBytes: 100_001, limitBytes: 100_000))
    #expect(harness.machine.outbound.count == 4 + 100_000)
    // Later requests are not affected.
    harness.submit(3)
    #expect(harness.frames().map(\.xid) == [1, 2])
  }

  @Test func refusalOfTheSessionIsItsEnd() throws {
    var harness = try Harness.connected()
    try harness.watch(.data, "/d", 5)
    _ = harness.take()
    harness.disconnect()
    harness.submit(1)
    harness.wait(2)
    harness.addIdentity(3)
    _ = harness.take()
    harness.open()
    try harness.respond(ConnectResponse(timeoutMilliseconds: 0, sessionID: .none, password: [], readOnly: false).padded)
    let actions = harness.take()
    for id in 1...3 { #expect(actions.failure(id) == .sessionExpired) }
    #expect(actions.states == [.expired])
    #expect(actions.finished == [5])
    #expect(Set(actions.disconnects) == [harness.machine.attempt])
    #expect(harness.machine.state == .expired)
    #expect(harness.machine.nextDeadline == nil)
    harness.submit(4)
    harness.wait(5)
    harness.addIdentity(6)
    let late = harness.take()
    for id in 4...6 { #expect(late.failure(id) == .sessionExpired) }
  }

  @Test func refusedIdentityIsTheEndOfTheSession() throws {
    var harness = try Harness.connected()
    harness.submit(1)
    harness.addIdentity(2)
    try harness.reply(-4, zxid: 0, .authFailed)
    let actions = harness.take()
    #expect(actions.failure(1) == .authFailed)
    #expect(actions.failure(2) == .authFailed)
    #expect(actions.states == [.authFailed])
  }
}
