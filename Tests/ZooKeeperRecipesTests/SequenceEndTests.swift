import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperRecipes

/// At the end of the sequence numbers, no client gets what another one has.
@Suite(.serialized, .timeLimit(.minutes(10))) struct SequenceEndTests {
  /// Who is inside.
  private final class Inside: Sendable {
    let state = Mutex((now: 0, most: 0, tokens: [Zxid]()))
  }

  @Test(arguments: [
    (Int32(0), Int32(0)), (10, 0), (.max - 1, 0), (.max, 0), (7, 3), (.max, 1_000_000),
  ]) func theCountIsReadFromTheStat(created: Int32, children: Int32) {
    let stat = Stat(
      czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0,
      cversion: created &* 2 &- children, aversion: 0, ephemeralOwner: .none, dataLength: 0, numChildren: children,
      pzxid: .zero)
    #expect(SequenceNumbers.created(stat) == created)
  }

  @Test(
    arguments: [([0, 1, 2], true), ([5], true), ([], true), ([1, 1], false), ([.max], false), ([-1], false)]
      as [([Int32], Bool)]) func numbersTellTheOrderWhileTheyAreUnique(numbers: [Int32], isOrdered: Bool)
  {
    #expect(SequenceNumbers.determineOrder(numbers) == isOrdered)
  }

  @Test(arguments: ServerKind.allCases) func aLockHasOneHolderAndNoWaiterIsLeft(kind: ServerKind) async throws {
    let server = try await LongLivedServer(kind, path: "/end", count: .max - 2)
    let inside = Inside()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try await withSession(server.connectString) { client in
            for _ in 0..<3 {
              let hold = try #require(try await Lock(client, path: "/end").acquire(limit: .seconds(60)))
              inside.state.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
                $0.tokens.append(hold.zxid)
              }
              _ = try await client.exists("/")
              inside.state.withLock { $0.now -= 1 }
              try await hold.release()
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let (_, most, tokens) = inside.state.withLock(\.self)
    #expect(most == 1)
    #expect(tokens.count == 24 && tokens == tokens.sorted())
    try await withSession(server.connectString) { client in
      try await #expect(isEmpty("/end", client))
      // All that is there says the same of who is first.
      let first = try #require(try await Election(client, path: "/end").lead(name: "a".bytes, limit: .seconds(60)))
      try await withSession(server.connectString) { other in
        try await #expect(Election(other, path: "/end").lead(name: "b".bytes, limit: .milliseconds(50)) == nil)
        let seen = try await Election(other, path: "/end").participants()
        #expect(seen.map(\.path) == [first.path])
      }
    }
  }

  @Test(arguments: ServerKind.allCases) func noNumberIsGivenTwice(kind: ServerKind) async throws {
    let server = try await LongLivedServer(kind, path: "/end", count: .max - 3)
    let given = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await withSession(server.connectString) { client in
            var numbers: [Int64] = []
            for _ in 0..<4 {
              do {
                numbers.append(try await IdentifierSource(client, path: "/end").next())
              } catch let error as RecipeError {
                guard case .exhausted = error.code else { throw error }
              }
            }
            return numbers
          }
        }
      }
      return try await group.reduce([]) { $0 + $1 }
    }
    #expect(given.sorted() == [2_147_483_644, 2_147_483_645, 2_147_483_646])
    try await withSession(server.connectString) { client in
      try await #expect(isEmpty("/end", client))
    }
  }

  @Test(arguments: ServerKind.allCases) func aQueueRefusesBeforeItsNamesEnd(kind: ServerKind) async throws {
    let server = try await LongLivedServer(kind, path: "/end", count: .max - 1)
    try await withSession(server.connectString) { client in
      let queue = WorkQueue(client, path: "/end")
      for priority in [nil, 3] as [Int32?] {
        do {
          _ = try await queue.put("x".bytes, priority: priority)
          Issue.record("it was put in")
        } catch let error as RecipeError {
          guard case .exhausted = error.code else { throw error }
        }
      }
      try await #expect(queue.count() == 0)
      // What others have put in all the same comes out once each, in the order in which it came.
      for name in ["qn-", "entry-000-", "queue-100000000"] {
        try await client.create("/end/\(name)", data: name.bytes, mode: .persistentSequential)
      }
      var taken: [String] = []
      while let item = try await queue.take(limit: .zero) { taken.append(ZnodePath.name(of: item.path)) }
      #expect(taken.map { $0.prefix(3) } == ["qn-", "ent", "que"])
    }
  }

  @Test func additionsThatCannotBeCheckedAreRefused() async throws {
    let server = try await ServerKind.zkcli.connectString
    let fake = uniquePath("counter")
    try await withSession(server) { client in
      // The way to a version of -1 is long: the rule alone is tried, and the way around it.
      try await #expect(Counter(client, path: fake).set(4) == 4)
      try await #expect(Counter(client, path: fake).add(1) == 5)
    }
    #expect(Counter.isCheckable(version: 0) && Counter.isCheckable(version: .min) && !Counter.isCheckable(version: -1))
  }
}
