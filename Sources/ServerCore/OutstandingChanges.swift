internal import ZnodeTree
internal import ZooKeeperProtocol

/// A znode as it will be when all outstanding transactions have been applied.
struct ChangeRecord {
  /// The ACL: one of the tree's, or that of an outstanding change.
  enum Access {
    case slot(ACLSlot)
    case list([ACL])
  }

  var path: PathKey
  var zxid: Zxid
  /// False for a znode that an outstanding change deletes.
  var exists: Bool
  var stat: StatPersisted
  var childCount: Int
  var access: Access
  var dataLength: Int
  /// The checksum of path and data, from which the digest is completed; nil until it is needed.
  var digestPrefix: UInt32?
  var digest: UInt32
}

/// The changes that were proposed and not applied yet, over the tree that they will change.
///
/// It is a class because a struct of this size would be copied, with a reference count for each of its parts, at every
/// look-up.
///
/// Overlapping accesses are not looked for at run time; `ServerCore` says why.
///
/// *Source*: `outstandingChanges` of `org.apache.zookeeper.server.PrepRequestProcessor`.
final class OutstandingChanges {
  private let tree: DataTree
  private let metrics: CoreMetrics
  @exclusivity(unchecked) private var changes = ChangeTable()
  @exclusivity(unchecked) private var order = ZxidQueue<PathKey>()
  /// Sessions whose end is proposed, with its zxid. Their ephemerals in the tree are taken as deleted without a record
  /// for each: a session may have a hundred thousand, and the event loop is blocked while the end is prepared.
  @exclusivity(unchecked) private var endedSessions: [Int64: Zxid] = [:]
  /// The digest of the tree once all changes are applied.
  @exclusivity(unchecked) private(set) var treeDigest: UInt64
  /// What `undo` restores, while a multi is being prepared.
  @exclusivity(unchecked) private var undoLog: [(path: PathKey, previous: ChangeRecord?)]?
  private var digestBeforeUndo: UInt64 = 0

  /// No changes over `tree`.
  init(_ tree: DataTree, _ metrics: CoreMetrics) {
    self.metrics = metrics
    self.tree = tree
    treeDigest = tree.treeDigest
  }

  var isEmpty: Bool { order.isEmpty && endedSessions.isEmpty }

  /// The znode at `path` as it will be; nil if it will not exist.
  func find(_ path: String) -> ChangeRecord? {
    // The root has two names, of which the records use one.
    let key = PathKey(ZnodePath.isRoot(path) ? "" : path)
    if !changes.isEmpty, let index = changes.index(of: key) {
      let record = changes.records[index]
      return record.exists ? record : nil
    }
    guard let id = tree.find(path) else { return nil }
    let stat = tree.storedStat(of: id)
    if !endedSessions.isEmpty, endedSessions[stat.ephemeralOwner] != nil { return nil }
    return ChangeRecord(
      path: key, zxid: tree.lastProcessedZxid, exists: true, stat: stat,
      childCount: tree.childCount(of: id), access: .slot(tree.aclSlot(of: id)), dataLength: tree.dataLength(of: id),
      digestPrefix: nil, digest: tree.digest(of: id))
  }

  /// Records a change of counters, with the data unchanged.
  ///
  /// - Returns: the znode's digest after it.
  @discardableResult
  func update(_ record: consuming ChangeRecord, zxid: Zxid) -> UInt32 {
    if tree.digestEnabled, record.digestPrefix == nil { record.digestPrefix = treeDigestPrefix(record.path) }
    return put(record, zxid)
  }

  /// Records a create, or a change of data.
  ///
  /// - Returns: the znode's digest after it.
  @discardableResult
  func update(_ record: consuming ChangeRecord, data: [UInt8]?, zxid: Zxid) -> UInt32 {
    record.dataLength = data?.count ?? 0
    if tree.digestEnabled {
      record.digestPrefix = withBytes(record.path.path) { path in
        guard let data else { return tree.digestPrefix(path: path, data: nil) }
        return data.withUnsafeBytes { tree.digestPrefix(path: path, data: $0) }
      }
    }
    return put(record, zxid)
  }

  /// Records a delete.
  func remove(_ record: consuming ChangeRecord, zxid: Zxid) {
    record.exists = false
    put(record, zxid)
  }

  /// Removes the records of transactions that have been applied.
  func removeApplied(through zxid: Zxid) {
    while let path = order.popFirst(through: zxid) {
      metrics.changesRemoved += 1
      if let index = changes.index(of: path), changes.records[index].zxid <= zxid { changes.remove(at: index) }
    }
    if !endedSessions.isEmpty { endedSessions = endedSessions.filter { $0.value > zxid } }
    if isEmpty { treeDigest = tree.treeDigest }
  }

  /// Begins to log changes, so that `undo` can revert them.
  func beginUndoable() {
    undoLog = []
    digestBeforeUndo = treeDigest
  }

  /// Keeps the changes since `beginUndoable`.
  func commitUndoable() { undoLog = nil }

  /// Reverts the changes since `beginUndoable`.
  func undo() {
    for (path, previous) in (undoLog ?? []).reversed() {
      if let previous {
        changes.update(previous)
      } else if let index = changes.index(of: path) {
        changes.remove(at: index)
      }
      order.removeLast()
      metrics.changesRemoved += 1
    }
    treeDigest = digestBeforeUndo
    undoLog = nil
  }

  /// Records the end of a session, and with it the deletion of all its ephemerals.
  ///
  /// *Complexity*: one record for each parent, and for each ephemeral with an outstanding change; none for the others.
  ///
  /// - Returns: the paths of the ephemerals, first those in the tree, then those of outstanding changes, each in
  ///   ascending order.
  func endSession(_ session: SessionID, zxid: Zxid) -> [String] {
    guard endedSessions[session.rawValue] == nil else { return [] }
    // Computed before the session is marked as ended, because the look-ups below must still find its znodes.
    let changed = changes.records.filter { $0.exists && $0.stat.ephemeralOwner == session.rawValue }
      .sorted { $0.path.path < $1.path.path }
    var ids = tree.ephemerals(of: session)
    if !ids.isEmpty, !changes.isEmpty {
      let hidden = Set(changes.records.compactMap { tree.find($0.path.path) })
      ids.removeAll { hidden.contains($0) }
    }

    var lostChildren: [ZnodeID: Int] = [:]
    for id in ids {
      lostChildren[tree.parent(of: id), default: 0] += 1
      treeDigest = treeDigest &- UInt64(tree.digest(of: id))
    }
    for (parent, count) in lostChildren.sorted(by: { $0.key < $1.key }) {
      removeChildren(count, from: tree.path(of: parent), zxid)
    }
    if !ids.isEmpty { endedSessions[session.rawValue] = zxid }
    for record in changed {
      removeChildren(1, from: ZnodePath.parent(of: record.path.path) ?? "/", zxid)
      remove(record, zxid: zxid)
    }
    return ids.map { tree.path(of: $0) }.sorted() + changed.map(\.path.path)
  }

  private func removeChildren(_ count: Int, from path: String, _ zxid: Zxid) {
    guard var parent = find(path) else { preconditionFailure("\(path) has children and cannot be found") }
    parent.childCount -= count
    parent.stat.pzxid = zxid
    update(parent, zxid: zxid)
  }

  @discardableResult
  private func put(_ record: consuming ChangeRecord, _ zxid: Zxid) -> UInt32 {
    record.zxid = zxid
    if tree.digestEnabled {
      let old = record.digest
      let isCounted = withBytes(record.path.path) { DataTree.isCountedInDigest($0) }
      record.digest =
        record.exists && isCounted ? tree.finishDigest(record.digestPrefix ?? 0, record.stat) : 0
      treeDigest = treeDigest &- UInt64(old) &+ UInt64(record.digest)
    }
    let (path, digest) = (record.path, record.digest)
    let previous = changes.update(record)
    undoLog?.append((path, previous))
    order.append(path, zxid)
    metrics.changesQueued += 1
    return digest
  }

  private func treeDigestPrefix(_ path: PathKey) -> UInt32 {
    withBytes(path.path) { bytes in
      guard let id = tree.find(bytes) else { return 0 }
      return tree.withData(of: id) { tree.digestPrefix(path: bytes, data: $0) }
    }
  }
}
