internal import Jute
internal import ZnodeTree
internal import ZooKeeperProtocol

/// Watches: setting, checking, removing and firing them.
///
/// *Source*: `org.apache.zookeeper.server.DataTree`, `server.watch.WatchManager`; `ClientProtocol` 5.
extension ServerCore {
  /// Sends the events for the changes of one transaction, in their order.
  func fireWatches() {
    guard !watches.isEmpty else { return }
    for change in changes { fireWatches(for: change) }
  }

  private func fireWatches(for change: TreeChange) {
    let path = PathKey(change.path)
    switch change.kind {
    case .dataChanged: fire(.nodeDataChanged, path, .data, change.zxid, change.aclSlot, newEvent: true)
    case .created:
      fire(.nodeCreated, path, .data, change.zxid, change.aclSlot, newEvent: true)
      fireParent(change)
    case .deleted:
      fire(.nodeDeleted, path, .data, change.zxid, change.aclSlot, newEvent: true)
      // It is the same event, so that a connection in both tables gets it once.
      fire(.nodeDeleted, path, .child, change.zxid, change.aclSlot, newEvent: false)
      fireParent(change)
    }
  }

  private func fireParent(_ change: TreeChange) {
    guard watches.childWatchCount > 0, let parent = ZnodePath.parent(of: change.path) else { return }
    fire(.nodeChildrenChanged, PathKey(parent), .child, change.zxid, change.parentACLSlot, newEvent: true)
  }

  /// Sends an event to the watchers of a path. It is encoded once and copied to each connection. A client that may not
  /// read the znode does not get the event, but loses its standard watch all the same.
  private func fire(
    _ type: EventType, _ path: PathKey, _ kind: WatchTable.Kind, _ zxid: Zxid, _ slot: ACLSlot, newEvent: Bool
  ) {
    if newEvent { eventMark += 1 }
    eventWriter.removeAll()
    var count = 0
    defer { metrics.noteEvent(type, watchers: count) }
    watches.fire(path, in: kind, mark: eventMark) { connection in
      guard access.allows(.read, slot, of: tree, connection.identities) else {
        counters.eventsFiltered += 1
        return
      }
      if eventWriter.isEmpty { encodeEvent(type, path.path, zxid, into: &eventWriter) }
      eventWriter.withUnsafeBytes { connection.output.writeBlock($0) }
      count += 1
      didSendEvent(connection, lengthBytes: eventWriter.count)
    }
  }

  private func sendEvent(_ type: EventType, _ path: String, _ connection: ClientConnection) {
    // An event for a change during a disconnection belongs to no single transaction.
    let start = connection.output.count
    encodeEvent(type, path, Zxid(rawValue: -1), into: &connection.output)
    didSendEvent(connection, lengthBytes: connection.output.count - start)
  }

  private func didSendEvent(_ connection: ClientConnection, lengthBytes: Int) {
    metrics.watchBytes += lengthBytes
    counters.packetsSent += 1
    counters.eventsSent += 1
    connection.statistics.sentCount += 1
    touch(connection)
  }

  private func encodeEvent(_ type: EventType, _ path: String, _ zxid: Zxid, into writer: inout JuteWriter) {
    let start = writer.reserveFrame()
    ReplyHeader(xid: .notification, zxid: zxid).encode(into: &writer)
    WatcherEvent(type: type, state: .syncConnected, path: path).encode(into: &writer)
    writer.finishFrame(at: start)
  }

  /// Sets watches again after a reconnect. For what has changed meanwhile, the event is sent at once.
  func setWatches(
    _ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection, withPersistent: Bool
  ) throws(ReadFailure) {
    let request: SetWatches
    do throws(JuteError) {
      request = try SetWatches(from: &reader, withPersistent: withPersistent)
    } catch {
      throw ReadFailure(.marshallingError)
    }
    try checkWatchLimit(connection)
    for path in request.dataWatches {
      guard let id = tree.find(path) else { sendEvent(.nodeDeleted, path, connection); continue }
      if tree.mzxid(of: id) > request.relativeZxid {
        sendEvent(.nodeDataChanged, path, connection)
      } else {
        watches.add(PathKey(path), connection, .standard, in: .data)
      }
    }
    for path in request.existWatches {
      if tree.find(path) != nil {
        sendEvent(.nodeCreated, path, connection)
      } else {
        watches.add(PathKey(path), connection, .standard, in: .data)
      }
    }
    for path in request.childWatches {
      guard let id = tree.find(path) else { sendEvent(.nodeDeleted, path, connection); continue }
      if tree.pzxid(of: id) > request.relativeZxid {
        sendEvent(.nodeChildrenChanged, path, connection)
      } else {
        watches.add(PathKey(path), connection, .standard, in: .child)
      }
    }
    for path in request.persistentWatches { addWatch(path, .persistent, connection) }
    for path in request.persistentRecursiveWatches { addWatch(path, .persistentRecursive, connection) }
    answer(connection, xid, .ok)
  }

  /// Adds a persistent watch. As in Apache's servers, the path is not checked.
  func addWatch(_ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection) throws(ReadFailure) {
    let request: AddWatchRequest
    do throws(JuteError) {
      request = try AddWatchRequest(from: &reader)
    } catch {
      throw ReadFailure(.marshallingError)
    }
    try checkWatchLimit(connection)
    addWatch(request.path, request.mode, connection)
    let start = beginReply(connection, xid)
    connection.output.writeInt(0)
    endReply(connection, at: start)
  }

  private func addWatch(_ path: String, _ mode: AddWatchMode, _ connection: ClientConnection) {
    switch mode {
    case .persistent:
      watches.add(PathKey(path), connection, .persistent, in: .data)
      watches.add(PathKey(path), connection, .persistent, in: .child)
    case .persistentRecursive: watches.add(PathKey(path), connection, .recursive, in: .data)
    }
  }

  /// Answers whether the connection has such a watch.
  func checkWatches(_ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection) throws(ReadFailure) {
    let (path, type) = try pathAndType(&reader)
    let data = watches.modes(path, connection, in: .data)
    let child = watches.modes(path, connection, in: .child)
    let isFound =
      switch type {
      case .children: child.contains(.standard)
      case .data: data.contains(.standard)
      case .any: !data.isEmpty || !child.isEmpty
      case .persistent: data.contains(.persistent)
      case .persistentRecursive: data.contains(.recursive)
      }
    guard isFound else { throw ReadFailure(.noWatcher) }
    answer(connection, xid, .ok)
  }

  /// Removes watches. The client makes the events for it by itself.
  func removeWatches(_ xid: Xid, _ reader: inout JuteReader, _ connection: ClientConnection) throws(ReadFailure) {
    let (path, type) = try pathAndType(&reader)
    let (modes, kinds): (WatchModes, [WatchTable.Kind]) =
      switch type {
      case .children: (.standard, [.child])
      case .data: (.standard, [.data])
      case .any: ([.standard, .persistent, .recursive], [.child, .data])
      case .persistent: (.persistent, [.child, .data])
      case .persistentRecursive: (.recursive, [.data])
      }
    var isFound = false
    for kind in kinds where watches.remove(path, connection, modes, in: kind) { isFound = true }
    guard isFound else { throw ReadFailure(.noWatcher) }
    answer(connection, xid, .ok)
  }

  /// Refuses another watch if the connection has reached the limit.
  func checkWatchLimit(_ connection: ClientConnection) throws(ReadFailure) {
    guard connection.watchCount < settings.maxWatchesPerConnection else { throw ReadFailure(.badArguments) }
  }

  private func pathAndType(
    _ reader: inout JuteReader
  ) throws(ReadFailure) -> (path: PathKey, type: WatcherType) {
    do throws(JuteError) {
      let request = try WatchesRequest(from: &reader)
      return (PathKey(request.path), request.type)
    } catch {
      throw ReadFailure(.marshallingError)
    }
  }
}
