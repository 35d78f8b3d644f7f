internal import ZnodeTree
internal import ZooKeeperProtocol

extension RequestPreparer {
  /// Prepares a setData, with the checks in Apache's order (`ClientProtocol` 4.8).
  ///
  /// - Throws: the error of the first check that fails.
  func setData(_ body: SetDataRequest, _ context: Context) throws(KeeperError) -> Txn {
    try checkSession(context)
    try checkPath(body.path)
    try budget.charge(path: body.path, data: body.data)
    var record = try find(body.path)
    try checkAccess(.write, record, context)
    try checkQuota(body.path, bytes: (body.data?.count ?? 0) - record.dataLength, znodes: 0)
    let version = try nextVersion(record.stat.version, expected: body.version)
    record.stat.version = version
    record.stat.mtimeMilliseconds = context.timeMilliseconds
    record.stat.mzxid = context.zxid
    digests.own = outstanding.update(record, data: body.data, zxid: context.zxid)
    return .setData(SetDataTxn(path: body.path, data: body.data, version: version))
  }

  /// Prepares a setACL, with the checks in Apache's order.
  ///
  /// - Throws: the error of the first check that fails.
  func setACL(_ body: SetACLRequest, _ context: Context) throws(KeeperError) -> Txn {
    try checkSession(context)
    try checkPath(body.path)
    try budget.charge(path: body.path)
    let acl = try access.fixedUp(body.acl, context.origin.identities, budget: &budget)
    var record = try find(body.path)
    try checkAccess(.admin, record, context)
    let version = try nextVersion(record.stat.aversion, expected: body.version)
    record.stat.aversion = version
    record.access = .list(acl)
    digests.own = outstanding.update(record, zxid: context.zxid)
    return .setACL(SetACLTxn(path: body.path, acl: acl, version: version))
  }

  /// Prepares a check, which is part of a multi. It changes nothing, but fails like a change.
  ///
  /// - Throws: the error of the first check that fails.
  func check(_ body: PathVersionRequest, _ context: Context) throws(KeeperError) -> Txn {
    try checkSession(context)
    try checkPath(body.path)
    try budget.charge(path: body.path)
    let record = try find(body.path)
    try checkAccess(.read, record, context)
    return .check(path: body.path, version: try nextVersion(record.stat.version, expected: body.version))
  }
}
