internal import ZooKeeperProtocol

/// The primitive changes of which the effects of transactions consist.
///
/// Each keeps counts, indices and digest consistent. Transactions and watches are unknown here.
extension DataTree {
  /// Adds the built-in znodes to an empty tree, with the counters of Apache's.
  func installBuiltIns() {
    let root = slab.allocate()
    precondition(root == Self.root)
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    fillBlock(slab.mutable(root), owner: 0, aversion: 0, name: nothing, data: nothing)
    znodeCount = 1
    // Apache's tree has the root under "" and "/", which together have one character.
    approximateDataSizeBytes = 1
    if digestEnabled { refreshDigest(root, path: nothing) }
    for path in ["/zookeeper", "/zookeeper/quota", "/zookeeper/config"] {
      withBytes(path) { bytes in
        // Built-in znodes have no zxid and no times, and do not count in their parents' cversion.
        _ = addZnode(at: bytes, data: nothing, slot: 0, stat: Self.zeroStat)
      }
    }
    guard let config = find("/zookeeper/config") else {
      preconditionFailure("/zookeeper/config was just added and is not in the tree")
    }
    let configRecord = slab.mutable(config)
    configRecord.pointee.aclSlot = acls.acquire(ACL.readUnsafe)
    setAversion(of: config, to: -1)
  }

  static let zeroStat = StatPersisted(
    czxid: .zero, mzxid: .zero, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
    ephemeralOwner: 0, pzxid: .zero)

  /// Adds a znode that does not exist, under a parent that does. The caller's use of the ACL slot becomes the znode's.
  /// The parent's counters are not changed.
  ///
  /// - Returns: nil if the parent is missing, or the path has no name.
  func addZnode(
    at path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, slot: ACLSlot, stat: StatPersisted
  ) -> ZnodeID? {
    guard let slash = PathBytes.lastSlash(path), slash + 1 < path.count else { return nil }
    guard let parent = find(PathBytes.prefix(path, slash)) else { return nil }
    let name = PathBytes.suffix(path, from: slash + 1)
    let id = addUnindexed(at: path, named: name, under: parent, data: data, slot: slot, stat: stat)
    if let id { index.insert(id, parent, name) }
    return id
  }

  /// Adds a znode under a parent that is known already. `name` is the last part of `path`. The caller must add the
  /// znode to the index.
  func addUnindexed(
    at path: UnsafeRawBufferPointer, named name: UnsafeRawBufferPointer, under parent: ZnodeID,
    data: UnsafeRawBufferPointer?, slot: ACLSlot, stat: StatPersisted
  ) -> ZnodeID? {
    guard name.count <= ZnodeRecord.maximumNameLengthBytes else { return nil }
    ahead.removeAll()
    let id = slab.allocate()
    let record = slab.mutable(id)
    record.pointee.czxid = stat.czxid.rawValue
    record.pointee.mzxid = stat.mzxid.rawValue
    record.pointee.pzxid = stat.pzxid.rawValue
    record.pointee.ctimeMilliseconds = stat.ctimeMilliseconds
    record.pointee.mtimeMilliseconds = stat.mtimeMilliseconds
    record.pointee.version = stat.version
    record.pointee.cversion = stat.cversion
    record.pointee.aclSlot = slot
    record.pointee.parent = parent
    fillBlock(record, owner: stat.ephemeralOwner, aversion: stat.aversion, name: name, data: data)
    link(id, to: parent)
    znodeCount += 1
    approximateDataSizeBytes += PathBytes.utf16Count(path) + (data?.count ?? 0)
    register(id, owner: stat.ephemeralOwner)
    if digestEnabled { refreshDigest(id, path: path, known: known.own) }
    return id
  }

  /// Removes a znode and its descendants, if there are any. The parent's counters are not changed.
  func removeZnode(_ id: ZnodeID, path: UnsafeRawBufferPointer) {
    precondition(id != Self.root, "the root cannot be removed")
    if slab.record(id).pointee.firstChild != 0 { removeDescendants(of: id, pathLength: PathBytes.utf16Count(path)) }
    detach(id, pathLength: PathBytes.utf16Count(path))
  }

  /// Replaces a znode's data. Its counters and its digest are not changed.
  func replaceData(_ id: ZnodeID, with data: UnsafeRawBufferPointer?) {
    let record = slab.mutable(id)
    let old = record.pointee
    let newLength = old.dataOffset + (data?.count ?? 0)
    approximateDataSizeBytes += (data?.count ?? 0) - max(0, Int(old.dataLength))
    guard let block = old.block else { preconditionFailure("znode \(id) is free") }
    if BlockArena.isSameSize(old.blockLength, newLength), !slab.isNeeded(block, of: id) {
      return record.pointee.fill(data: data)
    }
    fillBlock(record, owner: old.owner, aversion: old.aversion, name: old.name, data: data)
    freeBlock(of: old, id)
  }

  /// Sets the number of changes of a znode's ACL. Its digest is not changed.
  func setAversion(of id: ZnodeID, to aversion: Int32) {
    let record = slab.mutable(id)
    let old = record.pointee
    guard aversion != old.aversion else { return }
    fillBlock(record, owner: old.owner, aversion: aversion, name: old.name, data: old.data)
    freeBlock(of: old, id)
  }

  /// Sets a znode's digest after a change of its counters or data: to `known`, if that is not nil.
  func refreshDigest(_ id: ZnodeID, path: UnsafeRawBufferPointer, known: UInt32? = nil) {
    guard digestEnabled else { return }
    let record = slab.mutable(id)
    let digest = known ?? computedDigest(of: record.pointee, path: path)
    assert(known == nil || digest == computedDigest(of: record.pointee, path: path), "a digest was known wrongly")
    treeDigest = treeDigest &- UInt64(record.pointee.digest) &+ UInt64(digest)
    record.pointee.digest = digest
  }

  private func computedDigest(of record: ZnodeRecord, path: UnsafeRawBufferPointer) -> UInt32 {
    guard Self.isCountedInDigest(path) else { return 0 }
    return finishDigest(digestPrefix(path: path, data: record.data), Self.storedStat(record))
  }

  private func fillBlock(
    _ record: UnsafeMutablePointer<ZnodeRecord>, owner: Int64, aversion: Int32, name: UnsafeRawBufferPointer,
    data: UnsafeRawBufferPointer?
  ) {
    let length = ZnodeRecord.blockLength(
      nameLength: name.count, dataLength: data?.count ?? 0, owner: owner, aversion: aversion)
    record.pointee.fill(arena.allocate(length), name: name, data: data, owner: owner, aversion: aversion)
  }

  private func link(_ id: ZnodeID, to parent: ZnodeID) {
    let parentRecord = slab.mutable(parent)
    let first = parentRecord.pointee.firstChild
    slab.mutable(id).pointee.nextSibling = first
    if first != 0 { slab.mutable(first).pointee.previousSibling = id }
    parentRecord.pointee.firstChild = id
    parentRecord.pointee.childCount += 1
  }

  private func unlink(_ id: ZnodeID) {
    let record = slab.record(id).pointee
    if record.previousSibling != 0 {
      slab.mutable(record.previousSibling).pointee.nextSibling = record.nextSibling
    } else {
      slab.mutable(record.parent).pointee.firstChild = record.nextSibling
    }
    if record.nextSibling != 0 { slab.mutable(record.nextSibling).pointee.previousSibling = record.previousSibling }
    slab.mutable(record.parent).pointee.childCount -= 1
  }

  /// Removes a znode without children from the lists, the index and the counts.
  private func detach(_ id: ZnodeID, pathLength: Int) {
    let record = slab.record(id).pointee
    ahead.removeAll()
    if deepPlace?.id == id { deepPlace?.goUp(to: record.parent) }
    unlink(id)
    index.remove(id, record.parent, record.name)
    unregister(id, owner: record.owner)
    acls.release(record.aclSlot)
    treeDigest = treeDigest &- UInt64(record.digest)
    znodeCount -= 1
    approximateDataSizeBytes -= pathLength + max(0, Int(record.dataLength))
    // First the record, so that the views that need the block have it.
    slab.free(id)
    freeBlock(of: record, id)
  }

  /// Frees the block of an old state of a znode, unless the present state has it too, or a view needs it.
  func freeBlock(of old: ZnodeRecord, _ id: ZnodeID) {
    guard let block = old.block, slab.record(id).pointee.block != block, !slab.isNeeded(block, of: id) else { return }
    arena.free(block, lengthBytes: old.blockLength)
  }

  /// Removes the descendants of a znode. Only the replay of a log over a fuzzy snapshot of Apache's can delete a znode
  /// that has children.
  private func removeDescendants(of top: ZnodeID, pathLength: Int) {
    var ids: [(id: ZnodeID, pathLength: Int)] = []
    var lengths: [ZnodeID: Int] = [top: pathLength]
    walk(top) { id in
      guard id != top else { return }
      let record = slab.record(id).pointee
      let length = (lengths[record.parent] ?? 0) + 1 + PathBytes.utf16Count(record.name)
      lengths[id] = length
      ids.append((id, length))
    }
    for (id, length) in ids.reversed() { detach(id, pathLength: length) }
  }

  private func register(_ id: ZnodeID, owner: Int64) {
    switch EphemeralOwner(stored: owner, extendedTypesEnabled: extendedTypesEnabled) {
    case .persistent: break
    case .container: containers.insert(id)
    case .ttl: ttlZnodes.insert(id)
    case .session(let session):
      ephemerals[session, default: []].insert(id)
      ephemeralCount += 1
    }
  }

  private func unregister(_ id: ZnodeID, owner: Int64) {
    switch EphemeralOwner(stored: owner, extendedTypesEnabled: extendedTypesEnabled) {
    case .persistent: break
    case .container: containers.remove(id)
    case .ttl: ttlZnodes.remove(id)
    case .session(let session):
      ephemerals[session]?.remove(id)
      if ephemerals[session]?.isEmpty == true { ephemerals[session] = nil }
      ephemeralCount -= 1
    }
  }
}
