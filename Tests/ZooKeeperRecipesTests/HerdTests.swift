import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperRecipes

/// A release wakes one client only: of many that wait, no two watch the same znode.
@Suite(.serialized, .timeLimit(.minutes(10))) struct HerdTests {
  private func expectSingleWatchers(under path: String, count: Int, _ server: ServerKind) async throws {
    let watchers = try await eventually("\(count) watches under \(path)", within: .seconds(30)) {
      let watchers = try await server.watchers().filter { $0.key.hasPrefix(path) }
      return watchers.count >= count ? watchers : nil
    }
    #expect(watchers.values.allSatisfy { $0 == 1 }, "\(watchers)")
  }

  @Test(arguments: ServerKind.allCases) func aReleaseWakesOne(server: ServerKind) async throws {
    let path = uniquePath("herd")
    let address = try await server.connectString
    try await withSession(address) { client in
      let lock = Lock(client, path: path)
      let hold = try #require(try await lock.acquire())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            try await withSession(address) { client in
              let hold = try #require(try await Lock(client, path: path).acquire())
              try await hold.release()
            }
          }
        }
        try await expectSingleWatchers(under: path, count: 8, server)
        try await hold.release()
        try await group.waitForAll()
      }
    }
  }

  @Test(arguments: ServerKind.allCases) func anItemWakesOneTaker(server: ServerKind) async throws {
    let path = uniquePath("takers")
    let address = try await server.connectString
    try await withSession(address) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 {
          group.addTask {
            try await withSession(address) { client in
              try await #expect(WorkQueue(client, path: path).take() != nil)
            }
          }
        }
        // Five watch their predecessor. (The first watches the queue: servers do not list watches of children.)
        try await expectSingleWatchers(under: path, count: 5, server)
        for number in 0..<6 { _ = try await WorkQueue(client, path: path).put("\(number)".bytes) }
        try await group.waitForAll()
      }
    }
  }

  @Test(arguments: ServerKind.allCases) func aCandidateWakesNoObserver(server: ServerKind) async throws {
    let path = uniquePath("observed")
    let address = try await server.connectString
    try await withSession(address) { client in
      let election = Election(client, path: path)
      let hold = try #require(try await election.lead(name: "first".bytes))
      let (leaders, next) = AsyncStream<String?>.makeStream()
      async let isDone = withSession(address) { client in
        try await Election(client, path: path).observe { leader in
          next.yield(leader.map { String(decoding: $0.name ?? [], as: UTF8.self) })
          return leader?.name != "third".bytes
        }
      }
      var seen = leaders.makeAsyncIterator()
      #expect(await seen.next() == .some("first"))
      async let second = withSession(address) { client in
        let hold = try #require(try await Election(client, path: path).lead(name: "second".bytes))
        try await hold.release()
      }
      _ = try await children(of: path, client) { $0.count == 2 }
      // A session that goes on: a leader that is gone at once may be missed, and the last one is never.
      let last = try await session(address)
      async let third = Election(last, path: path).lead(name: "third".bytes)
      _ = try await children(of: path, client) { $0.count == 3 }
      try await hold.release()
      try await second
      #expect(try await third != nil)
      _ = try await isDone
      await last.close()
      next.finish()
    }
  }
}
