import Testing
import ZnodeTree
import ZooKeeperProtocol

/// What long random work leaves, and what a snapshot needs meanwhile.
@Suite struct TreeMemoryTests {
  /// Arrays hold copyable things only.
  private final class OpenWalk {
    private var walk: SnapshotWalk?
    let expected: [String]
    private var seen: [String] = []
    private let acls: [Int64: [ACL]]

    init(_ tree: DataTree) {
      expected = contents(tree)
      let walk = tree.startSnapshot()
      acls = Dictionary(uniqueKeysWithValues: walk.acls.map { ($0.key, $0.acl) })
      self.walk = consume walk
    }

    /// Whether there is more.
    func step(_ limit: Int) -> Bool {
      walk?.visit(limit: limit) { znode in
        let path = String(decoding: znode.path, as: UTF8.self)
        let acl = znode.aclKey == -1 ? ACL.openUnsafe : acls[znode.aclKey] ?? []
        seen.append("\(path) \(znode.data.map { [UInt8]($0) }.debugDescription) \(acl) \(znode.stat)")
      }
      if walk?.isFinished == true { walk = nil }
      return walk != nil
    }

    func abandon() { walk = nil }
    var isRight: Bool { seen.sorted() == expected }
  }

  /// Walks that begin, advance, end and are abandoned at any time, while everything changes.
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func walksShowTheirMomentsWhateverChanges(seed: UInt64) {
    let driver = TreeDriver()
    var random = SplitMix64(seed: seed)
    var workload = Workload()
    for _ in 0..<800 { workload.step(driver, &random) }
    var walks: [OpenWalk] = []
    var finished = 0
    for _ in 0..<3000 {
      workload.step(driver, &random)
      switch Int.random(in: 0..<40, using: &random) {
      case 0 where walks.count < 3: walks.append(OpenWalk(driver.tree))
      case 1 where !walks.isEmpty && finished > 3:
        walks.remove(at: Int.random(in: 0..<walks.count, using: &random)).abandon()
      default:
        guard let place = walks.indices.randomElement(using: &random) else { continue }
        if walks[place].step(Int.random(in: 1...4, using: &random)) { continue }
        #expect(walks.remove(at: place).isRight, "seed \(seed)")
        finished += 1
      }
    }
    for walk in walks { walk.abandon() }
    #expect(finished >= 3)
    #expect(driver.tree.memory.copiedBytes == 0)
    let oracle = Oracle(driver.tree)
    #expect(driver.tree.treeDigest == oracle.digest)
    #expect(driver.tree.memory.usedContentBytes == Self.usedBytes(oracle))
  }

  /// What the blocks of all znodes take: no block is lost, and none is freed twice.
  private static func usedBytes(_ oracle: Oracle) -> Int {
    oracle.znodes.reduce(0) { sum, entry in
      let name = entry.key.path.utf8.split(separator: UInt8(ascii: "/")).last?.count ?? 0
      let stat = entry.value.stat
      let extras = stat.ephemeralOwner == 0 && stat.aversion == 0 ? 0 : 12
      let length = (name < 255 ? 1 : 5) + extras + name + (entry.value.data?.count ?? 0)
      return sum + (length > 1024 ? length : max(8, (length + 1) / 2 * 2))
    }
  }

  private func filled(_ count: Int, bytes: Int) -> TreeDriver {
    let driver = TreeDriver()
    driver.create("/a")
    for number in 0..<count { driver.create("/a/\(number)", String(repeating: "x", count: bytes)) }
    return driver
  }

  private func set(_ driver: TreeDriver, _ number: Int, bytes: Int) {
    let data = [UInt8](repeating: 7, count: bytes)
    driver.apply(.setData(SetDataTxn(path: "/a/\(number)", data: data, version: 1)))
  }

  @Test func aSnapshotKeepsWhatHasChangedAndNoMore() {
    let driver = filled(20_000, bytes: 100)
    let before = driver.tree.memory
    var walk = driver.tree.startSnapshot()
    walk.visit(limit: 10_000) { _ in }
    var random = SplitMix64(seed: 9)
    for _ in 0..<2000 { set(driver, Int.random(in: 0..<20_000, using: &random), bytes: 100) }
    // All chunks of the slab have changed; of 2,000 records half were passed.
    #expect(driver.tree.memory.copiedBytes <= 1200 * 96 + (256 << 10))
    // A znode that changes again and again needs one old block.
    let used = driver.tree.memory.usedContentBytes
    for _ in 0..<5000 { set(driver, 3, bytes: 100) }
    #expect(driver.tree.memory.usedContentBytes <= used + 120)
    #expect(driver.tree.memory.contentBytes <= before.contentBytes + (2 << 20))
    walk.visit(limit: .max) { _ in }
    #expect(driver.tree.memory.usedContentBytes == before.usedContentBytes)
    _ = consume walk
    #expect(driver.tree.memory.copiedBytes == 0)
  }

  /// The sizes of values change several times, in ways in which no freed block fits the next value; at the end, all
  /// that was ever needed is far more than what is held.
  @Test(arguments: [false, true]) func memoryFollowsWhatIsInUse(withSnapshots: Bool) {
    let count = 40_000
    let driver = filled(count, bytes: 100)
    var random = SplitMix64(seed: 4)
    var sizes = [Int](repeating: 100, count: count)
    let distributions: [ClosedRange<Int>] = [120...120, 0...200, 150...150, 10...30, 400...440, 60...60]
    for range in distributions {
      for change in 0..<count * 2 {
        let number = Int.random(in: 0..<count, using: &random)
        sizes[number] = Int.random(in: range, using: &random)
        set(driver, number, bytes: sizes[number])
        if withSnapshots, change % (count / 2) == 0 { walkAndChange(driver, &sizes, &random) }
      }
      let memory = driver.tree.memory
      // A sixteenth, as much again while regions are being vacated, and a few regions.
      #expect(memory.contentBytes <= memory.usedContentBytes * 9 / 8 + (6 << 20), "\(range) \(memory)")
    }
    for number in 0..<count where driver.tree.dataLength(of: driver.tree.find("/a/\(number)") ?? 0) != sizes[number] {
      Issue.record("/a/\(number) has lost its value")
    }
    #expect(driver.tree.treeDigest == Oracle(driver.tree).digest)
  }

  private func walkAndChange(_ driver: TreeDriver, _ sizes: inout [Int], _ random: inout SplitMix64) {
    var walk = driver.tree.startSnapshot()
    while !walk.isFinished {
      walk.visit(limit: 500) { _ in }
      let number = Int.random(in: 0..<sizes.count, using: &random)
      sizes[number] = Int.random(in: 0...150, using: &random)
      set(driver, number, bytes: sizes[number])
    }
  }
}
