import Jute
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperClient

/// Networks that fail between the client and a server that does not.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ApacheServer.isInstalled))
struct ConnectionLossTests {
  static func proxy() async throws -> TCPProxy { try TCPProxy(to: try await ApacheServer.shared().port) }

  @Test func requestsInFlightFailAndTheSessionGoesOn() async throws {
    let proxy = try await Self.proxy()
    let log = EventLog()
    try await withClient(proxy.connectString) {
      $0.defaultWatcher = log.handler
    } _: { client in
      let path = uniquePath("cut")
      try await client.create(path, mode: .ephemeral)
      let session = await client.snapshot().sessionID
      proxy.stall()
      let lost = await client.send(.setData(SetDataRequest(path: path, data: [1], version: -1)))
      try proxy.cutAndResume()
      #expect(await lost.value == .failure(ZooKeeperError(.connectionLoss(outcomeUnknown: true))))
      try await client.connected(failsFast: false)
      let snapshot = await client.snapshot()
      #expect(snapshot.sessionID == session)
      #expect(snapshot.state == .syncConnected)
      #expect(try await client.exists(path)?.ephemeralOwner == session)
      #expect(log.states == [.syncConnected, .disconnected, .syncConnected])
      #expect(proxy.connectionCount == 2)
    }
  }

  @Test func requestsWaitForTheNextConnection() async throws {
    let proxy = try await Self.proxy()
    try await withClient(proxy.connectString) { client in
      let path = uniquePath("cut")
      try await client.create(path, data: [7])
      for _ in 0..<3 {
        proxy.stall()
        proxy.cut()
        // The next connection is made, and its handshake held back.
        try await eventually("loss of the connection") { await client.snapshot().state == .disconnected ? () : nil }
        async let data = client.getData(path).data
        _ = await client.snapshot()
        proxy.resume()
        #expect(try await data == [7])
      }
    }
  }

  @Test func identitiesAndWatchesSurvive() async throws {
    let proxy = try await Self.proxy()
    let log = EventLog()
    try await withSharedServer { other in
      try await withClient(proxy.connectString) {
        $0.defaultWatcher = log.handler
      } _: { client in
        let path = uniquePath("survive")
        try await client.addAuth(scheme: "digest", auth: Array("user:pass".utf8))
        try await client.create(path)
        try await client.create(path + "/secret", data: [9], acl: ACL.creatorAll)
        let data = try await client.watchData(path).events
        let children = try await client.watchChildren(path).events
        let created = try await client.watchExists(path + "/later").events
        let lasting = try await client.addWatch(path + "/lasting", mode: .persistent)
        let deep = try await client.addWatch(path + "/deep", mode: .persistentRecursive)
        try proxy.cutAndRefuse()
        // Missed, and told late.
        try await other.setData(path, data: [1])
        try proxy.accept()
        #expect(try await data.changes() == ["NodeDataChanged \(path)"])
        #expect(try await client.getData(path + "/secret").data == [9])
        // Set again, and told in time.
        try await other.create(path + "/later")
        #expect(try await created.changes() == ["NodeCreated \(path)/later"])
        #expect(try await children.changes() == ["NodeChildrenChanged \(path)"])
        try await other.create(path + "/lasting")
        var iterator = lasting.makeAsyncIterator()
        #expect(try await lasting.nextChange(&iterator) == "NodeCreated \(path)/lasting")
        try await other.create(path + "/deep")
        try await other.create(path + "/deep/er")
        var second = deep.makeAsyncIterator()
        #expect(try await deep.nextChange(&second) == "NodeCreated \(path)/deep")
        #expect(try await deep.nextChange(&second) == "NodeCreated \(path)/deep/er")
        #expect(log.states.contains(.disconnected))
      }
    }
  }

  @Test func stalledServerRunsIntoTheTimeLimit() async throws {
    let proxy = try await Self.proxy()
    try await withClient(proxy.connectString) { client in
      try await client.sync()
      proxy.stall()
      let quick = client.withTimeLimit(.milliseconds(50))
      await expectFailure(.timedOut(outcomeUnknown: true)) { try await quick.getData("/") }
      await expectFailure(.timedOut(outcomeUnknown: true)) {
        try await quick.addAuth(scheme: "digest", auth: Array("a:b".utf8))
      }
      let task = Task { try await client.getData("/") }
      _ = await client.snapshot()
      task.cancel()
      await expectCancellation(of: task)
      let late = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await client.getData("/")
      }
      await expectCancellation(of: late)
      proxy.resume()
      // The late answers are ignored.
      #expect(try await client.exists("/") != nil)
    }
  }

  /// Whether the request had been sent by then is for the scheduler to decide.
  private func expectCancellation<Value>(of task: Task<Value, any Error>) async {
    let error = await #expect(throws: ZooKeeperError.self) { try await task.value }
    guard case .cancelled? = error?.code else {
      Issue.record("no cancellation: \(String(describing: error))")
      return
    }
  }

  @Test func silenceOfTheServerEndsTheConnectionAndOnlyItsWordTheSession() async throws {
    let proxy = try await Self.proxy()
    let log = EventLog()
    let change: (inout ZooKeeperClient.Configuration) -> Void = {
      $0.sessionTimeout = .seconds(2)
      $0.defaultWatcher = log.handler
    }
    try await withClient(proxy.connectString, change) { client in
      #expect(await client.snapshot().timeoutMilliseconds == 2_000)
      let path = uniquePath("expired")
      try await client.create(path, mode: .ephemeral)
      proxy.stall()
      await expectFailure(.connectionLoss(outcomeUnknown: true)) { try await client.sync() }
      try await withSharedServer { other in
        try await eventually("end of the ephemeral", every: .milliseconds(50)) {
          try await other.exists(path) == nil ? () : nil
        }
      }
      try await eventually("expiry by the clock") { await client.snapshot().isOverByTheClock }
      #expect(log.states.last == .disconnected)
      proxy.resume()
      try await eventually("expiry") { log.states.last == .expired ? () : nil }
      #expect(log.states.suffix(2) == [.disconnected, .expired])
      await expectFailure(.sessionExpired) { try await client.sync() }
      await expectFailure(.sessionExpired) { try await client.connected() }
    }
  }

  /// A server that is down counts no time: the session lives on with it.
  @Test func aSessionOutlivesAnOutageThatIsLongerThanItsTimeout() async throws {
    let server = try await ApacheServer.start()
    try await withClient(server.connectString, { $0.sessionTimeout = .seconds(12) }) { client in
      try await client.create("/held", mode: .ephemeral)
      let session = await client.snapshot().sessionID
      try await server.kill()
      try await eventually("expiry by the clock") { await client.snapshot().isOverByTheClock }
      try await server.restart()
      try await client.withTimeLimit(.seconds(120)).connected(failsFast: false)
      #expect(await client.snapshot().sessionID == session)
      try await #expect(client.exists("/held")?.ephemeralOwner == session)
    }
  }

  @Test func aServerThatHasLostItsDataIsNamed() async throws {
    let (server, empty) = (try await ApacheServer.shared(), try await ApacheServer.start())
    let proxy = try TCPProxy(to: server.port)
    try await withClient(proxy.connectString, { $0.sessionTimeout = .seconds(60) }) { client in
      try await client.create(uniquePath("lost"))
      let seen = await client.snapshot().lastZxidSeen
      proxy.retarget(to: empty.port)
      proxy.cut()
      // The wait may begin before the loss of the connection is known.
      let reason = try await eventually("a server that lags", within: .seconds(60)) {
        do {
          try await client.connected()
        } catch let error as ZooKeeperError {
          if case .cannotConnect(let failures) = error.code, case .behind(let zxid, let own)? = failures.first?.reason {
            return (zxid: zxid, own: own)
          }
        }
        return nil
      }
      #expect(reason.own == seen && reason.zxid < seen)
    }
  }

  @Test func pingsKeepAnIdleSession() async throws {
    let server = try await ApacheServer.shared()
    try await withClient(server.connectString) {
      $0.sessionTimeout = .seconds(2)
    } _: { client in
      let session = await client.snapshot().sessionID.description
      // One for each third of the timeout: enough to outlive it twice.
      try await eventually("seven pings", within: .seconds(60), every: .milliseconds(100)) {
        let line = try server.fourLetterWord("cons").split(separator: "\n").first { $0.contains(session) }
        let count = line?.firstMatch(of: /recved=(\d+)/).flatMap { Int($0.output.1) } ?? 0
        return line?.contains("lop=PING") == true && count >= 8 ? () : nil
      }
      #expect(try server.fourLetterWord("dump").contains(session))
      #expect(await client.snapshot().sessionID.description == session)
    }
  }

  @Test func sessionThatIsEndedElsewhereHasExpired() async throws {
    let server = try await ApacheServer.shared()
    let proxy = try TCPProxy(to: server.port)
    let log = EventLog()
    try await withClient(proxy.connectString) {
      $0.defaultWatcher = log.handler
    } _: { client in
      let session = await client.snapshot().sessionID
      // Another client resumes the session by its password, and closes it.
      let socket = try LoopbackSocket.connect(to: server.port, timeout: .seconds(30))
      let request = ConnectRequest(
        lastZxidSeen: .zero, timeoutMilliseconds: 10_000, sessionID: session,
        password: sessionPassword(session.rawValue), readOnly: false)
      try proxy.cutAndRefuse()
      try socket.writeFrame(request.encoded)
      let response = try ConnectResponse(decoding: try socket.readFrame())
      #expect(response.sessionID == session)
      try socket.writeFrame(RequestHeader(xid: .first, opCode: .closeSession).encoded)
      _ = try socket.readToEnd()
      try proxy.accept()
      try await eventually("loss of the connection") { log.states.contains(.disconnected) ? () : nil }
      await expectFailure(.sessionExpired) { try await client.connected(failsFast: false) }
      // The watcher runs on another thread.
      try await eventually("the event") { log.states.contains(.expired) ? () : nil }
      #expect(log.states == [.syncConnected, .disconnected, .expired])
    }
  }

  @Test func closeLeavesNoSessionBehind() async throws {
    let server = try await ApacheServer.shared()
    let client = try makeClient(server.connectString)
    try await client.connected(failsFast: false)
    let path = uniquePath("closed")
    try await client.create(path, mode: .ephemeral)
    let session = await client.snapshot().sessionID.description
    #expect(try server.fourLetterWord("dump").contains(session))
    #expect(try server.fourLetterWord("cons").contains(session))
    async let second: Void = client.close()
    await client.close()
    await second
    // A server that is slower than the client's patience ends the session afterwards.
    try await eventually("end of the session") { try !server.fourLetterWord("dump").contains(session) }
    try await eventually("end of the connection") { try !server.fourLetterWord("cons").contains(session) ? () : nil }
    #expect(try !server.fourLetterWord("dump").contains(path))
    await expectFailure(.closed) { try await client.sync() }
    #expect(await client.snapshot().state == .closed)
    await client.close()
  }

  @Test func closeOfAStalledConnectionTakesNoLongerThanAllowed() async throws {
    let proxy = try await Self.proxy()
    let client = try makeClient(proxy.connectString)
    try await client.connected(failsFast: false)
    proxy.stall()
    async let pending = expectFailure(.closed) { try await client.getData("/") }
    _ = await client.snapshot()
    let duration = await ContinuousClock().measure { await client.close(limit: .milliseconds(100)) }
    // The loop counts whole milliseconds.
    #expect(duration > .milliseconds(90))
    #expect(duration < .seconds(20))
    _ = await pending
    proxy.resume()
  }
}

extension TCPProxy {
  /// Cuts what is there, which throws away what was held back, and forwards again.
  func cutAndResume() throws {
    cut()
    resume()
  }

  /// Closes all connections and refuses new ones.
  func cutAndRefuse() throws {
    refuse()
    cut()
  }
}
