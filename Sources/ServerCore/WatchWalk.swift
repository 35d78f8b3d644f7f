package import ZooKeeperProtocol

/// The data watches of all connections, in pieces between which they may change, for reports.
package struct WatchWalk {
  private var connections: [ClientConnection]
  private var current: (session: SessionID, paths: Dictionary<PathKey, WatchModes>.Keys.Iterator)?

  /// A walk over the watches of the connections of `core`.
  package init(_ core: ServerCore) { connections = core.allConnections }

  /// Adds the next watches to `list`, in no order.
  ///
  /// - Parameter limit: the largest number of watches and connections to look at.
  /// - Returns: whether there may be more.
  package mutating func next(limit: Int, into list: inout [(session: SessionID, path: String)]) -> Bool {
    for _ in 0..<limit {
      if let session = current?.session, let key = current?.paths.next() {
        list.append((session, key.path))
      } else {
        guard let connection = connections.popLast() else { return false }
        current = (connection.sessionID, connection.dataWatches.keys.makeIterator())
      }
    }
    return true
  }
}
