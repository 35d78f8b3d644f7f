import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct QuotaTests {
  /// A tree with a quota on `/a`, which has a child.
  private func quotaDriver() -> TreeDriver {
    let driver = TreeDriver()
    driver.create("/a", "12345")
    driver.create("/a/b", "123")
    driver.create("/zookeeper/quota/a")
    driver.create("/zookeeper/quota/a/zookeeper_limits", "count=3,bytes=-1")
    driver.create("/zookeeper/quota/a/zookeeper_stats", "count=0,bytes=0")
    return driver
  }

  private func use(_ driver: TreeDriver, _ path: String = "/a") -> String? {
    driver.data("/zookeeper/quota\(path)/zookeeper_stats")
  }

  @Test func creatingTheStatsCountsTheSubtree() {
    #expect(use(quotaDriver()) == "count=2,bytes=8")
  }

  @Test func everyChangeIsChargedWithoutATrace() throws {
    let driver = quotaDriver()
    let before = driver.stat("/zookeeper/quota/a/zookeeper_stats")
    let digest = driver.tree.treeDigest
    driver.create("/a/c", "xy")
    #expect(use(driver) == "count=3,bytes=10")
    driver.apply(.setData(SetDataTxn(path: "/a/c", data: [1], version: 1)))
    #expect(use(driver) == "count=3,bytes=9")
    driver.apply(.delete(path: "/a/c"))
    #expect(use(driver) == "count=2,bytes=8")
    driver.create("/ab")
    #expect(use(driver) == "count=2,bytes=8")
    let after = driver.stat("/zookeeper/quota/a/zookeeper_stats")
    #expect(before?.version == after?.version && before?.mzxid == after?.mzxid)
    #expect(driver.tree.treeDigest != digest)
  }

  @Test func onlyTheNearestQuotaIsCharged() {
    let driver = quotaDriver()
    for path in ["/zookeeper/quota/a/b"] { driver.create(path) }
    driver.create("/zookeeper/quota/a/b/zookeeper_limits", "count=3,bytes=-1")
    driver.create("/zookeeper/quota/a/b/zookeeper_stats", "count=0,bytes=0")
    driver.create("/a/b/c", "z")
    #expect(use(driver, "/a/b") == "count=2,bytes=4")
    #expect(use(driver) == "count=2,bytes=8")
    #expect(driver.tree.quotaPath(covering: "/a/b/c") == "/a/b")
    #expect(driver.tree.quotaPath(covering: "/a/x") == "/a")
    #expect(driver.tree.quotaPath(covering: "/x") == nil)
  }

  @Test func deletedLimitsTurnTheQuotaOff() {
    let driver = quotaDriver()
    driver.apply(.delete(path: "/zookeeper/quota/a/zookeeper_limits"))
    driver.create("/a/c")
    #expect(use(driver) == "count=2,bytes=8")
    #expect(driver.tree.quotaPath(covering: "/a") == nil)
  }

  @Test func unreadableLimitsAndStatsAreLeftAlone() {
    let driver = quotaDriver()
    driver.apply(
      .setData(SetDataTxn(path: "/zookeeper/quota/a/zookeeper_stats", data: Array("count=x".utf8), version: 1)))
    driver.create("/a/c")
    #expect(use(driver) == "count=x")
    #expect(driver.tree.quota(of: "/a") == nil)
  }

  @Test func quotasAreFoundAgainInASnapshot() throws {
    let driver = quotaDriver()
    let restored = try restore(driver.tree)
    #expect(restored.quotaPath(covering: "/a/b") == "/a")
    #expect(restored.quota(of: "/a")?.use == QuotaLimits(count: 2, bytes: 8))
  }
}
