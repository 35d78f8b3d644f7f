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

  /// The state in a snapshot, or that of a new server.
  package init(tree: DataTree, sessions: [SessionID: Int32] = [:]) {
    self.tree = tree
    self.sessions = sessions
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
    guard tree.digestEnabled, let digest = entry.digest, digest.version == TxnDigest.currentVersion else { return }
    if digest.treeDigest != tree.treeDigest { digestMismatches += 1 }
  }
}
