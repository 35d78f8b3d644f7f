internal import Jute
internal import ZnodeTree
internal import ZooKeeperProtocol

/// The watches of all connections, in two tables: on znodes, and on their sets of children.
///
/// A connection can have a standard, a persistent and a recursive watch on one path at the same time, as since 3.9. The
/// watchers of a path get an event in the order in which they were added.
///
/// *Source*: `org.apache.zookeeper.server.watch.WatchManager`; `ClientProtocol` 5.
struct WatchTable {
  /// One of the two tables.
  enum Kind {
    case data
    case child
  }

  private var data: [PathKey: [ClientConnection]] = [:]
  private var child: [PathKey: [ClientConnection]] = [:]
  private var recursiveCount = 0
  /// The length of the longest path that ever had a recursive watch: deeper levels need not be looked up.
  private var longestRecursiveBytes = 0

  /// The number of entries of the data table: pairs of a path and a connection.
  private(set) var dataWatchCount = 0
  private(set) var childWatchCount = 0

  var isEmpty: Bool { data.isEmpty && child.isEmpty }

  /// The number of paths in the data table.
  var dataPathCount: Int { data.count }

  /// Adds a watch, if the connection does not have it yet.
  mutating func add(_ path: PathKey, _ connection: ClientConnection, _ mode: WatchModes, in kind: Kind) {
    guard connection.state != .closed else { return }
    switch kind {
    case .data:
      let old = connection.dataWatches.updateValue(
        (connection.dataWatches[path] ?? []).union(mode), forKey: path)
      if mode == .recursive, old?.contains(.recursive) != true {
        recursiveCount += 1
        longestRecursiveBytes = max(longestRecursiveBytes, path.path.utf8.count)
      }
      if old == nil {
        data[path, default: []].append(connection)
        dataWatchCount += 1
      }
    case .child:
      let old = connection.childWatches.updateValue(
        (connection.childWatches[path] ?? []).union(mode), forKey: path)
      if old == nil {
        child[path, default: []].append(connection)
        childWatchCount += 1
      }
    }
  }

  /// The watches that a connection has on a path.
  func modes(_ path: PathKey, _ connection: ClientConnection, in kind: Kind) -> WatchModes {
    (kind == .data ? connection.dataWatches[path] : connection.childWatches[path]) ?? []
  }

  /// Removes watches.
  ///
  /// - Returns: whether the connection had one of them.
  mutating func remove(
    _ path: PathKey, _ connection: ClientConnection, _ removed: WatchModes, in kind: Kind
  ) -> Bool {
    let old = modes(path, connection, in: kind)
    guard !old.isDisjoint(with: removed) else { return false }
    keep(path, connection, old, old.subtracting(removed), in: kind)
    if old.subtracting(removed).isEmpty { unlist(path, connection, in: kind) }
    return true
  }

  /// Removes all watches of a connection.
  mutating func removeAll(of connection: ClientConnection) {
    for (path, modes) in connection.dataWatches {
      if modes.contains(.recursive) { recursiveCount -= 1 }
      unlist(path, connection, in: .data)
    }
    for path in connection.childWatches.keys { unlist(path, connection, in: .child) }
    connection.dataWatches = [:]
    connection.childWatches = [:]
  }

  /// Calls `deliver` once for every connection that watches `path`, and removes the standard watches on it.
  ///
  /// - Parameter mark: the number of the event. Connections that have this mark already are skipped, so that the two
  ///   tables can be fired one after the other for the same event.
  mutating func fire(
    _ path: PathKey, in kind: Kind, mark: UInt64, _ deliver: (ClientConnection) -> Void
  ) {
    if let watchers = kind == .data ? data[path] : child[path] {
      var left: [ClientConnection] = []
      for connection in watchers {
        let old = modes(path, connection, in: kind)
        let new = old.subtracting(.standard)
        if new != old { keep(path, connection, old, new, in: kind) }
        if !new.isEmpty { left.append(connection) }
        deliverOnce(connection, mark, deliver)
      }
      if left.count != watchers.count { setList(path, left, in: kind) }
    }
    if kind == .data, recursiveCount > 0 { fireRecursive(above: path, mark: mark, deliver) }
  }

  private func deliverOnce(_ connection: ClientConnection, _ mark: UInt64, _ deliver: (ClientConnection) -> Void) {
    guard connection.eventMark != mark else { return }
    connection.eventMark = mark
    deliver(connection)
  }

  private func fireRecursive(above path: PathKey, mark: UInt64, _ deliver: (ClientConnection) -> Void) {
    var path = path.path
    if path.utf8.count > longestRecursiveBytes + 1 {
      // Cut to the child of the deepest level that can have a recursive watch.
      let end = path.utf8.index(path.startIndex, offsetBy: longestRecursiveBytes + 1)
      guard let slash = path.utf8[..<end].lastIndex(of: UInt8(ascii: "/")) else { return }
      let next = path.utf8[path.utf8.index(after: slash)...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
      path = String(path[..<next])
    }
    while let parent = ZnodePath.parent(of: path) {
      path = parent
      let key = PathKey(path)
      for connection in data[key] ?? [] where connection.dataWatches[key]?.contains(.recursive) == true {
        deliverOnce(connection, mark, deliver)
      }
    }
  }

  /// Stores the watches that a connection still has on a path.
  private mutating func keep(
    _ path: PathKey, _ connection: ClientConnection, _ old: WatchModes, _ new: WatchModes, in kind: Kind
  ) {
    if old.contains(.recursive), !new.contains(.recursive) { recursiveCount -= 1 }
    let value = new.isEmpty ? nil : new
    switch kind {
    case .data:
      connection.dataWatches[path] = value
    case .child:
      connection.childWatches[path] = value
    }
  }

  private mutating func unlist(_ path: PathKey, _ connection: ClientConnection, in kind: Kind) {
    var list = (kind == .data ? data.removeValue(forKey: path) : child.removeValue(forKey: path)) ?? []
    let count = list.count
    if let index = list.firstIndex(where: { $0 === connection }) { list.remove(at: index) }
    put(path, list, previousCount: count, in: kind)
  }

  private mutating func setList(_ path: PathKey, _ list: [ClientConnection], in kind: Kind) {
    let old = kind == .data ? data.removeValue(forKey: path) : child.removeValue(forKey: path)
    put(path, list, previousCount: old?.count ?? 0, in: kind)
  }

  private mutating func put(_ path: PathKey, _ list: [ClientConnection], previousCount: Int, in kind: Kind) {
    switch kind {
    case .data:
      if !list.isEmpty { data[path] = list }
      dataWatchCount += list.count - previousCount
    case .child:
      if !list.isEmpty { child[path] = list }
      childWatchCount += list.count - previousCount
    }
  }
}
