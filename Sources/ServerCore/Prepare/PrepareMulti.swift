internal import ZnodeTree
internal import ZooKeeperProtocol

extension RequestPreparer {
  /// Prepares a multi. Each part sees the effects of the parts before it; the first one that fails reverts them all.
  ///
  /// - Throws: `marshallingError` if the request is not one that Apache's decoder accepts (parts that only read,
  ///   creates whose flags are unknown, creates without a TTL whose flags ask for one), and if it has more parts than a
  ///   transaction has room for.
  func multi(_ body: MultiRequest, _ context: Context) throws(KeeperError) -> Txn {
    guard body.operations.allSatisfy(isDecodable) else { throw .marshallingError }
    try budget.charge(parts: body.operations.count)
    var txns: [Txn] = []
    txns.reserveCapacity(body.operations.count)
    outstanding.beginUndoable()
    var hasFailed = false
    for operation in body.operations {
      if hasFailed {
        txns.append(.error(.runtimeInconsistency))
        continue
      }
      do throws(KeeperError) {
        txns.append(try txn(for: operation, context))
      } catch {
        hasFailed = true
        txns.append(.error(error))
        outstanding.undo()
      }
    }
    if !hasFailed { outstanding.commitUndoable() }
    // Parts may have changed the same znode, one after the other.
    digests = KnownDigests()
    return .multi(txns)
  }

  private func isDecodable(_ operation: MultiOperation) -> Bool {
    switch operation {
    case .create(let body), .create2(let body), .createContainer(let body): (0...4).contains(body.flags)
    case .createTTL, .delete, .setData, .check: true
    case .getData, .getChildren: false
    }
  }

  /// Prepares a part. In a multi the flags determine the operation: 4 makes a container, and a createTTL whose flags do
  /// not name a TTL mode is a plain create.
  private func txn(for operation: MultiOperation, _ context: Context) throws(KeeperError) -> Txn {
    switch operation {
    case .create(let body): try create(CreateForm(body.flags == 4 ? .createContainer : .create, body), context)
    case .create2(let body): try create(CreateForm(body.flags == 4 ? .createContainer : .create2, body), context)
    case .createContainer(let body): try create(CreateForm(.createContainer, body), context)
    case .createTTL(let body) where body.create.flags >= 5:
      try create(CreateForm(.createTTL, body.create, ttl: body.ttlMilliseconds), context)
    case .createTTL(let body):
      try create(CreateForm(body.create.flags == 4 ? .createContainer : .create, body.create), context)
    case .delete(let body): try delete(body, context)
    case .setData(let body): try setData(body, context)
    case .check(let body): try check(body, context)
    case .getData, .getChildren: throw .marshallingError
    }
  }
}
