import Jute
import Testing
import ZooKeeperProtocol

@testable import ZnodeTree

/// A tree filled from a snapshot of another.
func restore(_ tree: DataTree) throws -> DataTree { try restore(tree.startSnapshot()) }

/// A tree filled from what is left of a walk.
func restore(_ walk: consuming SnapshotWalk) throws -> DataTree {
  var restore = SnapshotRestore(extendedTypesEnabled: true)
  for (key, acl) in walk.acls { restore.addACL(key: key, acl) }
  let zxid = walk.zxid
  var failure: SnapshotError?
  walk.visit(limit: .max) { znode in
    do throws(SnapshotError) {
      try restore.addZnode(path: znode.path, data: znode.data, aclKey: znode.aclKey, stat: znode.stat)
    } catch { failure = error }
  }
  if let failure { throw failure }
  return try restore.finish(lastProcessedZxid: zxid)
}

@Suite struct SnapshotTests {
  @Test func snapshotIsTheTreeOfItsMoment() throws {
    let driver = TreeDriver()
    var random = SplitMix64(seed: 5)
    var workload = Workload()
    for _ in 0..<3000 { workload.step(driver, &random) }
    let before = contents(driver.tree)
    let digest = driver.tree.treeDigest
    var walk = driver.tree.startSnapshot()
    #expect(walk.treeDigest == digest && driver.tree.isSnapshotting)
    let acls = walk.acls
    var writer = JuteWriter()
    while !walk.encode(into: &writer, budgetBytes: 200) {
      for _ in 0..<20 { workload.step(driver, &random) }
    }
    let end = driver.tree.treeDigest
    #expect(end != digest)
    _ = consume walk
    #expect(!driver.tree.isSnapshotting)
    let restored = try restored(writer.bytes, acls)
    #expect(restored.treeDigest == digest)
    #expect(contents(restored) == before)
  }

  /// A file and learners may need the tree of different moments at the same time.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) func severalWalksAtATime(_ order: [Int]) throws {
    let driver = TreeDriver()
    var random = SplitMix64(seed: 23)
    var workload = Workload()
    var walks: [WalkBox] = []
    var digests: [UInt64] = []
    for _ in 0..<3 {
      for _ in 0..<1500 { workload.step(driver, &random) }
      digests.append(driver.tree.treeDigest)
      walks.append(WalkBox(driver.tree.startSnapshot()))
    }
    for index in order {
      for _ in 0..<1500 { workload.step(driver, &random) }
      #expect(driver.tree.isSnapshotting)
      #expect(try walks[index].restored()?.treeDigest == digests[index])
    }
    #expect(!driver.tree.isSnapshotting)
    #expect(Set(digests + [driver.tree.treeDigest]).count == 4)
  }

  /// Arrays hold copyable things only.
  private final class WalkBox {
    private var walk: SnapshotWalk?
    init(_ walk: consuming SnapshotWalk) { self.walk = consume walk }
    func restored() throws -> DataTree? { if let walk = walk.take() { try restore(walk) } else { nil } }
  }

  @Test func parentsComeFirstAndEachOnce() {
    let driver = TreeDriver()
    for path in ["/a", "/a/b", "/a/b/c", "/d", "/a/e"] { driver.create(path) }
    var walk = driver.tree.startSnapshot()
    var seen: [String] = []
    while !walk.isFinished {
      walk.visit(limit: 1) { znode in
        let path = String(decoding: znode.path, as: UTF8.self)
        #expect(path.isEmpty || seen.contains(ZnodePath.parent(of: path).map { $0 == "/" ? "" : $0 } ?? "?"))
        seen.append(path)
      }
    }
    #expect(Set(seen).count == 9 && seen.count == 9 && seen[0] == "")
  }

  @Test func restoredTreeGoesOnAsTheOriginal() throws {
    let driver = TreeDriver()
    var random = SplitMix64(seed: 11)
    var workload = Workload()
    for _ in 0..<2000 { workload.step(driver, &random) }
    let other = TreeDriver(try restore(driver.tree))
    #expect(contents(other.tree) == contents(driver.tree))
    var (left, right) = (random, random)
    var (leftWorkload, rightWorkload) = (workload, workload)
    for _ in 0..<2000 {
      leftWorkload.step(driver, &left)
      rightWorkload.step(other, &right)
    }
    #expect(other.tree.treeDigest == driver.tree.treeDigest)
    #expect(contents(other.tree) == contents(driver.tree))
    #expect(other.tree.approximateDataSizeBytes == driver.tree.approximateDataSizeBytes)
    #expect(other.tree.ephemeralCount == driver.tree.ephemeralCount)
  }

  /// A client sees children in one order, whatever server it asks and however often that was started.
  @Test func childrenKeepTheirOrder() throws {
    let driver = TreeDriver()
    var random = SplitMix64(seed: 77)
    var workload = Workload()
    for _ in 0..<2000 { workload.step(driver, &random) }
    for name in ["/zookeeper/extra", "/zookeeper/quota/a", "/zookeeper/quota/b"] { driver.create(name) }
    let again = try restore(driver.tree)
    let third = try restore(again)
    func lists(_ tree: DataTree) -> [[UInt8]] {
      var lists: [[UInt8]] = []
      tree.walk(DataTree.root) { id in
        var writer = JuteWriter()
        tree.appendChildNames(of: id, into: &writer)
        lists.append(writer.bytes)
      }
      return lists
    }
    #expect(lists(driver.tree).contains { $0.count > 40 })
    #expect(lists(again) == lists(driver.tree) && lists(third) == lists(driver.tree))
    // Links hold in both directions: deleting children in the middle leaves the others.
    let (left, right) = (TreeDriver(again), driver)
    for _ in 0..<1000 {
      var copy = random
      var other = workload
      other.step(left, &copy)
      workload.step(right, &random)
    }
    #expect(lists(left.tree) == lists(right.tree) && left.tree.treeDigest == right.tree.treeDigest)
  }

  @Test func brokenSnapshotsAreErrors() {
    let stat = StatPersisted(
      czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: 0, pzxid: .zero)
    var restore = SnapshotRestore()
    func code(_ path: String, key: Int64 = -1) -> SnapshotError.Code? {
      do throws(SnapshotError) {
        try restore.addZnode(path: path, data: nil, aclKey: key, stat: stat)
        return nil
      } catch { return error.code }
    }
    #expect(code("/a/b") == .missingParent)
    #expect(code("a") == .missingParent)
    #expect(code("/a") == nil)
    #expect(code("/b", key: 4) == .unknownACL(key: 4))
    #expect(code("/zookeeper") == nil)
    #expect(code("/zookeeper/quota/a") == nil)
    #expect(code("/") == .duplicate)
  }

  /// Wherever the second one is: right after the first, among others, in front of another's children, or at the end.
  @Test(arguments: [
    ["/a", "/a"], ["/a", "/a", "/b", "/c"], ["/a"] + (0..<100).map { "/n\($0)" } + ["/a", "/z"],
    ["/a", "/b", "/a", "/b/c"], ["/a", "/a/b", "/c", "/a/b"], ["/zookeeper-a", "/zookeeper-a"],
  ])
  func twoOfOneNameAreAnError(_ paths: [String]) throws {
    var restore = SnapshotRestore()
    var failure: SnapshotError?
    do throws(SnapshotError) {
      for path in paths { try restore.addZnode(path: path, data: nil, aclKey: -1, stat: DataTree.zeroStat) }
      _ = try restore.finish(lastProcessedZxid: .zero)
    } catch {
      failure = error
    }
    let repeated = paths.first { path in paths.count { $0 == path } > 1 }
    #expect(failure?.code == .duplicate && failure?.path == repeated)
  }

  private func restored(_ bytes: [UInt8], _ acls: [(key: Int64, acl: [ACL])]) throws -> DataTree {
    try bytes.withUnsafeBytes { raw -> DataTree in
      var reader = JuteReader(raw)
      var restore = SnapshotRestore(extendedTypesEnabled: true)
      for (key, acl) in acls { restore.addACL(key: key, acl) }
      while reader.remainingBytes > 0 {
        let path = try reader.readString()
        let data = try reader.readBuffer()
        let key = try reader.readLong()
        try restore.addZnode(path: path, data: data, aclKey: key, stat: try StatPersisted(from: &reader))
      }
      return try restore.finish(lastProcessedZxid: .zero)
    }
  }
}
