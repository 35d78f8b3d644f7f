import Testing
import ZooKeeperProtocol

@testable import ZnodeTree

@Suite struct TreeTests {
  @Test func freshTreeLooksAsApaches() throws {
    let driver = TreeDriver()
    let root = try #require(driver.stat("/"))
    #expect((root.cversion, root.numChildren, root.version, root.czxid) == (-1, 1, 0, .zero))
    let zookeeper = try #require(driver.stat("/zookeeper"))
    #expect((zookeeper.cversion, zookeeper.numChildren) == (-2, 2))
    let config = try #require(driver.stat("/zookeeper/config"))
    #expect((config.version, config.aversion, config.dataLength) == (0, -1, 0))
    let slot = try #require(driver.tree.find("/zookeeper/config").map { driver.tree.aclSlot(of: $0) })
    #expect(driver.tree.acl(in: slot) == ACL.readUnsafe)
    #expect(driver.data("/zookeeper/quota") == "")
    #expect(driver.tree.reportedZnodeCount == 5)
  }

  @Test func configurationKeepsTheTimeAtWhichItWasWritten() throws {
    let driver = TreeDriver()
    let digest = driver.tree.treeDigest
    func times(_ text: String, _ version: Int64, at now: Int64) -> [Int64?] {
      driver.tree.setConfiguration(text, version: version, wallMilliseconds: now)
      let stat = driver.stat("/zookeeper/config")
      return [stat?.mtimeMilliseconds, stat?.mzxid.rawValue, stat.map { Int64($0.version) }]
    }
    #expect(times("one", 0, at: 1000) == [1000, 0, -1])
    #expect(times("one", 0, at: 2000) == [1000, 0, -1])
    #expect(times("one", 7, at: 3000) == [3000, 7, -1])
    #expect(times("two", 7, at: 4000) == [4000, 7, -1])
    #expect(driver.tree.treeDigest == digest)
    // One that was agreed on has the time of its transaction.
    driver.zxid = 8
    driver.apply(.reconfig(SetDataTxn(path: "/zookeeper/config", data: Array("three".utf8), version: -1)), time: 5000)
    #expect(times("three", 9, at: 6000) == [5000, 9, -1])
  }

  @Test(arguments: ["", "/"]) func emptyPathIsTheRoot(path: String) {
    #expect(DataTree().find(path) == DataTree.root)
  }

  @Test(arguments: ["a", "//", "/a/", "/a//b", "//a", "/./a", "/a/b/c", "a/b", "/A"])
  func malformedPathsAreNotFound(path: String) {
    let driver = TreeDriver()
    driver.create("/a")
    driver.create("/a/b")
    #expect(driver.tree.find(path) == nil)
  }

  /// Slashes are looked for eight bytes at a time: at every distance, and beside bytes that differ from one by a bit.
  @Test func namesEndAtSlashes() {
    for length in 0..<40 {
      for slash in 0...length {
        for other in [UInt8(ascii: "."), UInt8(ascii: "0"), 0xaf, 0, 0xff] {
          var path = [UInt8](repeating: other, count: length)
          if slash < length { path[slash] = UInt8(ascii: "/") }
          for start in 0...length {
            let end = path.withUnsafeBytes { PathBytes.endOfName(in: $0, from: start) }
            #expect(end == (slash >= start ? slash : length), "\(path), from \(start)")
          }
        }
      }
    }
  }

  @Test func countersMoveAsApaches() throws {
    let driver = TreeDriver()
    driver.create("/p")
    for index in 0..<5 { driver.create("/p/\(index)") }
    driver.apply(.delete(path: "/p/0"))
    var stat = try #require(driver.stat("/p"))
    #expect((stat.cversion, stat.numChildren, stat.pzxid, stat.mzxid) == (6, 4, Zxid(rawValue: 7), Zxid(rawValue: 1)))
    let stored = try #require(driver.tree.find("/p").map { driver.tree.storedStat(of: $0) })
    #expect(stored.cversion == 5)
    driver.apply(.setData(SetDataTxn(path: "/p", data: [1, 2], version: 1)), time: 99)
    stat = try #require(driver.stat("/p"))
    #expect((stat.version, stat.mtimeMilliseconds, stat.mzxid, stat.dataLength) == (1, 99, Zxid(rawValue: 8), 2))
    driver.apply(.setACL(SetACLTxn(path: "/p", acl: ACL.readUnsafe, version: 1)), time: 100)
    let after = try #require(driver.stat("/p"))
    #expect((after.aversion, after.mzxid, after.mtimeMilliseconds) == (1, stat.mzxid, 99))
  }

  @Test func nullAndEmptyDataAreTwoThings() throws {
    let driver = TreeDriver()
    driver.create("/null", nil)
    driver.create("/empty", "")
    #expect(driver.tree.find("/null").flatMap { driver.tree.data(of: $0) } == nil)
    #expect(driver.tree.find("/empty").flatMap { driver.tree.data(of: $0) } == [])
    driver.apply(.setData(SetDataTxn(path: "/empty", data: nil, version: 1)))
    #expect(driver.tree.find("/empty").flatMap { driver.tree.data(of: $0) } == nil)
  }

  @Test func canonicallyEqualNamesAreTwoZnodes() {
    let driver = TreeDriver()
    #expect(driver.create("/e\u{301}").error == .ok)
    #expect(driver.create("/\u{e9}").error == .ok)
    #expect(driver.tree.znodeCount == 6)
  }

  @Test func ownersShowOnlySessions() {
    let driver = TreeDriver()
    driver.create("/e", ephemeral: true, session: 7)
    driver.apply(.createContainer(driver.createTxn("/c")))
    driver.apply(.createTTL(driver.createTxn("/t"), ttlMilliseconds: 5))
    #expect(driver.stat("/e")?.ephemeralOwner == SessionID(rawValue: 7))
    #expect(driver.stat("/c")?.ephemeralOwner == SessionID.none)
    #expect(driver.stat("/t")?.ephemeralOwner == SessionID.none)
    #expect(
      driver.tree.find("/t").map { driver.tree.storedStat(of: $0).ephemeralOwner }
        == Int64(bitPattern: 0xff00_0000_0000_0005))
    #expect(driver.tree.ephemeralCount == 1)
  }

  @Test func ttlIsASessionWhereExtendedTypesAreOff() {
    let driver = TreeDriver(DataTree(extendedTypesEnabled: false))
    driver.apply(.createTTL(driver.createTxn("/t"), ttlMilliseconds: 5))
    #expect(
      driver.tree.find("/t").map { driver.tree.owner(of: $0) }
        == .session(SessionID(rawValue: Int64(bitPattern: 0xff00_0000_0000_0005))))
  }

  @Test(arguments: [-1, 0, 0x100_0000_0000]) func poisonousTTLIsTolerated(ttl: Int64) {
    let driver = TreeDriver()
    #expect(driver.apply(.createTTL(driver.createTxn("/t"), ttlMilliseconds: ttl)).error == .ok)
    #expect(driver.tree.find("/t").map { driver.tree.owner(of: $0) } == .persistent)
  }

  @Test(arguments: ["", "a", "/", "/a/", "/x/y"]) func hostilePathsInTransactionsAreErrors(path: String) {
    let driver = TreeDriver()
    driver.create("/a")
    let before = contents(driver.tree).filter { !$0.hasPrefix("/a ") && !$0.hasPrefix(" ") }
    #expect(driver.create(path).error != .ok)
    #expect(driver.apply(.delete(path: path)).error != .ok)
    #expect(contents(driver.tree).filter { !$0.hasPrefix("/a ") && !$0.hasPrefix(" ") } == before)
  }

  @Test func reaperFindsUsedContainersAndOldTTLs() {
    let driver = TreeDriver()
    driver.apply(.createContainer(driver.createTxn("/used")), time: 0)
    driver.create("/used/child")
    driver.apply(.createContainer(driver.createTxn("/never")), time: 0)
    driver.apply(.createTTL(driver.createTxn("/t"), ttlMilliseconds: 100), time: 0)
    func reapable(_ now: Int64, never: Int64 = 0, limit: Int = 10) -> [String] {
      driver.tree.reapablePaths(nowMilliseconds: now, maxNeverUsedMilliseconds: never, limit: limit)
    }
    #expect(reapable(100) == [])
    driver.apply(.delete(path: "/used/child"))
    #expect(reapable(100) == ["/used"])
    #expect(reapable(101) == ["/used", "/t"])
    #expect(reapable(101, limit: 1) == ["/used"])
    #expect(reapable(101, never: 50) == ["/used", "/never", "/t"])
  }

  @Test func changesComeInOrderWithTheACLsOfTheirTime() {
    let driver = TreeDriver()
    driver.create("/p", acl: ACL.readUnsafe)
    driver.apply(
      .multi([
        .create(driver.createTxn("/p/c")), .setData(SetDataTxn(path: "/p", data: nil, version: 1)),
        .delete(path: "/p/c"),
        .check(path: "/p", version: 1),
      ]))
    #expect(driver.changes.map(\.kind) == [.created, .dataChanged, .deleted])
    #expect(driver.changes.map(\.path) == ["/p/c", "/p", "/p/c"])
    #expect(driver.tree.acl(in: driver.changes[0].parentACLSlot) == ACL.readUnsafe)
    driver.apply(.delete(path: "/p"))
    #expect(driver.tree.acl(in: driver.changes[0].aclSlot) == ACL.readUnsafe)
  }

  @Test func failedMultiDoesNothing() {
    let driver = TreeDriver()
    let before = contents(driver.tree)
    let result = driver.apply(
      .multi([.create(driver.createTxn("/a")), .error(.noNode), .error(.runtimeInconsistency)]))
    #expect(result.parts.map(\.error) == [.ok, .noNode, .runtimeInconsistency])
    #expect(result.parts.map(\.opCode) == [.error, .error, .error])
    #expect(result.error == .noNode)
    #expect(contents(driver.tree) == before && driver.changes.isEmpty)
  }

  @Test func closedSessionTakesItsEphemeralsAlong() {
    let driver = TreeDriver()
    driver.create("/p")
    for name in ["b", "a", "c"] { driver.create("/p/\(name)", ephemeral: true, session: 7) }
    driver.create("/p/other", ephemeral: true, session: 8)
    #expect(driver.tree.ephemeralPaths(of: SessionID(rawValue: 7)) == ["/p/a", "/p/b", "/p/c"])
    driver.apply(.closeSession(paths: ["/p/c", "/p/gone"]), session: 7)
    #expect(driver.changes.map(\.path) == ["/p/c", "/p/a", "/p/b"])
    #expect(driver.tree.childNames(of: driver.tree.find("/p")!) == ["other"])
    #expect(driver.tree.sessionsWithEphemerals == [SessionID(rawValue: 8)])
  }

  @Test func countsAndSizesReturnToWhereTheyWere() {
    let driver = TreeDriver()
    let size = driver.tree.approximateDataSizeBytes
    driver.create("/é", "abc")
    #expect(driver.tree.approximateDataSizeBytes == size + 5)
    driver.apply(.setData(SetDataTxn(path: "/é", data: [1], version: 1)))
    #expect(driver.tree.approximateDataSizeBytes == size + 3)
    driver.apply(.delete(path: "/é"))
    #expect(driver.tree.approximateDataSizeBytes == size && driver.tree.znodeCount == 4)
  }

  @Test func descendantsAreCounted() {
    let driver = TreeDriver()
    for path in ["/a", "/a/b", "/a/b/c", "/a/d", "/ab"] { driver.create(path) }
    #expect(driver.tree.descendantCount(of: driver.tree.find("/a")!) == 3)
    #expect(driver.tree.descendantCount(of: DataTree.root) == 8)
  }

  /// Long paths are found from their neighbours; what is found is what is there.
  @Test func deepPathsAreFoundWhateverWasFoundBefore() {
    let driver = TreeDriver()
    var paths: [String] = []
    var path = ""
    for level in 0..<400 {
      path += "/n\(level % 10)"
      driver.create(path)
      paths.append(path)
      if level % 7 == 0 {
        driver.create(path + "x")
        paths.append(path + "x")
      }
    }
    var random = SplitMix64(seed: 3)
    func check(_ tree: DataTree, _ present: Set<String>) {
      for _ in 0..<2000 {
        let path = paths[Int(random.next() % UInt64(paths.count))]
        for candidate in [path, path + "y", path + "/", path + "/none", String(path.dropLast())] {
          let id = tree.find(candidate)
          #expect((id != nil) == present.contains(candidate), "\(candidate.count)")
          if let id { #expect(tree.path(of: id) == candidate) }
        }
      }
    }
    check(driver.tree, Set(paths))
    var present = Set(paths)
    for path in paths.reversed().prefix(150) {
      driver.apply(.delete(path: path))
      present.remove(path)
      #expect(driver.tree.find(path) == nil)
    }
    check(driver.tree, present)
  }
}
