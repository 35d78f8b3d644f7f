internal import ZnodeTree
internal import ZooKeeperProtocol

extension RequestPreparer {
  private static let specialPaths: Set<PathKey> = [
    PathKey("/"), PathKey("/zookeeper"), PathKey("/zookeeper/quota"), PathKey("/zookeeper/config"),
  ]

  /// Prepares a delete, with the checks in Apache's order (`ClientProtocol` 4.4).
  ///
  /// - Throws: the error of the first check that fails.
  func delete(_ body: PathVersionRequest, _ context: Context) throws(KeeperError) -> Txn {
    try checkSession(context)
    let parentPath = try parentPathForDelete(of: body.path)
    try budget.charge(path: body.path)
    let parent = try find(parentPath)
    try checkAccess(.delete, parent, context)
    let record = try find(body.path)
    _ = try nextVersion(record.stat.version, expected: body.version)
    guard record.childCount == 0 else { throw .notEmpty }
    remove(record, from: parent, context)
    return .delete(path: body.path)
  }

  /// Prepares the deletion of a container or TTL znode.
  ///
  /// - Throws: `notEmpty` if it has children meanwhile, `badVersion` if it is another kind of znode now, `noNode`.
  func deleteContainer(_ path: String, _ context: Context) throws(KeeperError) -> Txn {
    let parentPath = try parentPathForDelete(of: path)
    let record = try find(path)
    guard record.childCount == 0 else { throw .notEmpty }
    switch owner(record) {
    case .container, .ttl: break
    case .persistent, .session: throw .badVersion
    }
    remove(record, from: try find(parentPath), context)
    return .deleteContainer(path: path)
  }

  private func remove(_ record: ChangeRecord, from parent: ChangeRecord, _ context: Context) {
    var parent = parent
    parent.childCount -= 1
    parent.stat.pzxid = context.zxid
    digests.parent = outstanding.update(parent, zxid: context.zxid)
    outstanding.remove(record, zxid: context.zxid)
  }

  private func parentPathForDelete(of path: String) throws(KeeperError) -> String {
    guard !Self.specialPaths.contains(PathKey(path)) else { throw .badArguments }
    return try parentPath(of: path)
  }
}
