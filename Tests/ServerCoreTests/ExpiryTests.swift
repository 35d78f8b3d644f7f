import ServerCore
import Testing
import ZnodeTree
import ZooKeeperProtocol

/// Sessions that expire at the same time, more than are ended at once.
@Suite struct ExpiryTests {
  @Test func onlySomeExpireAtOnce() {
    let bench = Bench { $0.expiredAtOnceCount = 3 }
    bench.holdsCommits = true
    let clients = (0..<8).map { _ in bench.connect(timeout: 6000) }
    bench.commit()
    let ids = clients.map(\.connection.sessionID)
    bench.now += 20_000
    #expect(bench.core.expireSessions(bench.time) == Array(ids[0..<3]))
    #expect(bench.core.isExpiring && !bench.core.canExpireMore)
    // The next ones wait until the others are gone, however often one asks.
    #expect(bench.core.expireSessions(bench.time).isEmpty && bench.core.isExpiring)
    bench.commit()
    #expect(clients[0..<3].allSatisfy(\.isClosed) && bench.core.canExpireMore)
    // Who speaks before its turn comes lives on.
    clients[4].submit(.ping)
    #expect(bench.core.expireSessions(bench.time) == [ids[3], ids[5], ids[6]])
    bench.commit()
    #expect(bench.core.expireSessions(bench.time) == [ids[7]])
    #expect(!bench.core.isExpiring && !bench.core.canExpireMore)
    bench.commit()
    #expect(bench.core.sessionCount == 1 && bench.core.counters.sessionsExpired == 7 && !clients[4].isClosed)
    bench.now += 20_000
    #expect(bench.core.expireSessions(bench.time) == [ids[4]])
  }

  /// As many as may expire at once are no reason to come again.
  @Test(arguments: [1, 2, 5]) func limitThatIsJustReachedEndsIt(_ limit: Int) {
    let bench = Bench { $0.expiredAtOnceCount = limit }
    let clients = (0..<limit).map { _ in bench.connect(timeout: 6000) }
    bench.now += 20_000
    #expect(bench.core.expireSessions(bench.time) == clients.map(\.connection.sessionID))
    #expect(!bench.core.isExpiring)
  }

  /// Many sessions that live are looked at in pieces too, and none of them is lost on the way.
  @Test func livingSessionsMoveInPieces() {
    let bench = Bench { $0.expiredAtOnceCount = 1 }
    let clients = (0..<100).map { _ in bench.connect(timeout: 6000) }
    bench.now += 5000
    for client in clients { client.submit(.ping) }
    bench.now += 5000
    var callCount = 0
    repeat {
      #expect(bench.core.expireSessions(bench.time).isEmpty)
      callCount += 1
    } while bench.core.canExpireMore
    #expect((6...8).contains(callCount), "\(callCount)")
    bench.now += 20_000
    for client in clients {
      #expect(bench.core.expireSessions(bench.time) == [client.connection.sessionID])
      bench.settle()
    }
    #expect(bench.core.sessionCount == 0 && !bench.core.isExpiring)
  }

  /// The order does not depend on that of a dictionary, which is another one in each process.
  @Test func recoveredSessionsExpireInOrder() {
    var settings = ServerSettings()
    settings.expiredAtOnceCount = 10
    let sessions = Dictionary(uniqueKeysWithValues: (1...100).map { (SessionID(rawValue: $0), Int32(6000)) })
    let core = ServerCore(
      settings: settings, tree: DataTree(extendedTypesEnabled: true), sessions: sessions, time: Bench.time(0))
    for first in stride(from: Int64(1), to: 100, by: 10) {
      let expired = core.expireSessions(Bench.time(20_000))
      #expect(expired == (first..<(first + 10)).map { SessionID(rawValue: $0) })
      var last = Zxid.zero
      core.drainProposals { last = $0.zxid }
      core.commit(through: last, Bench.time(20_000))
    }
    #expect(core.sessionCount == 0 && !core.isExpiring)
  }

  /// Local sessions need no transaction, so the next ones need not wait for anything.
  @Test func localSessionsExpireInPieces() {
    let follower = Bench(role: .learner) {
      $0.hasLocalSessions = true
      $0.expiredAtOnceCount = 2
    }
    let clients = (0..<5).map { _ in follower.connect() }
    follower.now += 40_000
    var pieces: [Int] = []
    repeat { pieces.append(follower.core.expireSessions(follower.time).count) } while follower.core.canExpireMore
    #expect(pieces == [2, 2, 1] && clients.allSatisfy(\.isClosed) && follower.core.localSessionCount == 0)
  }
}
