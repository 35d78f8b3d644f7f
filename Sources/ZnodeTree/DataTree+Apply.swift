package import ZooKeeperProtocol

/// Applying transactions.
///
/// A transaction was checked when it was made, and does not fail here, except when a log is replayed over a snapshot
/// that already has some of its effects. Then a create can find its znode, and a delete can miss it; both continue
/// (`StorageFormat` C.5).
///
/// *Source*: `org.apache.zookeeper.server.DataTree#processTxn`.
extension DataTree {
  /// Applies one transaction, and appends the changes that watches may wait for.
  ///
  /// - Parameter known: the digests that its maker has computed; not for a multi, which may change a znode twice.
  /// - Returns: what the reply needs. A transaction of type error has its code as result.
  package func apply(
    _ header: TxnHeader, _ txn: Txn, known: KnownDigests = KnownDigests(), changes: inout [TreeChange]
  ) -> TxnResult {
    acls.releaseRetired()
    self.known = known
    defer { self.known = KnownDigests() }
    let result = applyPart(header, txn, changes: &changes)
    if header.zxid > lastProcessedZxid { lastProcessedZxid = header.zxid }
    if arena.needsVacating { vacate() }
    return result
  }

  private func applyPart(_ header: TxnHeader, _ txn: Txn, changes: inout [TreeChange]) -> TxnResult {
    switch txn {
    case .create(let body), .create2(let body), .createContainer(let body), .createTTL(let body, _):
      applyCreate(header, txn, body, changes: &changes)
    case .delete(let path), .deleteContainer(let path):
      applyDelete(header, txn.opCode, path, changes: &changes)
    case .setData(let body), .reconfig(let body):
      applySetData(header, txn.opCode, body, changes: &changes)
    case .setACL(let body): applySetACL(body)
    case .check(let path, _): TxnResult(opCode: .check, path: path)
    case .createSession: TxnResult(opCode: .createSession)
    case .closeSession(let paths): applyCloseSession(header, paths, changes: &changes)
    case .error(let code): TxnResult(opCode: .error, error: code)
    case .multi(let parts): applyMulti(header, parts, changes: &changes)
    }
  }

  private func applyCreate(
    _ header: TxnHeader, _ txn: Txn, _ body: CreateTxn, changes: inout [TreeChange]
  ) -> TxnResult {
    var result = TxnResult(opCode: txn.opCode, path: body.path)
    let owner = EphemeralOwner(of: txn, sessionID: header.sessionID)
    result.error = withBytes(body.path) { path in
      guard let slash = PathBytes.lastSlash(path) else { return .badArguments }
      let parentPath = PathBytes.prefix(path, slash)
      guard let parent = find(parentPath) else { return .noNode }
      if let existing = find(path) {
        replaceACL(existing, body.acl)
        // Apache's servers raise the parent's counters for this one of the four kinds of create only.
        if txn.opCode == .create { raiseCversion(of: parent, parentPath, to: body.parentCVersion, header.zxid) }
        return .nodeExists
      }
      let slot = acls.acquire(body.acl)
      guard let id = create(at: path, body.data, slot, owner.stored, header) else {
        acls.release(slot)
        return .badArguments
      }
      let cversion = slab.record(parent).pointee.cversion
      let parentCVersion = body.parentCVersion == -1 ? cversion &+ 1 : body.parentCVersion
      raiseCversion(of: parent, parentPath, to: parentCVersion, header.zxid)
      if txn.opCode != .create { result.stat = stat(of: id) }
      changes.append(
        TreeChange(
          kind: .created, path: body.path, zxid: header.zxid, aclSlot: slot,
          parentACLSlot: slab.record(parent).pointee.aclSlot))
      didCreate(path, parentPath: parentPath, dataLength: body.data?.count ?? 0)
      return .ok
    }
    return result
  }

  private func create(
    at path: UnsafeRawBufferPointer, _ data: [UInt8]?, _ slot: ACLSlot, _ owner: Int64, _ header: TxnHeader
  ) -> ZnodeID? {
    let stat = StatPersisted(
      czxid: header.zxid, mzxid: header.zxid, ctimeMilliseconds: header.timeMilliseconds,
      mtimeMilliseconds: header.timeMilliseconds, version: 0, cversion: 0, aversion: 0, ephemeralOwner: owner,
      pzxid: header.zxid)
    guard let data else { return addZnode(at: path, data: nil, slot: slot, stat: stat) }
    return data.withUnsafeBytes { addZnode(at: path, data: $0, slot: slot, stat: stat) }
  }

  private func raiseCversion(
    of parent: ZnodeID, _ parentPath: UnsafeRawBufferPointer, to cversion: Int32, _ zxid: Zxid
  ) {
    guard cversion > slab.record(parent).pointee.cversion else { return }
    let record = slab.mutable(parent)
    record.pointee.cversion = cversion
    record.pointee.pzxid = zxid.rawValue
    refreshDigest(parent, path: parentPath, known: known.parent)
  }

  private func applyDelete(
    _ header: TxnHeader, _ opCode: OpCode, _ path: String, changes: inout [TreeChange]
  ) -> TxnResult {
    TxnResult(opCode: opCode, error: delete(path, zxid: header.zxid, changes: &changes), path: path)
  }

  /// Deletes a znode. The parent's pzxid is raised even if the znode does not exist, so that a replay ends in the same
  /// state as the first run.
  private func delete(_ path: String, zxid: Zxid, changes: inout [TreeChange]) -> KeeperError {
    withBytes(path) { bytes in
      guard let slash = PathBytes.lastSlash(bytes), bytes.count > 1 else { return .badArguments }
      let parentPath = PathBytes.prefix(bytes, slash)
      guard let parent = find(parentPath) else { return .noNode }
      let found = child(of: parent, named: PathBytes.suffix(bytes, from: slash + 1))
      let slot = found.map { slab.record($0).pointee.aclSlot } ?? 0
      let dataLength = found.map { self.dataLength(of: $0) } ?? 0
      if let found { removeZnode(found, path: bytes) }
      if zxid.rawValue > slab.record(parent).pointee.pzxid {
        slab.mutable(parent).pointee.pzxid = zxid.rawValue
        refreshDigest(parent, path: parentPath, known: known.parent)
      }
      guard found != nil else { return .noNode }
      changes.append(
        TreeChange(
          kind: .deleted, path: path, zxid: zxid, aclSlot: slot,
          parentACLSlot: slab.record(parent).pointee.aclSlot))
      didDelete(bytes, parentPath: parentPath, dataLength: dataLength)
      return .ok
    }
  }

  private func applySetData(
    _ header: TxnHeader, _ opCode: OpCode, _ body: SetDataTxn, changes: inout [TreeChange]
  ) -> TxnResult {
    var result = TxnResult(opCode: opCode, path: body.path)
    result.error = withBytes(body.path) { path in
      let found =
        if let data = body.data {
          data.withUnsafeBytes { setData(header, path, $0, version: body.version) }
        } else {
          setData(header, path, nil, version: body.version)
        }
      guard let id = found else { return .noNode }
      result.stat = stat(of: id)
      changes.append(
        TreeChange(
          kind: .dataChanged, path: body.path, zxid: header.zxid, aclSlot: slab.record(id).pointee.aclSlot,
          parentACLSlot: 0))
      return .ok
    }
    return result
  }

  /// Applies a transaction of type setData that was answered, and whose events were sent, long ago: the same as
  /// `apply`, at half of the cost.
  package func replaySetData(_ view: SetDataView) {
    acls.releaseRetired()
    _ = setData(view.header, view.path, view.data, version: view.version)
    if view.header.zxid > lastProcessedZxid { lastProcessedZxid = view.header.zxid }
    if arena.needsVacating { vacate() }
  }

  /// - Returns: nil if there is no such znode.
  private func setData(
    _ header: TxnHeader, _ path: UnsafeRawBufferPointer, _ data: UnsafeRawBufferPointer?, version: Int32
  ) -> ZnodeID? {
    guard let id = find(path) else { return nil }
    let oldLength = dataLength(of: id)
    replaceData(id, with: data)
    let record = slab.mutable(id)
    record.pointee.version = version
    record.pointee.mtimeMilliseconds = header.timeMilliseconds
    record.pointee.mzxid = header.zxid.rawValue
    refreshDigest(id, path: path, known: known.own)
    didSetData(path, difference: (data?.count ?? 0) - oldLength)
    return id
  }

  private func applySetACL(_ body: SetACLTxn) -> TxnResult {
    var result = TxnResult(opCode: .setACL, path: body.path)
    result.error = withBytes(body.path) { path in
      guard let id = find(path) else { return .noNode }
      replaceACL(id, body.acl)
      setAversion(of: id, to: body.version)
      refreshDigest(id, path: path, known: known.own)
      result.stat = stat(of: id)
      return .ok
    }
    return result
  }

  private func replaceACL(_ id: ZnodeID, _ acl: [ACL]) {
    let slot = acls.acquire(acl)
    let record = slab.mutable(id)
    acls.release(record.pointee.aclSlot)
    record.pointee.aclSlot = slot
  }

  /// Deletes the listed paths, then what else the session still owns. That is something only if the list was cut short
  /// for lack of room, or is missing in a log of an old server.
  private func applyCloseSession(
    _ header: TxnHeader, _ paths: [String]?, changes: inout [TreeChange]
  ) -> TxnResult {
    for path in paths ?? [] { _ = delete(path, zxid: header.zxid, changes: &changes) }
    for path in ephemeralPaths(of: header.sessionID) { _ = delete(path, zxid: header.zxid, changes: &changes) }
    return TxnResult(opCode: .closeSession)
  }

  /// Applies the parts of a multi. If one part is an error, nothing is changed: the results are `ok` for the parts
  /// before it, its own code, and `runtimeInconsistency` for the parts after it.
  private func applyMulti(_ header: TxnHeader, _ parts: [Txn], changes: inout [TreeChange]) -> TxnResult {
    var result = TxnResult(opCode: .multi)
    result.parts.reserveCapacity(parts.count)
    let hasFailed = parts.contains { $0.opCode == .error }
    var isAfterError = false
    for part in parts {
      let partResult: TxnResult
      if case .error(let code) = part {
        isAfterError = true
        partResult = TxnResult(opCode: .error, error: code)
      } else if hasFailed {
        partResult = TxnResult(opCode: .error, error: isAfterError ? .runtimeInconsistency : .ok)
      } else {
        partResult = applyPart(header, part, changes: &changes)
      }
      if result.error == .ok { result.error = partResult.error }
      result.parts.append(partResult)
    }
    return result
  }
}
