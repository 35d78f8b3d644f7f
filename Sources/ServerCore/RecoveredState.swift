package import Jute
package import ZnodeTree
package import ZooKeeperProtocol

/// The replicated state, tree and sessions, while it is read from disk: first a snapshot, then the entries of the log.
package struct RecoveredState {
  package let tree: DataTree
  /// The sessions that have not ended, with their timeouts in milliseconds.
  package private(set) var sessions: [SessionID: Int32]
  /// The number of entries after which the digest was not the one that the leader had computed. A replay over a fuzzy
  /// snapshot of Apache's has some.
  package private(set) var digestMismatches = 0
  private var changes: [TreeChange] = []
  /// Keeps the memory of the last paths for the next ones.
  private var spare = ChangedPaths()

  /// The state in a snapshot, or that of a new server.
  package init(tree: DataTree, sessions: [SessionID: Int32] = [:]) {
    self.tree = tree
    self.sessions = sessions
  }

  /// Applies encoded entries of the log that follow each other. In a large tree, their znodes are looked for several at
  /// a time.
  ///
  /// - Throws: `JuteError` if one of them is not an entry; those before it are applied.
  package mutating func apply(_ entries: ArraySlice<[UInt8]>) throws(JuteError) {
    guard tree.isWorthLookingAhead, entries.count > 1 else {
      for entry in entries { try apply(entry) }
      return
    }
    var paths = ChangedPaths()
    swap(&paths, &spare)
    defer { swap(&paths, &spare) }
    paths.collect(entries)
    var failure: JuteError?
    paths.lookAhead(in: tree, entries) { entry in
      guard failure == nil else { return }
      do throws(JuteError) { try apply(entry) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private mutating func apply(_ entry: [UInt8]) throws(JuteError) {
    let failure = entry.withUnsafeBytes { bytes -> JuteError? in
      do throws(JuteError) { try apply(bytes) } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }

  /// Applies an encoded entry of the log. Bytes after it are ignored.
  ///
  /// - Throws: `JuteError` if it is not an entry.
  package mutating func apply(_ entry: UnsafeRawBufferPointer) throws(JuteError) {
    if let view = SetDataView(entry) {
      tree.replaySetData(view)
      return check(view.digest)
    }
    var reader = JuteReader(entry)
    apply(try TxnEntry(from: &reader))
  }

  /// Applies an entry of the log. The changes are dropped, because there are no watches yet.
  package mutating func apply(_ entry: TxnEntry) {
    changes.removeAll(keepingCapacity: true)
    _ = tree.apply(entry.header, entry.txn, changes: &changes)
    switch entry.txn {
    case .createSession(let timeout): sessions[entry.header.sessionID] = timeout
    case .closeSession: sessions[entry.header.sessionID] = nil
    default: break
    }
    check(entry.digest)
  }

  private mutating func check(_ digest: TxnDigest?) {
    guard tree.digestEnabled, let digest, digest.version == TxnDigest.currentVersion else { return }
    if digest.treeDigest != tree.treeDigest { digestMismatches += 1 }
  }
}

/// The paths of the znodes that the next entries change, for `DataTree.lookAhead`.
private struct ChangedPaths {
  private var bytes: [UInt8] = []
  /// Where the path of each entry ends; it begins where the one before ends, and is empty if it is not looked for.
  private var ends: [Int] = []

  /// Replaces what was collected before.
  mutating func collect(_ entries: ArraySlice<[UInt8]>) {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    for entry in entries {
      entry.withUnsafeBytes { if let view = SetDataView($0) { bytes.append(contentsOf: view.path) } }
      ends.append(bytes.count)
    }
  }

  /// Calls `body` with each entry in turn. `tree` then knows its znode, and those of as many of the next ones as it can
  /// look for at a time.
  func lookAhead(in tree: DataTree, _ entries: ArraySlice<[UInt8]>, _ body: ([UInt8]) -> Void) {
    bytes.withUnsafeBytes { raw in
      defer { tree.endLookAhead() }
      var (start, announced, announcedEnd) = (0, 0, 0)
      for (place, entry) in entries.enumerated() {
        if place == announced {
          tree.lookAhead {
            while announced < ends.count {
              let path = raw[announcedEnd..<ends[announced]]
              announcedEnd = ends[announced]
              announced += 1
              if !path.isEmpty { return UnsafeRawBufferPointer(rebasing: path) }
            }
            return nil
          }
        }
        if let base = raw.baseAddress { tree.advanceLookAhead(to: base + start) }
        body(entry)
        start = ends[place]
      }
    }
  }
}
