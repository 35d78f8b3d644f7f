import Jute
import ServerCore
import Testing
import ZooKeeperProtocol

/// Requests over a limit wait their turn, or are dropped or refused, and none of them is lost or counted twice.
@Suite struct RequestLimitsTests {
  private func bench(_ change: @escaping (inout RequestLimits) -> Void) -> Bench {
    let bench = Bench { change(&$0.limits) }
    return bench
  }

  /// Lets what waits go on until nothing changes.
  private func settle(_ bench: Bench) {
    for _ in 0..<100 {
      bench.core.admitWaitingRequests(bench.time)
      bench.commit()
    }
  }

  @Test func requestsOverTheLimitWaitInTheirOrder() {
    let bench = bench { $0.maximumRequests = 2 }
    let client = bench.connect()
    bench.holdsCommits = true
    for name in ["a", "b", "c"] { client.submit(.create(Bench.create("/\(name)"))) }
    client.submit(.exists(PathWatchRequest(path: "/c")))
    #expect(bench.core.proposalsInFlight == 2)
    #expect(bench.core.counters.outstandingRequests == 4 && client.connection.outstandingCount == 4)
    bench.core.admitWaitingRequests(bench.time)
    #expect(client.received().isEmpty && bench.core.metrics.requestWaits == 1)
    bench.now += 40
    settle(bench)
    #expect(client.received().map(\.error) == [.ok, .ok, .ok, .ok])
    #expect(bench.core.counters.outstandingRequests == 0 && !bench.core.hasWaitingRequests)
    #expect(bench.core.metrics.requestWaitTime.distribution.maximum == 40_000)
  }

  @Test func oneClientDoesNotKeepTheOthersWaiting() {
    let bench = bench { $0.maximumRequests = 1 }
    let (busy, light) = (bench.connect(), bench.connect())
    bench.holdsCommits = true
    for number in 0..<50 { busy.submit(.create(Bench.create("/b\(number)"))) }
    light.submit(.create(Bench.create("/light")))
    // One that is being handled, and one of each client.
    for _ in 0..<3 {
      bench.commit()
      bench.core.admitWaitingRequests(bench.time)
    }
    bench.commit()
    #expect(light.received().map(\.error) == [.ok])
    #expect(busy.received().count < 5)
    settle(bench)
    #expect(busy.received().count > 40 && bench.core.counters.outstandingRequests == 0)
  }

  @Test func pingsDoNotWaitAndASessionLivesWhileItsRequestsDo() {
    let bench = bench { $0.maximumRequests = 1 }
    let (busy, client) = (bench.connect(), bench.connect(timeout: 6000))
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    bench.now += 5000
    var ping = JuteWriter()
    ping.writeInt(-2)
    ping.writeInt(OpCode.ping.rawValue)
    client.send(ping.bytes)
    #expect(client.received().count == 1)
    client.submit(.create(Bench.create("/b")))
    bench.now += 5000
    #expect(bench.core.expireSessions(bench.time).isEmpty)
  }

  @Test func requestsOfAClosedConnectionAreDropped() {
    let bench = bench { $0.maximumRequests = 1 }
    let (busy, client) = (bench.connect(), bench.connect())
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    for name in ["b", "c"] { client.submit(.create(Bench.create("/\(name)"))) }
    bench.core.disconnected(client.connection)
    #expect(bench.core.metrics.staleRequestsDropped == 2)
    #expect(bench.core.counters.outstandingRequests == 1 && !bench.core.hasWaitingRequests)
    settle(bench)
    #expect(busy.stat("/a") != nil && busy.stat("/b") == nil)
  }

  @Test func theEndOfASessionOutlivesItsConnection() {
    let bench = bench { $0.maximumRequests = 1 }
    let (busy, client) = (bench.connect(), bench.connect())
    #expect(client.create("/e", flags: 1) == .ok)
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    client.submit(.closeSession)
    bench.core.disconnected(client.connection)
    settle(bench)
    #expect(bench.core.sessionCount == 1 && bench.core.counters.outstandingRequests == 0)
    bench.holdsCommits = false
    _ = busy.received()
    #expect(busy.stat("/e") == nil)
  }

  @Test func writesOfAClosedConnectionAreHandledIfStaleOnesAreKept() {
    let bench = bench { ($0.maximumRequests, $0.dropsStaleRequests) = (1, false) }
    let (busy, client) = (bench.connect(), bench.connect())
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    client.submit(.create(Bench.create("/b")))
    client.submit(.getData(PathWatchRequest(path: "/b", watch: true)))
    bench.core.disconnected(client.connection)
    settle(bench)
    _ = busy.received()
    bench.holdsCommits = false
    #expect(busy.stat("/b") != nil && bench.core.metrics.staleRequests == 2)
    #expect(bench.core.counters.outstandingRequests == 0 && bench.core.watchCount == 0)
  }

  @Test func requestsOfClosedConnectionsAreNotKeptWithoutBound() {
    let bench = bench { ($0.maximumRequests, $0.dropsStaleRequests) = (1, false) }
    let busy = bench.connect()
    let clients = (0..<40).map { _ in bench.connect() }
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    for client in clients {
      client.submit(.create(Bench.create("/b", String(repeating: "x", count: 1 << 20))))
      bench.core.disconnected(client.connection)
    }
    // 16 MiB are kept.
    #expect(bench.core.metrics.staleRequestsDropped == 25)
    settle(bench)
    #expect(bench.core.counters.outstandingRequests == 0)
  }

  @Test func lateRequestsAreDroppedWithTheirConnection() {
    let bench = bench { ($0.maximumRequests, $0.isStaleAfterSessionTimeout) = (1, true) }
    let (busy, client) = (bench.connect(), bench.connect(timeout: 6000))
    bench.holdsCommits = true
    busy.submit(.create(Bench.create("/a")))
    client.submit(.create(Bench.create("/b")))
    client.submit(.closeSession)
    bench.now += 6001
    bench.core.admitWaitingRequests(bench.time)
    #expect(client.isClosed && bench.core.metrics.staleRequestsDropped == 2)
    settle(bench)
    #expect(bench.core.counters.outstandingRequests == 0)
  }

  @Test func requestsThatHaveWaitedForTooLongAreRefused() {
    let bench = bench { ($0.maximumRequests, $0.refusalMilliseconds) = (1, 100) }
    let client = bench.connect()
    bench.holdsCommits = true
    client.submit(.create(Bench.create("/a")))
    client.submit(.create(Bench.create("/b")))
    client.submit(.exists(PathWatchRequest(path: "/")))
    client.submit(.closeSession)
    bench.now += 101
    settle(bench)
    #expect(client.received().map(\.error) == [.ok, .throttledOp, .throttledOp, .ok])
    #expect(bench.core.metrics.refusedRequests == 2 && bench.core.counters.outstandingRequests == 0)
  }

  @Test func largeRequestsShareABudget() {
    let bench = bench { ($0.largeRequestThresholdBytes, $0.largeRequestLimitBytes) = (1000, 2500) }
    let (client, other) = (bench.connect(), bench.connect())
    bench.holdsCommits = true
    client.submit(.create(Bench.create("/a", String(repeating: "x", count: 1000))))
    client.submit(.create(Bench.create("/small", String(repeating: "x", count: 800))))
    client.submit(.create(Bench.create("/b", String(repeating: "x", count: 1000))))
    #expect(!client.isClosed)
    other.submit(.create(Bench.create("/c", String(repeating: "x", count: 1000))))
    #expect(other.isClosed && bench.core.metrics.largeRequestsRejected == 1)
    settle(bench)
    #expect(client.received().map(\.error) == [.ok, .ok, .ok])
    // What was answered counts no longer, and neither does a read.
    bench.holdsCommits = false
    for _ in 0..<5 {
      #expect(client.call(.exists(PathWatchRequest(path: "/" + String(repeating: "y", count: 1200)))) == .noNode)
      #expect(client.call(Bench.set("/a", String(repeating: "z", count: 1500))) == .ok)
    }
  }

  @Test func theRoomForALargeRequestIsTakenWhenItsLengthHasCome() {
    let bench = bench { ($0.largeRequestThresholdBytes, $0.largeRequestLimitBytes) = (1000, 2500) }
    let (first, second) = (bench.connect(), bench.connect())
    #expect(bench.core.expect(frameBytes: 2000, on: first.connection))
    #expect(bench.core.expect(frameBytes: 2000, on: first.connection))
    #expect(!bench.core.expect(frameBytes: 2000, on: second.connection))
    #expect(bench.core.expect(frameBytes: 900, on: second.connection))
    bench.core.disconnected(first.connection)
    #expect(bench.core.expect(frameBytes: 2000, on: second.connection))
    // The frame itself does not count twice.
    second.submit(.create(Bench.create("/a", String(repeating: "x", count: 1900))))
    #expect(!second.isClosed)
    #expect(bench.core.expect(frameBytes: 2500, on: second.connection))
  }

  @Test func aClientThatDoesNotReadKeepsNobodyWaiting() {
    let bench = bench { $0.maximumRequests = 3 }
    let (greedy, light) = (bench.connect(), bench.connect())
    #expect(light.create("/big", String(repeating: "x", count: 900_000)) == .ok)
    bench.holdsCommits = true
    greedy.submit(.create(Bench.create("/a")))
    for _ in 0..<6 { greedy.submit(.getData(PathWatchRequest(path: "/big"))) }
    bench.commit()
    // Its output is full, so that its reads wait, and take up the limit.
    bench.core.admitWaitingRequests(bench.time)
    bench.core.setReaderSlow(true, greedy.connection)
    bench.holdsCommits = false
    light.submit(.create(Bench.create("/light")))
    settle(bench)
    #expect(light.received().map(\.error) == [.ok])
  }
}
