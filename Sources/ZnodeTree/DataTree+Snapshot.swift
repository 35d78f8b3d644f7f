package import Jute
package import ZooKeeperProtocol

/// One znode as a snapshot has it. Path and data are valid only during the call that they are passed to.
package struct SnapshotZnode {
  /// Empty for the root.
  package var path: UnsafeRawBufferPointer
  /// nil is null.
  package var data: UnsafeRawBufferPointer?
  /// A key of the snapshot's ACL lists; -1 for the open ACL.
  package var aclKey: Int64
  package var stat: StatPersisted

  /// What a znode takes in a snapshot file besides its path and data, in bytes.
  static let fixedBytes = 4 + 4 + 8 + 60
}

/// A walk over the tree as it was at one moment, while the tree continues to change.
///
/// Starting a walk copies nothing; `RecordSlab` says what changes cost until it is finished. A parent always comes
/// before its children. What was visited may change at no cost: the walk keeps what it needs of the znodes above.
package struct SnapshotWalk: ~Copyable {
  /// What is left to do on one level of the way down.
  private struct Level {
    var nextSibling: ZnodeID
    var nameLength: Int32
  }

  /// The newest transaction in the snapshot.
  package let zxid: Zxid
  /// The tree's digest at that moment.
  package let treeDigest: UInt64
  package let znodeCount: Int
  /// The ACL lists that znodes refer to, by key.
  package let acls: [(key: Int64, acl: [ACL])]

  private let tree: DataTree
  private let records: FrozenRecords
  private var current: ZnodeID
  private var path: [UInt8] = []
  private var levels: [Level] = []

  /// A walk over `tree` as it is now.
  init(_ tree: DataTree) {
    self.tree = tree
    zxid = tree.lastProcessedZxid
    treeDigest = tree.treeDigest
    znodeCount = tree.znodeCount
    acls = tree.acls.inUse.map { (Int64($0.slot), $0.acl) }
    current = DataTree.root
    records = tree.slab.freeze()
  }

  deinit {
    tree.slab.thaw(records)
    records.passAll { [tree] id, record in tree.freeBlock(of: record, id) }
  }

  /// Whether all znodes have been visited.
  package var isFinished: Bool { current == 0 }

  /// Visits the next znodes, at most `limit`.
  package mutating func visit(limit: Int, _ body: (SnapshotZnode) -> Void) {
    var visited = 0
    while current != 0, visited < limit {
      let record = records.record(current).pointee
      path.withUnsafeBytes { path in
        body(
          SnapshotZnode(
            path: path, data: record.data, aclKey: record.aclSlot == 0 ? -1 : Int64(record.aclSlot),
            stat: DataTree.storedStat(record)))
      }
      advance(from: record)
      visited += 1
    }
  }

  /// Appends the next znodes in the form of a snapshot file, about `budgetBytes` in all.
  ///
  /// - Returns: whether all znodes have been appended. The end mark "/" is not appended.
  package mutating func encode(into writer: inout JuteWriter, budgetBytes: Int) -> Bool {
    let end = writer.count + budgetBytes
    while current != 0, writer.count < end {
      visit(limit: 16) { znode in
        writer.writeLengthPrefixed(znode.path)
        if let data = znode.data { writer.writeLengthPrefixed(data) } else { writer.writeInt(-1) }
        writer.writeLong(znode.aclKey)
        znode.stat.encode(into: &writer)
      }
    }
    return current == 0
  }

  private mutating func advance(from record: ZnodeRecord) {
    levels.append(Level(nextSibling: record.nextSibling, nameLength: Int32(record.nameLength)))
    let next = record.firstChild != 0 ? record.firstChild : goUp()
    if let old = records.pass(current) { tree.freeBlock(of: old, current) }
    if next == 0 { current = 0 } else { enter(next) }
  }

  /// Leaves the levels that are finished.
  ///
  /// - Returns: the znode to go on with; 0 if there is none.
  private mutating func goUp() -> ZnodeID {
    // The root, on the first level, has no siblings.
    while levels.count > 1, let level = levels.popLast() {
      path.removeLast(Int(level.nameLength) + 1)
      if level.nextSibling != 0 { return level.nextSibling }
    }
    return 0
  }

  private mutating func enter(_ id: ZnodeID) {
    current = id
    path.append(PathBytes.slash)
    path.append(contentsOf: records.record(id).pointee.name)
  }
}

/// Why the contents of a snapshot are not a tree.
package struct SnapshotError: Error, Hashable, Sendable {
  /// The closed list of reasons.
  package enum Code: Hashable, Sendable {
    /// A znode came before its parent, or its path has no name.
    case missingParent
    /// A znode came twice.
    case duplicate
    /// A znode refers to an ACL list that the snapshot lacks.
    case unknownACL(key: Int64)
  }

  package let code: Code
  package let path: String

  package init(_ code: Code, path: String) {
    self.code = code
    self.path = path
  }
}

extension DataTree {
  /// Starts a walk over the tree as it is now. Several can be open at the same time: one for a file, and one for each
  /// learner that needs the whole tree.
  package func startSnapshot() -> SnapshotWalk { SnapshotWalk(self) }

  /// The approximate size of a snapshot of the tree as it is now, in bytes.
  package var snapshotBytes: Int { approximateDataSizeBytes + znodeCount * SnapshotZnode.fixedBytes }

  /// Whether a walk is open.
  package var isSnapshotting: Bool { slab.isFrozen }
}

/// Builds a tree from a snapshot: first the ACL lists, then the znodes, then `finish`.
package struct SnapshotRestore {
  let tree: DataTree
  var slots: [Int64: ACLSlot] = [-1: 0]
  /// The parent of the previous znode. It is usually the parent of the next one too, which then needs no look-up.
  private var lastParent = (path: [UInt8](), id: DataTree.root)
  /// Znodes that the index does not have yet: children of the last parent.
  private var unindexed: [ZnodeID] = []
  private static let maxUnindexedCount = 32

  package init(hashSeed: UInt64 = 0, extendedTypesEnabled: Bool = false, digestEnabled: Bool = true) {
    tree = DataTree(hashSeed: hashSeed, extendedTypesEnabled: extendedTypesEnabled, digestEnabled: digestEnabled)
  }

  /// Adds an ACL list under its key.
  package mutating func addACL(key: Int64, _ acl: [ACL]) {
    // This use keeps the list until `finish`, when the znodes that have it have been added.
    if key != -1 { slots[key] = tree.acls.acquire(acl) }
  }

  /// Adds a znode. A built-in one replaces the tree's.
  ///
  /// - Throws: `SnapshotError` if the parent or the ACL list is missing, or if the znode was added before.
  package mutating func addZnode(
    path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, aclKey: Int64, stat: StatPersisted
  ) throws(SnapshotError) {
    func fail(_ code: SnapshotError.Code) -> SnapshotError {
      SnapshotError(code, path: String(decoding: path, as: UTF8.self))
    }
    guard let slot = slots[aclKey] else { throw fail(.unknownACL(key: aclKey)) }
    tree.acls.retain(slot)
    if path.count <= 1 || PathBytes.hasPrefix(path, "/zookeeper"), let existing = tree.find(path) {
      guard Self.isBuiltIn(path) else { throw fail(.duplicate) }
      return tree.overwrite(existing, path: path, data: data, slot: slot, stat: stat)
    }
    guard let (parent, name) = try place(of: path),
      let id = tree.addUnindexed(at: path, named: name, under: parent, data: data, slot: slot, stat: stat)
    else { throw fail(.missingParent) }
    unindexed.append(id)
    if unindexed.count == Self.maxUnindexedCount { try indexAll() }
  }

  /// The parent of `path` and the name under it; nil for the root, and if the parent is missing.
  private mutating func place(
    of path: UnsafeRawBufferPointer
  ) throws(SnapshotError) -> (parent: ZnodeID, name: UnsafeRawBufferPointer)? {
    guard let slash = PathBytes.lastSlash(path), slash + 1 < path.count else { return nil }
    let parentPath = PathBytes.prefix(path, slash)
    if !lastParent.path.withUnsafeBytes({ areEqual($0, parentPath) }) {
      try indexAll()
      guard let id = tree.find(parentPath) else { return nil }
      lastParent = ([UInt8](parentPath), id)
    }
    return (lastParent.id, PathBytes.suffix(path, from: slash + 1))
  }

  /// Adds the znodes since the last call to the index.
  private mutating func indexAll() throws(SnapshotError) {
    let duplicate = tree.index.insert(contentsOf: unindexed, in: tree.slab)
    unindexed.removeAll(keepingCapacity: true)
    if let duplicate { throw SnapshotError(.duplicate, path: tree.path(of: duplicate)) }
  }

  /// `addZnode` for a string and an array.
  ///
  /// - Throws: as `addZnode` for bytes.
  package mutating func addZnode(path: String, data: [UInt8]?, aclKey: Int64, stat: StatPersisted) throws(SnapshotError)
  {
    let result = withBytes(path) { bytes -> Result<Void, SnapshotError> in
      do throws(SnapshotError) {
        guard let data else {
          try addZnode(path: bytes, data: nil, aclKey: aclKey, stat: stat)
          return .success(())
        }
        return data.withUnsafeBytes { raw -> Result<Void, SnapshotError> in
          do throws(SnapshotError) {
            try addZnode(path: bytes, data: raw, aclKey: aclKey, stat: stat)
            return .success(())
          } catch { return .failure(error) }
        }
      } catch { return .failure(error) }
    }
    try result.get()
  }

  /// The tree, after everything was added.
  ///
  /// - Throws: `duplicate` if one of the last znodes was added before.
  package consuming func finish(lastProcessedZxid: Zxid) throws(SnapshotError) -> DataTree {
    try indexAll()
    for (_, slot) in slots { tree.acls.release(slot) }
    tree.acls.releaseRetired()
    tree.restoreQuotas()
    tree.reverseChildren()
    tree.lastProcessedZxid = lastProcessedZxid
    return tree
  }

  private static func isBuiltIn(_ path: UnsafeRawBufferPointer) -> Bool {
    path.isEmpty
      || ["/zookeeper", "/zookeeper/quota", "/zookeeper/config"].contains { (builtIn: StaticString) in
        PathBytes.hasPrefix(path, builtIn) && path.count == builtIn.utf8CodeUnitCount
      }
  }
}

extension DataTree {
  /// Restores the order of children in the snapshot: each was linked in front of the previous one, so that they are in
  /// reverse order now.
  ///
  /// The answer to `getChildren` is then the same after a restart, and on every server of an ensemble.
  func reverseChildren() {
    walk(Self.root) { parent in
      // The built-in znodes were added first and cannot be deleted. They are the last in the list, and stay there.
      var rest = childCount(of: parent)
      if parent == Self.root { rest -= 1 }
      if parent == find("/zookeeper") { rest -= ["/zookeeper/quota", "/zookeeper/config"].count { find($0) != nil } }
      reverseChildren(of: parent, count: rest)
    }
  }

  /// Reverses the first `count` children of a znode.
  private func reverseChildren(of parent: ZnodeID, count: Int) {
    guard count > 1 else { return }
    let oldFirst = slab.record(parent).pointee.firstChild
    var (child, reversed) = (oldFirst, ZnodeID(0))
    for _ in 0..<count {
      let record = slab.mutable(child)
      let next = record.pointee.nextSibling
      record.pointee.nextSibling = reversed
      record.pointee.previousSibling = next
      (child, reversed) = (next, child)
    }
    slab.mutable(parent).pointee.firstChild = reversed
    slab.mutable(reversed).pointee.previousSibling = 0
    slab.mutable(oldFirst).pointee.nextSibling = child
    if child != 0 { slab.mutable(child).pointee.previousSibling = oldFirst }
  }

  /// Sets everything that a snapshot contains of a znode, except for the owner, which built-in znodes do not have.
  func overwrite(
    _ id: ZnodeID, path: UnsafeRawBufferPointer, data: UnsafeRawBufferPointer?, slot: ACLSlot, stat: StatPersisted
  ) {
    replaceData(id, with: data)
    setAversion(of: id, to: stat.aversion)
    let record = slab.mutable(id)
    acls.release(record.pointee.aclSlot)
    record.pointee.aclSlot = slot
    record.pointee.czxid = stat.czxid.rawValue
    record.pointee.mzxid = stat.mzxid.rawValue
    record.pointee.pzxid = stat.pzxid.rawValue
    record.pointee.ctimeMilliseconds = stat.ctimeMilliseconds
    record.pointee.mtimeMilliseconds = stat.mtimeMilliseconds
    record.pointee.version = stat.version
    record.pointee.cversion = stat.cversion
    refreshDigest(id, path: path)
  }
}
