internal import ZnodeTree
internal import ZooKeeperProtocol

extension RequestPreparer {
  /// setData: the checks in Apache's order (`ClientProtocol` 4.8).
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
    outstanding.update(record, data: body.data, zxid: context.zxid)
    return .setData(SetDataTxn(path: body.path, data: body.data, version: version))
  }

  /// setACL: the checks in Apache's order.
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
    outstanding.update(record, zxid: context.zxid)
    return .setACL(SetACLTxn(path: body.path, acl: acl, version: version))
  }

  /// check, as a part of a multi: no change, and refused like one.
  func check(_ body: PathVersionRequest, _ context: Context) throws(KeeperError) -> Txn {
    try checkSession(context)
    try checkPath(body.path)
    try budget.charge(path: body.path)
    let record = try find(body.path)
    try checkAccess(.read, record, context)
    return .check(path: body.path, version: try nextVersion(record.stat.version, expected: body.version))
  }
}
