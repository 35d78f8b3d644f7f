import Jute
import ZnodeTree
import ZooKeeperProtocol

/// The bytes that hexadecimal digits stand for.
func hexBytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex.utf8)
  return stride(from: 0, to: digits.count, by: 2).map { offset in
    UInt8(String(decoding: digits[offset..<offset + 2], as: UTF8.self), radix: 16)!
  }
}

/// A tree to which transactions are applied with zxids that count from 1.
final class TreeDriver {
  let tree: DataTree
  var zxid: Int64
  var changes: [TreeChange] = []

  init(_ tree: DataTree = DataTree(extendedTypesEnabled: true)) {
    self.tree = tree
    zxid = tree.lastProcessedZxid.rawValue
  }

  @discardableResult
  func apply(_ txn: Txn, session: Int64 = 1, time: Int64? = nil) -> TxnResult {
    zxid += 1
    let header = TxnHeader(
      sessionID: SessionID(rawValue: session), cxid: .first, zxid: Zxid(rawValue: zxid),
      timeMilliseconds: time ?? zxid * 10, opCode: txn.opCode)
    changes = []
    return tree.apply(header, txn, changes: &changes)
  }

  @discardableResult
  func create(
    _ path: String, _ data: String? = "", acl: [ACL] = ACL.openUnsafe, ephemeral: Bool = false, session: Int64 = 1
  ) -> TxnResult {
    apply(.create2(createTxn(path, data, acl: acl, ephemeral: ephemeral)), session: session)
  }

  func createTxn(
    _ path: String, _ data: String? = "", acl: [ACL] = ACL.openUnsafe, ephemeral: Bool = false
  ) -> CreateTxn {
    CreateTxn(path: path, data: data.map { Array($0.utf8) }, acl: acl, isEphemeral: ephemeral, parentCVersion: -1)
  }

  func stat(_ path: String) -> Stat? { tree.find(path).map { tree.stat(of: $0) } }

  func data(_ path: String) -> String? {
    tree.find(path).flatMap { tree.data(of: $0) }.map { String(decoding: $0, as: UTF8.self) }
  }
}

/// All that a snapshot of a tree says, in an order that does not depend on how children are linked.
func contents(_ tree: DataTree) -> [String] {
  let walk = tree.startSnapshot()
  return contents(of: walk)
}

/// All that is left of a walk.
func contents(of walk: consuming SnapshotWalk) -> [String] {
  let acls = Dictionary(uniqueKeysWithValues: walk.acls.map { ($0.key, $0.acl) })
  var lines: [String] = []
  walk.visit(limit: .max) { znode in
    let path = String(decoding: znode.path, as: UTF8.self)
    let acl = znode.aclKey == -1 ? ACL.openUnsafe : acls[znode.aclKey] ?? []
    lines.append("\(path) \(znode.data.map { [UInt8]($0) }.debugDescription) \(acl) \(znode.stat)")
  }
  return lines.sorted()
}
