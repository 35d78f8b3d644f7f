package import ZooKeeperProtocol

/// The paths of the ephemeral znodes of all sessions, in pieces between which the tree may change, for reports.
///
/// What is created meanwhile may be missing, and what is deleted is not listed once its piece comes.
package struct EphemeralWalk {
  private let tree: DataTree
  private var sessions: [SessionID]
  private var current: (session: SessionID, ids: Set<ZnodeID>.Iterator)?

  /// A walk over the znodes of `tree`.
  package init(_ tree: DataTree) {
    self.tree = tree
    sessions = Array(tree.ephemerals.keys)
  }

  /// Adds the next paths to `list`, in no order; a session may come in several pieces, one after the other.
  ///
  /// - Parameter limit: the largest number of znodes to look at.
  /// - Returns: whether there may be more.
  package mutating func next(limit: Int, into list: inout [(session: SessionID, paths: [String])]) -> Bool {
    var rest = limit
    while rest > 0 {
      guard let session = current?.session, let id = current?.ids.next() else {
        guard let session = sessions.popLast() else { return false }
        current = tree.ephemerals[session].map { (session, $0.makeIterator()) }
        rest -= 1
        continue
      }
      rest -= 1
      // Its id may belong to another znode by now.
      guard tree.ephemerals[session]?.contains(id) == true else { continue }
      if list.last?.session != session { list.append((session, [])) }
      list[list.count - 1].paths.append(tree.path(of: id))
    }
    return true
  }
}
