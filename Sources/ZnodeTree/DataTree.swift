package import Jute
package import ZooKeeperProtocol

/// The znodes of a server: a tree of names with data, counters and ACLs.
///
/// Records of fixed size are in a slab, names and data in an arena, and an open-addressing index finds a child by
/// parent and name. Nothing on the read path allocates or counts references: a path is looked up as bytes, and what is
/// found is copied straight into a reply.
///
/// All changes are made by `apply`, one transaction after the other. Its results are what the reply needs, and the
/// changes for which watches must be checked.
///
/// The runtime does not check that accesses to its variables do not overlap, which would cost more than most of the
/// accesses: one thread calls the tree, and the tree calls no one.
///
/// *Source*: `org.apache.zookeeper.server.DataTree`; `ClientProtocol` 4.5, `StorageFormat` C.
///
/// *Thread*: one at a time.
package final class DataTree {
  let slab = RecordSlab()
  let arena = BlockArena()
  let index: NameIndex
  @exclusivity(unchecked) var acls = ACLCache()

  /// Ephemerals by the session that owns them.
  @exclusivity(unchecked) var ephemerals: [SessionID: Set<ZnodeID>] = [:]
  @exclusivity(unchecked) var containers: Set<ZnodeID> = []
  @exclusivity(unchecked) var ttlZnodes: Set<ZnodeID> = []
  /// Paths that have a quota.
  @exclusivity(unchecked) var quotaPaths: Set<PathKey> = []

  /// Whether TTL znodes exist: `zookeeper.extendedTypesEnabled`.
  package let extendedTypesEnabled: Bool
  /// Whether the digest is kept: `zookeeper.digest.enabled`.
  package let digestEnabled: Bool

  /// The newest transaction applied.
  @exclusivity(unchecked) package internal(set) var lastProcessedZxid = Zxid.zero
  /// The sum of the digests of all znodes, modulo 2⁶⁴; 0 when digests are off.
  @exclusivity(unchecked) package internal(set) var treeDigest: UInt64 = 0
  /// Znodes, the root included.
  @exclusivity(unchecked) package internal(set) var znodeCount = 0
  /// The lengths of all paths and data, as Apache's `approximate_data_size` adds them up.
  @exclusivity(unchecked) package internal(set) var approximateDataSizeBytes = 0
  @exclusivity(unchecked) package internal(set) var ephemeralCount = 0
  /// Where a long path was last found, see `findDeep`.
  @exclusivity(unchecked) var deepPlace: DeepPlace?
  /// The length of the longest path that ever had a quota: deeper levels need not be looked up.
  @exclusivity(unchecked) var longestQuotaPathBytes = 0

  /// The paths that were announced by `lookAhead`.
  @exclusivity(unchecked) var ahead = LookAhead()

  /// What is known in advance of the transaction that is being applied.
  @exclusivity(unchecked) var known = KnownDigests()
  /// How far the records have been looked at for `vacate`.
  @exclusivity(unchecked) var nextToVacate: ZnodeID = 1

  /// The root's id.
  package static let root: ZnodeID = 1

  /// A tree with the built-in znodes: the root, `/zookeeper`, `/zookeeper/quota` and `/zookeeper/config`.
  ///
  /// - Parameter hashSeed: a number that clients cannot guess, so that they cannot choose names whose hashes collide.
  ///   It has no effect on the results of any call.
  package init(hashSeed: UInt64 = 0, extendedTypesEnabled: Bool = false, digestEnabled: Bool = true) {
    index = NameIndex(seed: hashSeed)
    self.extendedTypesEnabled = extendedTypesEnabled
    self.digestEnabled = digestEnabled
    installBuiltIns()
  }

  deinit {
    slab.destroy()
    arena.destroy()
    index.destroy()
    ahead.destroy()
  }

  /// The memory of the tree by its parts, in bytes.
  package var memory: TreeMemory {
    TreeMemory(
      recordBytes: slab.allocatedBytes, indexBytes: index.allocatedBytes, contentBytes: arena.allocatedBytes,
      usedContentBytes: arena.liveBytes, copiedBytes: slab.viewBytes, aclCount: acls.entries.count)
  }

  /// The number of znodes as Apache reports it, with the root counted twice.
  package var reportedZnodeCount: Int { znodeCount + 1 }

  /// The znode at `path`; nil if there is none, or if the path is malformed.
  ///
  /// The empty path is an alias of the root.
  package func find(_ path: UnsafeRawBufferPointer) -> ZnodeID? {
    if path.count <= 1 { return path.isEmpty || path[0] == PathBytes.slash ? Self.root : nil }
    guard path[0] == PathBytes.slash else { return nil }
    if !ahead.isEmpty, let known = ahead.known(path) { return known == 0 ? nil : known }
    if path.count >= DeepPlace.minimumBytes { return findDeep(path) }
    return descend(from: Self.root, path, at: 1)
  }

  /// Whether it pays to look ahead: not in a tree that fits into the processor's caches.
  package var isWorthLookingAhead: Bool { index.allocatedBytes >= Self.leastIndexBytesToLookAhead }

  /// With as many entries there are 16,384 znodes, and about 4 MB in all.
  private static let leastIndexBytesToLookAhead = 256 << 10

  /// Finds the znodes at the paths of the next few requests, all at the same time, which takes far less time in a large
  /// tree. `find` then knows them until `endLookAhead`, or until a znode is created or deleted.
  ///
  /// - Parameter next: returns the next path, whose bytes must stay until then; nil if there is no other. The paths
  ///   must be in one block of memory, one after the other.
  package func lookAhead(_ next: () -> UnsafeRawBufferPointer?) {
    ahead.removeAll()
    while !ahead.isFull, let path = next() { ahead.append(path) }
    ahead.resolve(index, slab)
  }

  /// Says that the paths before `address` will not be asked for again.
  package func advanceLookAhead(to address: UnsafeRawPointer) {
    if !ahead.isEmpty { ahead.advance(to: address) }
  }

  /// Forgets the paths of `lookAhead`.
  package func endLookAhead() { ahead.removeAll() }

  /// The znode that the rest of `path`, which begins with a name at `offset`, leads to from `top`.
  func descend(from top: ZnodeID, _ path: UnsafeRawBufferPointer, at offset: Int) -> ZnodeID? {
    var id = top
    var start = offset
    while true {
      let end = PathBytes.endOfName(in: path, from: start)
      id = index.find(id, UnsafeRawBufferPointer(rebasing: path[start..<end]), in: slab)
      if id == 0 { return nil }
      if end == path.count { return id }
      start = end + 1
    }
  }

  /// The znode at `path`: `find` for a string.
  package func find(_ path: String) -> ZnodeID? { withBytes(path) { find($0) } }

  /// The child of `parent` with that name.
  func child(of parent: ZnodeID, named name: UnsafeRawBufferPointer) -> ZnodeID? {
    let id = index.find(parent, name, in: slab)
    return id == 0 ? nil : id
  }

  /// The parent of a znode; the root is its own.
  package func parent(of id: ZnodeID) -> ZnodeID { slab.record(id).pointee.parent }

  /// The path of a znode that exists.
  ///
  /// *Complexity*: the path's length.
  package func path(of id: ZnodeID) -> String {
    if id == Self.root { return "/" }
    var names: [UnsafeRawBufferPointer] = []
    var current = id
    while current != Self.root, current != 0 {
      let record = slab.record(current)
      names.append(record.pointee.name)
      current = record.pointee.parent
    }
    var bytes: [UInt8] = []
    for name in names.reversed() {
      bytes.append(PathBytes.slash)
      bytes.append(contentsOf: name)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension DataTree {
  /// The stat of a znode as clients see it.
  package func stat(of id: ZnodeID) -> Stat {
    let record = slab.record(id)
    return Stat(
      czxid: Zxid(rawValue: record.pointee.czxid), mzxid: Zxid(rawValue: record.pointee.mzxid),
      ctimeMilliseconds: record.pointee.ctimeMilliseconds, mtimeMilliseconds: record.pointee.mtimeMilliseconds,
      version: record.pointee.version, cversion: visibleCversion(record.pointee),
      aversion: record.pointee.aversion, ephemeralOwner: SessionID(rawValue: visibleOwner(record.pointee)),
      dataLength: max(0, record.pointee.dataLength), numChildren: Int32(truncatingIfNeeded: record.pointee.childCount),
      pzxid: Zxid(rawValue: record.pointee.pzxid))
  }

  /// The stat of a znode as it is stored.
  package func storedStat(of id: ZnodeID) -> StatPersisted { Self.storedStat(slab.record(id).pointee) }

  /// A znode's data; nil is null.
  package func data(of id: ZnodeID) -> [UInt8]? { slab.record(id).pointee.data.map { [UInt8]($0) } }

  /// Runs `body` on a znode's data without copying it; nil is null. The bytes are valid only during the call.
  package func withData<Result>(of id: ZnodeID, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    body(slab.record(id).pointee.data)
  }

  /// The size of a znode's data in bytes; 0 for null.
  package func dataLength(of id: ZnodeID) -> Int { max(0, Int(slab.record(id).pointee.dataLength)) }

  /// The number of a znode's children.
  package func childCount(of id: ZnodeID) -> Int { Int(slab.record(id).pointee.childCount) }

  /// The transaction that last set a znode's data.
  package func mzxid(of id: ZnodeID) -> Zxid { Zxid(rawValue: slab.record(id).pointee.mzxid) }

  /// The transaction that last changed the set of a znode's children.
  package func pzxid(of id: ZnodeID) -> Zxid { Zxid(rawValue: slab.record(id).pointee.pzxid) }

  /// What the znode's lifetime depends on.
  package func owner(of id: ZnodeID) -> EphemeralOwner {
    EphemeralOwner(stored: slab.record(id).pointee.owner, extendedTypesEnabled: extendedTypesEnabled)
  }

  /// The names of a znode's children, newest first.
  package func childNames(of id: ZnodeID) -> [String] {
    var names: [String] = []
    names.reserveCapacity(childCount(of: id))
    forEachChild(of: id) { names.append(String(decoding: slab.record($0).pointee.name, as: UTF8.self)) }
    return names
  }

  /// The number of a znode's descendants.
  ///
  /// *Complexity*: linear in that number.
  package func descendantCount(of id: ZnodeID) -> Int {
    if id == Self.root { return znodeCount - 1 }
    var count = -1
    walk(id) { _ in count += 1 }
    return count
  }

  /// The slot of a znode's ACL.
  package func aclSlot(of id: ZnodeID) -> ACLSlot { slab.record(id).pointee.aclSlot }

  /// The list in a slot.
  package func acl(in slot: ACLSlot) -> [ACL] { acls.entries[Int(slot)].acl }

  /// What anyone may do under the list in a slot.
  package func worldPermissions(in slot: ACLSlot) -> Permissions { acls.entries[Int(slot)].worldPermissions }

  /// Appends a znode's `Stat`.
  package func appendStat(of id: ZnodeID, into writer: inout JuteWriter) {
    let record = slab.record(id)
    writer.writeBlock(byteCount: Stat.encodedSizeBytes) { block in
      block.storeBigEndian(record.pointee.czxid, at: 0)
      block.storeBigEndian(record.pointee.mzxid, at: 8)
      block.storeBigEndian(record.pointee.ctimeMilliseconds, at: 16)
      block.storeBigEndian(record.pointee.mtimeMilliseconds, at: 24)
      block.storeBigEndian(record.pointee.version, at: 32)
      block.storeBigEndian(visibleCversion(record.pointee), at: 36)
      block.storeBigEndian(record.pointee.aversion, at: 40)
      block.storeBigEndian(visibleOwner(record.pointee), at: 44)
      block.storeBigEndian(max(0, record.pointee.dataLength), at: 52)
      block.storeBigEndian(Int32(truncatingIfNeeded: record.pointee.childCount), at: 56)
      block.storeBigEndian(record.pointee.pzxid, at: 60)
    }
  }

  /// Appends a znode's data as a buffer.
  package func appendData(of id: ZnodeID, into writer: inout JuteWriter) {
    guard let data = slab.record(id).pointee.data else { return writer.writeInt(-1) }
    writer.writeLengthPrefixed(data)
  }

  /// Appends the names of a znode's children as a vector.
  package func appendChildNames(of id: ZnodeID, into writer: inout JuteWriter) {
    writer.writeInt(Int32(truncatingIfNeeded: childCount(of: id)))
    var child = slab.record(id).pointee.firstChild
    while child != 0 {
      let record = slab.record(child)
      writer.writeLengthPrefixed(record.pointee.name)
      child = record.pointee.nextSibling
    }
  }

  /// The stored stat in a record.
  static func storedStat(_ record: ZnodeRecord) -> StatPersisted {
    StatPersisted(
      czxid: Zxid(rawValue: record.czxid), mzxid: Zxid(rawValue: record.mzxid),
      ctimeMilliseconds: record.ctimeMilliseconds, mtimeMilliseconds: record.mtimeMilliseconds,
      version: record.version, cversion: record.cversion, aversion: record.aversion, ephemeralOwner: record.owner,
      pzxid: Zxid(rawValue: record.pzxid))
  }

  /// Visits the children of a znode. `body` may remove the child that it is called with.
  func forEachChild(of id: ZnodeID, _ body: (ZnodeID) -> Void) {
    var child = slab.record(id).pointee.firstChild
    while child != 0 {
      let next = slab.record(child).pointee.nextSibling
      body(child)
      child = next
    }
  }

  /// Visits a znode and its descendants, parents first. `body` must not change the tree.
  func walk(_ top: ZnodeID, _ body: (ZnodeID) -> Void) {
    var id = top
    while true {
      body(id)
      let first = slab.record(id).pointee.firstChild
      if first != 0 {
        id = first
        continue
      }
      while id != top, slab.record(id).pointee.nextSibling == 0 { id = slab.record(id).pointee.parent }
      if id == top { return }
      id = slab.record(id).pointee.nextSibling
    }
  }

  /// The cversion that clients see, which grows by 1 with each create and each delete of a child. Only creates are
  /// stored; deletes follow from the number of children that are left.
  private func visibleCversion(_ record: ZnodeRecord) -> Int32 {
    record.cversion &* 2 &- Int32(truncatingIfNeeded: record.childCount)
  }

  private func visibleOwner(_ record: ZnodeRecord) -> Int64 {
    let stored = record.owner
    guard stored != 0 else { return 0 }
    let owner = EphemeralOwner(stored: stored, extendedTypesEnabled: extendedTypesEnabled)
    return owner.isSession ? owner.stored : 0
  }
}

extension DataTree {
  /// The ephemeral znodes of a session, in ascending order of their numbers.
  package func ephemerals(of session: SessionID) -> [ZnodeID] { ephemerals[session]?.sorted() ?? [] }

  /// The paths of a session's ephemeral znodes, in ascending order.
  package func ephemeralPaths(of session: SessionID) -> [String] {
    // They are sorted by id first, because paths that differ only in Unicode normalization compare as equal, and then
    // keep that order.
    ephemerals(of: session).map { path(of: $0) }.sorted()
  }

  /// Whether a session owns any znode.
  package func hasEphemerals(_ session: SessionID) -> Bool { ephemerals[session] != nil }

  /// The sessions that own znodes, in ascending order of their ids.
  package var sessionsWithEphemerals: [SessionID] { ephemerals.keys.sorted { $0.rawValue < $1.rawValue } }

  /// The containers and TTL znodes that can be deleted now: those without children, if they had some or are old enough.
  ///
  /// - Parameters:
  ///   - nowMilliseconds: the clock of transactions' times, in milliseconds since 1970.
  ///   - maxNeverUsedMilliseconds: after which time a container that never had a child is deleted; 0 for never.
  ///   - limit: the largest number of paths to return.
  ///
  /// *Source*: `org.apache.zookeeper.server.ContainerManager`; `ClientProtocol` 4.14.
  package func reapablePaths(nowMilliseconds: Int64, maxNeverUsedMilliseconds: Int64, limit: Int) -> [String] {
    var ids: [ZnodeID] = []
    for id in containers {
      let record = slab.record(id).pointee
      guard record.childCount == 0 else { continue }
      let age = nowMilliseconds &- record.mtimeMilliseconds
      if record.cversion > 0 || (maxNeverUsedMilliseconds > 0 && age > maxNeverUsedMilliseconds) { ids.append(id) }
    }
    for id in ttlZnodes {
      let record = slab.record(id).pointee
      guard record.childCount == 0, case .ttl(let ttl) = owner(of: id) else { continue }
      if nowMilliseconds &- record.mtimeMilliseconds > ttl { ids.append(id) }
    }
    return ids.sorted().prefix(limit).map { path(of: $0) }
  }
}
