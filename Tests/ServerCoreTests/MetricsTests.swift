import ServerCore
import Testing
import ZooKeeperProtocol

/// What a core counts and measures.
@Suite struct MetricsTests {
  @Test func readsAndWritesAreMeasured() {
    let bench = Bench()
    let client = bench.connect()
    client.create("/a", "12345")
    bench.holdsCommits = true
    client.submit(Bench.set("/a", "1"))
    client.submit(.getData(PathWatchRequest(path: "/a", watch: false)))
    client.submit(.getData(PathWatchRequest(path: "/a", watch: false)))
    bench.now += 20
    bench.commit()
    let metrics = bench.core.metrics
    // The session, the create, the set.
    #expect(metrics.preparedCount == 3 && metrics.appliedCount == 3)
    #expect(metrics.updateLatency.distribution.count == 3)
    #expect(metrics.updateLatency.distribution.maximum == 20_000)
    #expect(metrics.readLatency.distribution.count == 2)
    #expect(metrics.waitingReadTime.distribution.minimum == 20_000)
    #expect(metrics.readsAfterWrite.distribution.sum == 2)
    #expect(metrics.requestsInSessionQueue.distribution.maximum == 3)
    #expect(metrics.propagationLatency.distribution.maximum == 20_000)
    #expect(metrics.quorumAckLatency.distribution.count == 0)
    #expect(metrics.changesQueued == metrics.changesRemoved && metrics.changesQueued > 0)
    #expect(metrics.writtenBytes.distributions.map(\.name) == ["a"])
    #expect(metrics.writtenBytes.distributions.first?.1.sum == 2 + 5 + 2 + 1)
  }

  @Test func bytesAreThoseOfTheFrames() {
    let bench = Bench()
    let client = bench.connect()
    let (received, sent) = (bench.core.metrics.bytesReceived, bench.core.metrics.responseBytes)
    client.submit(.getData(PathWatchRequest(path: "/", watch: false)))
    // Length, xid, type, the path with its length, the flag.
    #expect(bench.core.metrics.bytesReceived - received == 4 + 8 + 5 + 1)
    #expect(bench.core.metrics.responseBytes - sent == client.connection.output.count)
  }

  @Test func eventsCountTheClientsThatAreTold() {
    let bench = Bench()
    let clients = [bench.connect(), bench.connect(), bench.connect()]
    clients[0].create("/a")
    for client in clients { client.call(.getData(PathWatchRequest(path: "/a", watch: true))) }
    clients[0].call(Bench.set("/a", "1"))
    clients[0].call(Bench.set("/a", "2"))
    let metrics = bench.core.metrics
    #expect(metrics.changedWatchers.distribution.count == 1)
    #expect(metrics.changedWatchers.distribution.sum == 3)
    #expect(metrics.deletedWatchers.distribution.count == 0)
    #expect(metrics.watchBytes > 0)
  }

  @Test func theNextCoreGoesOnCounting() {
    let bench = Bench()
    bench.connect().create("/a")
    let applied = bench.core.metrics.appliedCount
    let next = ServerCore(
      settings: bench.core.settings, tree: bench.core.tree, time: bench.time, metrics: bench.core.metrics)
    #expect(next.metrics.appliedCount == applied && applied > 0)
    next.resetStatistics()
    #expect(next.metrics.appliedCount == applied)
    #expect(next.metrics.updateLatency.distribution.count == 0)
  }
}
