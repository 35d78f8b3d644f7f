import Synchronization
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperRecipes

/// Many sessions at one path.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ContentionTests {
  /// Who is inside, and what went wrong.
  private final class Inside: Sendable {
    struct State {
      var exclusive = 0
      var shared = 0
      var most = 0
      var overlaps = 0
      var tokens: [Zxid] = []
    }

    let state = Mutex(State())

    func enter(isShared: Bool, _ hold: Hold, limit: Int = 1) {
      state.withLock { state in
        if isShared { state.shared += 1 } else { state.exclusive += 1 }
        if state.exclusive > limit || (state.exclusive > 0 && state.shared > 0) { state.overlaps += 1 }
        state.most = max(state.most, state.exclusive, state.shared)
        if !isShared { state.tokens.append(hold.zxid) }
      }
    }

    func leave(isShared: Bool) {
      state.withLock { if isShared { $0.shared -= 1 } else { $0.exclusive -= 1 } }
    }
  }

  @Test(arguments: ServerKind.allCases) func readersAndWritersNeverOverlap(server: ServerKind) async throws {
    let path = uniquePath("read-write")
    let address = try await server.connectString
    let inside = Inside()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<12 {
        let isShared = number % 3 != 0
        let layout: Lock.Layout = number % 2 == 0 ? .curatorReadWrite : .kazoo
        group.addTask {
          try await withSession(address) { client in
            let lock = Lock(client, path: path, kind: isShared ? .shared : .exclusive, layout: layout)
            for _ in 0..<5 {
              let hold = try #require(try await lock.acquire())
              inside.enter(isShared: isShared, hold)
              await Task.yield()
              _ = try await client.exists("/")
              inside.leave(isShared: isShared)
              try await hold.release()
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let state = inside.state.withLock(\.self)
    #expect(state.overlaps == 0)
    #expect(state.tokens.count == 20)
    #expect(state.tokens == state.tokens.sorted())
  }

  @Test(arguments: ServerKind.allCases) func aSemaphoreHasSoManySlots(server: ServerKind) async throws {
    let path = uniquePath("semaphore")
    let address = try await server.connectString
    let inside = Inside()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try await withSession(address) { client in
            for _ in 0..<4 {
              let hold = try #require(try await Semaphore(client, path: path, slots: 3).acquire())
              inside.enter(isShared: false, hold, limit: 3)
              _ = try await client.exists("/")
              inside.leave(isShared: false)
              try await hold.release()
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let state = inside.state.withLock(\.self)
    #expect(state.overlaps == 0)
    #expect(state.most <= 3)
    #expect(state.tokens.count == 32)
    try await withSession(address) { client in
      let semaphore = Semaphore(client, path: path, slots: 1)
      _ = try #require(try await semaphore.acquire(limit: .zero))
      try await #expect(semaphore.acquire(limit: .zero) == nil)
      try await #expect(semaphore.acquire(limit: .milliseconds(50)) == nil)
      try await #expect(semaphore.participants().map(\.isHolder) == [true])
    }
  }

  @Test(arguments: ServerKind.allCases) func noItemIsLostOrTakenTwice(server: ServerKind) async throws {
    let path = uniquePath("queue")
    let address = try await server.connectString
    let taken = try await withThrowingTaskGroup(of: [String].self) { group in
      for producer in 0..<10 {
        group.addTask {
          try await withSession(address) { client in
            for number in 0..<10 {
              let priority: Int32? = number % 2 == 0 ? nil : Int32(number)
              _ = try await WorkQueue(client, path: path).put("\(producer).\(number)".bytes, priority: priority)
            }
            return []
          }
        }
        group.addTask {
          try await withSession(address) { client in
            var taken: [String] = []
            for _ in 0..<10 {
              let item = try #require(try await WorkQueue(client, path: path).take())
              taken.append(String(decoding: item.data ?? [], as: UTF8.self))
            }
            return taken
          }
        }
      }
      return try await group.reduce([]) { $0 + $1 }
    }
    #expect(taken.count == 100)
    #expect(Set(taken) == Set((0..<100).map { "\($0 / 10).\($0 % 10)" }))
    try await withSession(address) { client in
      try await #expect(WorkQueue(client, path: path).count() == 0)
      try await #expect(isEmpty("\(path)/.locks", client))
    }
  }

  @Test(arguments: ServerKind.allCases) func theItemOfASessionThatDiesIsThereAgain(server: ServerKind) async throws {
    let path = uniquePath("redelivery")
    let address = try await server.connectString
    try await withSession(address) { client in
      let queue = WorkQueue(client, path: path)
      _ = try await queue.put("job".bytes)
      let other = try await session(address)
      let claim = try #require(try await WorkQueue(other, path: path).claim(limit: .zero))
      #expect(claim.item.data == "job".bytes)
      try await #expect(queue.take(limit: .zero) == nil)
      try await #expect(queue.peek() == nil)
      async let taken = queue.take(limit: .seconds(30))
      _ = try await children(of: "\(path)/.takers", client) { $0.count == 1 }
      await other.close()
      try await #expect(taken?.data == "job".bytes)
      await #expect(throws: ZooKeeperError.self) { try await claim.complete() }
    }
  }

  @Test(arguments: ServerKind.allCases) func everyAdditionCounts(server: ServerKind) async throws {
    let path = uniquePath("counter")
    let address = try await server.connectString
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<6 {
        group.addTask {
          try await withSession(address) { client in
            for _ in 0..<10 { _ = try await Counter(client, path: path, format: .text).add(3) }
          }
        }
      }
      try await group.waitForAll()
    }
    try await withSession(address) { client in
      try await #expect(client.getData(path).data == "180".bytes)
      try await #expect(Counter(client, path: path).set(-4) == -4)
      try await client.setData(path, data: "a number!".bytes)
      await #expect(throws: RecipeError(.malformed("its data is not a number"), path: path)) {
        try await Counter(client, path: path).add(1)
      }
    }
  }

  /// A server takes empty containers away now and then; here it does so all the time.
  @Test(.enabled(if: ApacheServer.isInstalled)) func containersMayGoAtAnyMoment() async throws {
    var configuration = ApacheConfiguration.permissive
    configuration.systemProperties["znode.container.checkIntervalMs"] = "1"
    let server = try await ApacheServer.start(configuration)
    let address = server.connectString
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<4 {
        group.addTask {
          try await withSession(address) { client in
            for round in 0..<10 {
              let hold = try #require(try await Lock(client, path: "/deep/down/lock").acquire(limit: .seconds(60)))
              try await hold.release()
              let slot = Semaphore(client, path: "/deep/slots", slots: 1)
              try await #require(try await slot.acquire(limit: .seconds(60))).release()
              let queue = WorkQueue(client, path: "/queues/\(number)/all")
              _ = try await queue.put("\(round)".bytes)
              try await #expect(queue.take(limit: .seconds(60))?.data == "\(round)".bytes)
              let entry = try #require(try await DoubleBarrier(client, path: "/gates/\(number)", count: 1).enter())
              try await #expect(DoubleBarrier(client, path: "/gates/\(number)", count: 1).leave(entry))
              let member = try #require(try await Group(client, path: "/groups/all").join("\(number)"))
              try await member.release()
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test(arguments: ServerKind.allCases) func numbersAreGivenOutOnce(server: ServerKind) async throws {
    let path = uniquePath("ids")
    let address = try await server.connectString
    let numbers = try await withThrowingTaskGroup(of: [Int64].self) { group in
      for _ in 0..<5 {
        group.addTask {
          try await withSession(address) { client in
            var numbers: [Int64] = []
            for _ in 0..<8 { numbers.append(try await IdentifierSource(client, path: path).next()) }
            #expect(numbers == numbers.sorted())
            return numbers
          }
        }
      }
      return try await group.reduce([]) { $0 + $1 }
    }
    #expect(numbers.sorted() == (0..<40).map(Int64.init))
  }
}
