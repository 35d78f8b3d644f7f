import Testing
import ZnodeTree
import ZooKeeperProtocol

/// Transactions drawn from a generator: creates of all kinds, deletes, data, ACLs, multis, closed sessions,
/// about a third of which find their znode missing or present already, as a replay does.
struct Workload {
  private var paths = ["/zookeeper/quota/a"]

  mutating func step(_ driver: TreeDriver, _ random: inout SplitMix64) {
    driver.apply(next(&random), session: Int64.random(in: 1...5, using: &random))
  }

  mutating func next(_ random: inout SplitMix64) -> Txn {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<8: return create(&random)
    case 8..<12: return .delete(path: path(&random))
    case 12..<16:
      return .setData(
        SetDataTxn(path: path(&random), data: data(&random), version: Int32.random(in: 0...9, using: &random)))
    case 16:
      let version = Int32.random(in: 0...3, using: &random)
      return .setACL(SetACLTxn(path: path(&random), acl: acl(&random), version: version))
    case 17: return .closeSession(paths: Bool.random(using: &random) ? nil : [path(&random)])
    case 18:
      return .multi((0..<3).map { _ in Bool.random(using: &random) ? create(&random) : .delete(path: path(&random)) })
    default: return .error(.badVersion)
    }
  }

  private mutating func create(_ random: inout SplitMix64) -> Txn {
    let parent = Int.random(in: 0..<5, using: &random) == 0 ? "" : path(&random)
    // The last two are as long as the one byte of a name's length can say, and longer.
    let names = [
      "a", "b", "é", "a-much-longer-name", "\(Int.random(in: 0..<30, using: &random))",
      String(repeating: "x", count: 254), String(repeating: "y", count: 255),
    ]
    let path = parent + "/" + names[Int.random(in: 0..<names.count, using: &random)]
    if path.utf8.count < 200 { paths.append(path) }
    if paths.count > 300 { paths.remove(at: Int.random(in: 0..<paths.count, using: &random)) }
    let body = CreateTxn(
      path: path, data: data(&random), acl: acl(&random), isEphemeral: Int.random(in: 0..<4, using: &random) == 0,
      parentCVersion: Int.random(in: 0..<3, using: &random) == 0 ? 4 : -1)
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return .createContainer(body)
    case 1: return .createTTL(body, ttlMilliseconds: Int64.random(in: 0...1000, using: &random))
    case 2..<5: return .create2(body)
    default: return .create(body)
    }
  }

  private func path(_ random: inout SplitMix64) -> String {
    paths[Int.random(in: 0..<paths.count, using: &random)]
  }

  private func data(_ random: inout SplitMix64) -> [UInt8]? {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: nil
    case 1: []
    case 2: [UInt8](repeating: 7, count: Int.random(in: 900...3000, using: &random))
    default: [UInt8](repeating: 3, count: Int.random(in: 1...60, using: &random))
    }
  }

  private func acl(_ random: inout SplitMix64) -> [ACL] {
    let user = ACL(permissions: .all, scheme: "digest", id: "u\(Int.random(in: 0..<20, using: &random)):x")
    return Bool.random(using: &random) ? ACL.openUnsafe : [user]
  }
}

/// The tree as a table of values: slow, and obviously right.
final class Oracle {
  struct Znode: Equatable {
    var data: [UInt8]?
    var acl: [ACL]
    var stat: StatPersisted
  }

  var znodes: [PathKey: Znode] = [:]

  init(_ tree: DataTree) {
    let walk = tree.startSnapshot()
    fill(from: walk)
  }

  private func fill(from walk: consuming SnapshotWalk) {
    let acls = Dictionary(uniqueKeysWithValues: walk.acls.map { ($0.key, $0.acl) })
    walk.visit(limit: .max) { znode in
      let key = PathKey(String(decoding: znode.path, as: UTF8.self))
      znodes[key] = Znode(
        data: znode.data.map { [UInt8]($0) }, acl: acls[znode.aclKey] ?? ACL.openUnsafe, stat: znode.stat)
    }
  }

  func apply(_ header: TxnHeader, _ txn: Txn) {
    switch txn {
    case .create(let body), .create2(let body), .createContainer(let body), .createTTL(let body, _):
      create(header, txn, body)
    case .delete(let path), .deleteContainer(let path): delete(path, header.zxid)
    case .setData(let body), .reconfig(let body):
      znodes[PathKey(body.path)]?.data = body.data
      znodes[PathKey(body.path)]?.stat.version = body.version
      znodes[PathKey(body.path)]?.stat.mzxid = header.zxid
      znodes[PathKey(body.path)]?.stat.mtimeMilliseconds = header.timeMilliseconds
    case .setACL(let body):
      znodes[PathKey(body.path)]?.acl = body.acl
      znodes[PathKey(body.path)]?.stat.aversion = body.version
    case .closeSession(let paths):
      for path in paths ?? [] { delete(path, header.zxid) }
      let owned = znodes.filter { $0.value.stat.ephemeralOwner == header.sessionID.rawValue }
      for key in owned.keys { delete(key.path, header.zxid) }
    case .multi(let parts): for part in parts { apply(header, part) }
    case .check, .createSession, .error: break
    }
  }

  private func create(_ header: TxnHeader, _ txn: Txn, _ body: CreateTxn) {
    let key = PathKey(body.path)
    let parent = Oracle.parent(body.path)
    guard let found = znodes[parent] else { return }
    var version = body.parentCVersion
    if znodes[key] != nil {
      znodes[key]?.acl = body.acl
      guard txn.opCode == .create else { return }
    } else {
      let owner = EphemeralOwner(of: txn, sessionID: header.sessionID).stored
      znodes[key] = Znode(
        data: body.data, acl: body.acl,
        stat: StatPersisted(
          czxid: header.zxid, mzxid: header.zxid, ctimeMilliseconds: header.timeMilliseconds,
          mtimeMilliseconds: header.timeMilliseconds, version: 0, cversion: 0, aversion: 0, ephemeralOwner: owner,
          pzxid: header.zxid))
      if version == -1 { version = found.stat.cversion + 1 }
    }
    if version > found.stat.cversion {
      znodes[parent]?.stat.cversion = version
      znodes[parent]?.stat.pzxid = header.zxid
    }
  }

  private func delete(_ path: String, _ zxid: Zxid) {
    let parent = Oracle.parent(path)
    guard znodes[parent] != nil else { return }
    if let old = znodes[parent]?.stat.pzxid, zxid > old { znodes[parent]?.stat.pzxid = zxid }
    guard znodes.removeValue(forKey: PathKey(path)) != nil else { return }
    let prefix = Array((path + "/").utf8)
    for key in znodes.keys where key.path.utf8.starts(with: prefix) { znodes[key] = nil }
  }

  static func parent(_ path: String) -> PathKey {
    PathKey(String(decoding: path.utf8.prefix(upTo: path.utf8.lastIndex(of: UInt8(ascii: "/"))!), as: UTF8.self))
  }

  /// The digest by its definition, bit by bit.
  var digest: UInt64 {
    znodes.reduce(0) { sum, entry in
      if entry.key.path.utf8.starts(with: "/zookeeper/".utf8) { return sum }
      let stat = entry.value.stat
      var bytes = Array(entry.key.path.utf8) + (entry.value.data ?? [])
      func append<Integer: FixedWidthInteger>(_ value: Integer) { withUnsafeBytes(of: value.bigEndian) { bytes += $0 } }
      append(stat.czxid.rawValue)
      append(stat.mzxid.rawValue)
      append(stat.pzxid.rawValue)
      append(stat.ctimeMilliseconds)
      append(stat.mtimeMilliseconds)
      append(stat.version)
      append(stat.cversion)
      append(stat.aversion)
      append(stat.ephemeralOwner)
      var crc: UInt32 = 0xffff_ffff
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xedb8_8320 }
      }
      return sum &+ UInt64(~crc)
    }
  }
}

@Suite struct OracleTests {
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func treeIsWhatATableOfValuesSays(seed: UInt64) {
    let driver = TreeDriver()
    let oracle = Oracle(driver.tree)
    var random = SplitMix64(seed: seed)
    var workload = Workload()
    for step in 1...1500 {
      let txn = workload.next(&random)
      let session = Int64.random(in: 1...5, using: &random)
      driver.apply(txn, session: session)
      oracle.apply(
        TxnHeader(
          sessionID: SessionID(rawValue: session), cxid: .first, zxid: Zxid(rawValue: driver.zxid),
          timeMilliseconds: driver.zxid * 10, opCode: txn.opCode), txn)
      if step % 250 == 0 {
        #expect(driver.tree.treeDigest == oracle.digest, "seed \(seed), step \(step)")
        #expect(Oracle(driver.tree).znodes == oracle.znodes, "seed \(seed), step \(step)")
        #expect(driver.tree.znodeCount == oracle.znodes.count)
      }
    }
    for (key, znode) in oracle.znodes {
      let id = driver.tree.find(key.path)
      #expect(id.map { driver.tree.storedStat(of: $0) } == znode.stat, "seed \(seed) \(key.path)")
    }
    let names = oracle.znodes.keys.filter { !$0.path.isEmpty }.map { Oracle.parent($0.path) }
    for (parent, children) in Dictionary(grouping: names, by: { $0 }) {
      #expect(driver.tree.find(parent.path).map { driver.tree.childCount(of: $0) } == children.count)
      #expect(driver.tree.find(parent.path).map { driver.tree.childNames(of: $0).count } == children.count)
    }
  }
}
