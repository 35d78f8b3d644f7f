package import ZnodeTree
package import ZooKeeperProtocol

/// What is read from disk when a server starts: a snapshot's tree and sessions, then the log's entries.
package struct RecoveredState {
  package let tree: DataTree
  /// Living sessions with their timeouts in milliseconds.
  package private(set) var sessions: [SessionID: Int32]
  /// Entries after which the digest was not the one that the leader had computed. A replay over a snapshot
  /// that Apache wrote while its tree changed has some.
  package private(set) var digestMismatches = 0
  private var changes: [TreeChange] = []

  /// The state of a snapshot, or of a fresh server.
  package init(tree: DataTree, sessions: [SessionID: Int32] = [:]) {
    self.tree = tree
    self.sessions = sessions
  }

  /// Applies an entry of the log. There are no watches yet.
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
