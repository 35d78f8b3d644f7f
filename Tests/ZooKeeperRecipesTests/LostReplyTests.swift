import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperRecipes

/// Each answer of the server's is lost in turn: what was done must be found out, and nothing done twice.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LostReplyTests {
  /// Runs `body` on a session whose `count`-th reply from then on is lost, and looks with another session.
  private func losing(
    _ count: Int, on server: ServerKind, _ body: @Sendable (ZooKeeperClient) async throws -> Void,
    _ look: @Sendable (ZooKeeperClient) async throws -> Void
  ) async throws {
    let proxy = try TCPProxy(to: try await server.port)
    try await withSession(proxy.connectString) { client in
      proxy.dropReply(after: count)
      try await body(client)
      #expect(proxy.hasDropped, "there were not so many replies")
      try await withSession(try await server.connectString) { try await look($0) }
    }
  }

  static let cases = ServerKind.allCases.flatMap { server in (0..<5).map { (server, $0) } }

  @Test(arguments: cases) func aLockIsWaitedForOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-lock")
    try await losing(count, on: server) { client in
      let hold = try #require(try await Lock(client, path: path).acquire(data: "me".bytes))
      try await withSession(try await server.connectString) { other in
        try await #expect(other.getChildren(path).count == 1)
        try await #expect(other.exists(hold.path)?.czxid == hold.zxid)
      }
      try await hold.release()
    } _: { other in
      try await #expect(isEmpty(path, other))
    }
  }

  @Test(arguments: cases) func aSlotIsTakenOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-slot")
    try await losing(count, on: server) { client in
      _ = try #require(try await Semaphore(client, path: path, slots: 2).acquire())
    } _: { other in
      try await #expect(other.getChildren("\(path)/leases").count == 1)
      try await #expect(isEmpty("\(path)/locks", other))
    }
  }

  @Test(arguments: cases) func anItemIsPutOnceAndTakenOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-item")
    try await losing(count, on: server) { client in
      _ = try await WorkQueue(client, path: path).put("one".bytes)
    } _: { other in
      try await #expect(WorkQueue(other, path: path).items().map(\.data) == ["one".bytes])
      _ = try await WorkQueue(other, path: path).put("two".bytes)
    }
    try await losing(count, on: server) { client in
      try await #expect(WorkQueue(client, path: path).take(limit: .zero)?.data == "one".bytes)
    } _: { other in
      let items = try await WorkQueue(other, path: path).items()
      #expect(items.map(\.data) == ["two".bytes])
      #expect(items.map(\.isClaimed) == [false])
    }
  }

  @Test(arguments: cases) func aCounterCountsOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-count")
    try await losing(count, on: server) { client in
      try await #expect(Counter(client, path: path).add(7) == 7)
      try await #expect(Counter(client, path: path).add(-2) == 5)
    } _: { other in
      try await #expect(Counter(other, path: path).value() == 5)
      try await #expect(isEmpty(path, other))
    }
  }

  @Test(arguments: cases) func aNumberIsGivenOutOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-id")
    try await losing(count, on: server) { client in
      let numbers = [
        try await IdentifierSource(client, path: path).next(), try await IdentifierSource(client, path: path).next(),
      ]
      #expect(numbers[0] < numbers[1])
    } _: { other in
      try await #expect(isEmpty(path, other))
    }
  }

  @Test(arguments: cases) func aMemberJoinsOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-member")
    try await losing(count, on: server) { client in
      _ = try #require(try await Group(client, path: path).join("me", data: "here".bytes))
      _ = try #require(try await DoubleBarrier(client, path: "\(path)/barrier", count: 1).enter())
    } _: { other in
      try await #expect(Group(other, path: path).members().first { $0.name == "me" }?.data == "here".bytes)
      try await #expect(other.getChildren("\(path)/barrier").count == 2)
    }
  }

  @Test(arguments: cases) func aTransactionIsDecidedOnce(server: ServerKind, count: Int) async throws {
    let path = uniquePath("lost-commit")
    try await losing(count, on: server) { client in
      let transaction = TwoPhaseCommit(client, path: path)
      try await transaction.propose("x".bytes, to: ["a", "b"])
      try await transaction.vote(.commit, as: "a")
      try await transaction.vote(.commit, as: "b")
      try await #expect(transaction.decide().verdict == .commit)
    } _: { other in
      try await #expect(TwoPhaseCommit(other, path: path).status().decision == .commit)
    }
  }
}
