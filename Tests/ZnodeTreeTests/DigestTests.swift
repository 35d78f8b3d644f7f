import Jute
import Testing
import ZnodeTree
import ZooKeeperProtocol

@Suite struct DigestTests {
  @Test func freshTreeHasTheDigestOfApaches() {
    #expect(DataTree().treeDigest == 0x51c6_d660)
  }

  @Test func everyTransactionOfARealLogLeavesTheDigestItNames() throws {
    let tree = DataTree(extendedTypesEnabled: true)
    var changes: [TreeChange] = []
    for hex in SampleVectors.log {
      let entry = try TxnEntry(decoding: hexBytes(hex))
      _ = tree.apply(entry.header, entry.txn, changes: &changes)
      if let digest = entry.digest { #expect(tree.treeDigest == digest.treeDigest, "\(entry.header.zxid)") }
    }
    #expect(tree.lastProcessedZxid == Zxid(rawValue: 0x2_0000_0003))
  }

  @Test func realSnapshotRestoresToTheDigestItNames() throws {
    let tree = try sampleTree()
    #expect(tree.treeDigest == 0x5_7533_9080)
    #expect(tree.znodeCount == 13)
    #expect(tree.find("/null").map { tree.data(of: $0) } == .some(nil))
    #expect(tree.find("/é中").flatMap { tree.data(of: $0) }?.count == 16)
    #expect(tree.find("/ttl").map { tree.owner(of: $0) } == .ttl(milliseconds: 3_600_000))
    #expect(tree.find("/cont").map { tree.owner(of: $0) } == .container)
    #expect(tree.ephemeralPaths(of: SessionID(rawValue: 0x1_0000_25c4_1b00_01)) == ["/live"])
  }

  @Test func restOfTheLogAppliesToTheRestoredSnapshot() throws {
    let tree = try sampleTree()
    var changes: [TreeChange] = []
    for hex in SampleVectors.log {
      let entry = try TxnEntry(decoding: hexBytes(hex))
      guard entry.header.zxid > Zxid(rawValue: 0x1_0000_0018) else { continue }
      _ = tree.apply(entry.header, entry.txn, changes: &changes)
      if let digest = entry.digest { #expect(tree.treeDigest == digest.treeDigest) }
    }
  }

  @Test func wholeLogOverTheSnapshotEndsInTheSameTree() throws {
    let once = DataTree(extendedTypesEnabled: true)
    let again = try sampleTree()
    var changes: [TreeChange] = []
    for hex in SampleVectors.log {
      let entry = try TxnEntry(decoding: hexBytes(hex))
      _ = once.apply(entry.header, entry.txn, changes: &changes)
      _ = again.apply(entry.header, entry.txn, changes: &changes)
    }
    #expect(once.treeDigest == again.treeDigest)
  }

  @Test func digestsCanBeOff() {
    let driver = TreeDriver(DataTree(digestEnabled: false))
    driver.create("/a", "x")
    #expect(driver.tree.treeDigest == 0)
  }

  private func sampleTree() throws -> DataTree {
    let bytes = hexBytes(SampleVectors.snapshot)
    return try bytes.withUnsafeBytes { raw -> DataTree in
      var reader = JuteReader(raw)
      _ = try reader.readFixedBlock(count: 16)
      for _ in 0..<(try reader.readInt()) { _ = try reader.readFixedBlock(count: 12) }
      var restore = SnapshotRestore(extendedTypesEnabled: true)
      for _ in 0..<(try reader.readInt()) {
        let key = try reader.readLong()
        restore.addACL(key: key, try reader.readVector { (reader) throws(JuteError) in try ACL(from: &reader) })
      }
      while true {
        let path = try reader.readString()
        if path == "/" { break }
        let data = try reader.readBuffer()
        let key = try reader.readLong()
        try restore.addZnode(path: path, data: data, aclKey: key, stat: try StatPersisted(from: &reader))
      }
      return try restore.finish(lastProcessedZxid: Zxid(rawValue: 0x1_0000_0018))
    }
  }
}
