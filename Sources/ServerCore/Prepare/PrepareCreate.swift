internal import ZnodeTree
internal import ZooKeeperProtocol

/// The four create operations in one form: the operation determines the type of the znode, the flags the rest.
struct CreateForm {
  var opCode: OpCode
  var body: CreateRequest
  /// -1 for operations that have no such field.
  var ttlMilliseconds: Int64

  init(_ opCode: OpCode, _ body: CreateRequest, ttl: Int64 = -1) {
    self.opCode = opCode
    self.body = body
    ttlMilliseconds = ttl
  }

  /// Whether the znode ends with its session.
  var makesEphemeral: Bool { [.create, .create2].contains(opCode) && [1, 3].contains(body.flags) }
}

extension RequestPreparer {
  /// Prepares a create, with the checks in Apache's order (`ClientProtocol` 4.3).
  ///
  /// - Throws: the error of the first check that fails.
  func create(_ form: CreateForm, _ context: Context) throws(KeeperError) -> Txn {
    let isSequential = try checkFlags(form)
    if form.makesEphemeral { try checkOwnerOfEphemerals(context) } else { try checkSession(context) }
    let parentPath = try parentPath(of: form.body.path)
    try budget.charge(path: form.body.path, data: form.body.data)
    let acl = try access.fixedUp(form.body.acl, context.origin.identities, budget: &budget)
    var parent = try find(parentPath)
    try checkAccess(.create, parent, context)
    let path = isSequential ? form.body.path + sequence(parent.stat.cversion) : form.body.path
    try checkPath(path)
    guard outstanding.find(path) == nil else { throw .nodeExists }
    guard !owner(parent).isSession else { throw .noChildrenForEphemerals }
    try checkQuota(path, bytes: form.body.data?.count ?? 0, znodes: 1)

    parent.childCount += 1
    // As when it is applied: at the end of its range the counter stays where it is, and pzxid with it.
    let cversion = parent.stat.cversion &+ 1
    if cversion > parent.stat.cversion {
      parent.stat.cversion = cversion
      parent.stat.pzxid = context.zxid
    }
    let body = CreateTxn(
      path: path, data: form.body.data, acl: acl, isEphemeral: form.makesEphemeral, parentCVersion: cversion)
    let txn = txn(form, body)
    digests.parent = outstanding.update(parent, zxid: context.zxid)
    digests.own = outstanding.update(record(path, txn, acl, context), data: form.body.data, zxid: context.zxid)
    return txn
  }

  /// Whether the flags ask for a sequence number.
  ///
  /// A createTTL whose flags do not name a TTL mode is refused. An Apache server accepts it if the TTL is negative,
  /// crashes while it applies it, and cannot start again.
  private func checkFlags(_ form: CreateForm) throws(KeeperError) -> Bool {
    let flags = form.body.flags
    guard (0...6).contains(flags) else { throw .badArguments }
    let isTTL = flags >= 5
    if isTTL {
      guard tree.extendedTypesEnabled else { throw .unimplemented }
      guard (1...CreateMode.maximumTTLMilliseconds).contains(form.ttlMilliseconds) else { throw .badArguments }
    }
    guard isTTL == (form.opCode == .createTTL) else { throw .badArguments }
    return [2, 3, 6].contains(flags)
  }

  private func txn(_ form: CreateForm, _ body: CreateTxn) -> Txn {
    switch form.opCode {
    case .createContainer: .createContainer(body)
    case .createTTL: .createTTL(body, ttlMilliseconds: form.ttlMilliseconds)
    case .create2: .create2(body)
    default: .create(body)
    }
  }

  private func record(_ path: String, _ txn: Txn, _ acl: [ACL], _ context: Context) -> ChangeRecord {
    let stat = StatPersisted(
      czxid: context.zxid, mzxid: context.zxid, ctimeMilliseconds: context.timeMilliseconds,
      mtimeMilliseconds: context.timeMilliseconds, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: EphemeralOwner(of: txn, sessionID: context.origin.sessionID).stored, pzxid: context.zxid)
    return ChangeRecord(
      path: PathKey(path), zxid: context.zxid, exists: true, stat: stat, childCount: 0, access: .list(acl),
      dataLength: 0, digestPrefix: nil, digest: 0)
  }

  /// The sequence number as `%010d` prints it: at least ten characters, the sign included.
  private func sequence(_ cversion: Int32) -> String {
    let digits = String(cversion.magnitude)
    let sign = cversion < 0 ? "-" : ""
    return sign + String(repeating: "0", count: max(0, 10 - digits.utf8.count - sign.utf8.count)) + digits
  }
}
