import Testing
import ZnodeTree
import ZooKeeperProtocol

@testable import ServerCore

/// The table of outstanding changes beside a dictionary, which is slower and obvious.
@Suite struct ChangeTableTests {
  private static func record(_ path: String, _ number: Int) -> ChangeRecord {
    let zxid = Zxid(rawValue: Int64(number))
    let stat = StatPersisted(
      czxid: zxid, mzxid: zxid, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: 0, pzxid: zxid)
    return ChangeRecord(
      path: PathKey(path), zxid: zxid, exists: true, stat: stat, childCount: 0, access: .slot(0), dataLength: 0,
      digestPrefix: nil, digest: 0)
  }

  /// Few paths are replaced and removed often; many let the table grow, and runs of neighbours become long.
  @Test(arguments: [3, 40, 5000]) func findsWhatADictionaryFinds(pathCount: Int) {
    var random = SplitMix64(seed: UInt64(pathCount))
    var table = ChangeTable()
    var model: [String: Int] = [:]
    for number in 0..<30_000 {
      let path = "/p/\(Int.random(in: 0..<pathCount, using: &random))"
      // In turn more is added than removed, and the other way round, so that the table is also empty at times.
      let removes = Int.random(in: 0..<10, using: &random) < (number / (2 * pathCount) % 2 == 0 ? 2 : 8)
      if removes {
        let index = table.index(of: PathKey(path))
        #expect((index != nil) == (model.removeValue(forKey: path) != nil))
        if let index { table.remove(at: index) }
      } else {
        let previous = table.update(Self.record(path, number))
        #expect(previous.map { Int($0.zxid.rawValue) } == model.updateValue(number, forKey: path))
      }
      #expect(table.isEmpty == model.isEmpty)
    }
    #expect(table.records.count == model.count)
    for number in 0..<pathCount {
      let path = "/p/\(number)"
      let found = table.index(of: PathKey(path)).map { table.records[$0] }
      #expect(found?.path.path == (model[path] == nil ? nil : path))
      #expect(found.map { Int($0.zxid.rawValue) } == model[path])
    }
  }

  @Test func emptyAfterManyChangesAndUsedAgain() {
    var table = ChangeTable()
    for round in 0..<2 {
      for number in 0..<100_000 { table.update(Self.record("/\(round)/\(number)", number)) }
      for number in 0..<100_000 {
        guard let index = table.index(of: PathKey("/\(round)/\(number)")) else {
          Issue.record("\(number) is lost")
          return
        }
        table.remove(at: index)
      }
      #expect(table.isEmpty)
    }
    table.update(Self.record("/again", 1))
    #expect(table.index(of: PathKey("/again")) == 0)
    #expect(table.index(of: PathKey("/0/0")) == nil)
  }
}
