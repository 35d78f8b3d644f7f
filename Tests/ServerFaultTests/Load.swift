import Synchronization
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

/// Writers that remember what they were promised, and the proof that it was kept.
///
/// Every writer has a counter znode, whose data is always the number of its version, and creates sequential znodes
/// and pairs of znodes in a multi.
final class Load: Sendable {
  private struct Promises {
    var sentSets = 0
    var acknowledgedVersion: Int32 = 0
    var sentCreates = 0
    var createdPaths: [String: String] = [:]
    var sentPairs = 0
    var acknowledgedPairs: Set<Int> = []
  }

  private let root: String
  private let writerCount: Int
  private let promises: Mutex<[Promises]>

  init(root: String, writerCount: Int) {
    self.root = root
    self.writerCount = writerCount
    promises = Mutex(Array(repeating: Promises(), count: writerCount))
  }

  /// All writes that were acknowledged.
  var acknowledgedCount: Int {
    promises.withLock { promises in
      promises.reduce(0) { $0 + Int($1.acknowledgedVersion) + $1.createdPaths.count + $1.acknowledgedPairs.count }
    }
  }

  /// Makes the znodes that the writers need.
  func prepare(_ client: ZooKeeperClient) async throws {
    try await client.create(root)
    for writer in 0..<writerCount {
      try await client.create("\(root)/w\(writer)")
      try await client.create("\(root)/w\(writer)/counter", data: Array("0".utf8))
    }
  }

  /// Writes with one session until a write fails, which the end of the server brings about.
  func run(writer: Int, _ client: ZooKeeperClient) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.set(writer, client) }
      for _ in 0..<4 { group.addTask { await self.create(writer, client) } }
      for _ in 0..<2 { group.addTask { await self.createPairs(writer, client) } }
    }
  }

  private func set(_ writer: Int, _ client: ZooKeeperClient) async {
    while !Task.isCancelled {
      let number = promises.withLock { promises in
        promises[writer].sentSets += 1
        return promises[writer].sentSets
      }
      do {
        let stat = try await client.setData("\(root)/w\(writer)/counter", data: Array("\(number)".utf8))
        promises.withLock { $0[writer].acknowledgedVersion = stat.version }
      } catch { return }
    }
  }

  private func create(_ writer: Int, _ client: ZooKeeperClient) async {
    while !Task.isCancelled {
      let number = promises.withLock { promises in
        promises[writer].sentCreates += 1
        return promises[writer].sentCreates
      }
      do {
        let path = try await client.create(
          "\(root)/w\(writer)/s-", data: Array("\(number)".utf8), mode: .persistentSequential)
        promises.withLock { $0[writer].createdPaths[path] = "\(number)" }
      } catch { return }
    }
  }

  private func createPairs(_ writer: Int, _ client: ZooKeeperClient) async {
    while !Task.isCancelled {
      let number = promises.withLock { promises in
        promises[writer].sentPairs += 1
        return promises[writer].sentPairs
      }
      let parts = ["a", "b"].map { side in
        MultiOperation.create(
          CreateRequest(path: "\(root)/w\(writer)/\(side)-\(number)", data: [], acl: ACL.openUnsafe, flags: 0))
      }
      do {
        try await client.multi(parts)
        _ = promises.withLock { $0[writer].acknowledgedPairs.insert(number) }
      } catch { return }
    }
  }

  /// Checks that everything acknowledged is there, and everything else whole or absent.
  func check(_ client: ZooKeeperClient) async throws {
    for (writer, promises) in promises.withLock({ $0 }).enumerated() {
      let parent = "\(root)/w\(writer)"
      let (counter, stat) = try await client.getData("\(parent)/counter")
      // One set at a time, so the data tells the version, and at most one set is unknown.
      #expect(String(decoding: counter ?? [], as: UTF8.self) == "\(stat.version)")
      #expect(stat.version >= promises.acknowledgedVersion && Int(stat.version) <= promises.sentSets)
      let (children, parentStat) = try await client.getChildren2(parent)
      #expect(Int(parentStat.numChildren) == children.count)
      #expect(Int(parentStat.cversion) == children.count)
      let names = Set(children)
      #expect(promises.acknowledgedPairs.allSatisfy { names.contains("a-\($0)") && names.contains("b-\($0)") })
      for name in children where name.hasPrefix("a-") { #expect(names.contains("b-" + name.dropFirst(2))) }
      for name in children where name.hasPrefix("b-") { #expect(names.contains("a-" + name.dropFirst(2))) }
      #expect(names.count { $0.hasPrefix("s-") } <= promises.sentCreates)
      let lost = promises.createdPaths.keys.filter { !names.contains(String($0.dropFirst(parent.count + 1))) }
      #expect(lost.isEmpty, "acknowledged and lost")
      for (path, data) in promises.createdPaths.shuffled().prefix(5) {
        #expect(String(decoding: try await client.getData(path).data ?? [], as: UTF8.self) == data)
      }
    }
  }
}
