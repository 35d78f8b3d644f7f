public import ZooKeeperProtocol

/// Watches whose events come as an asynchronous sequence.
///
/// Besides the server's errors that are named at each method, all of them throw `ZooKeeperError` for what can happen to
/// any request: `connectionLoss`, `timedOut`, `cancelled`, `badPath`, `sessionExpired` and `closed`.
extension ZooKeeperClient {
  /// The data of a znode, and a watch on its next change or deletion.
  ///
  /// - Throws: NoNode, NoAuth.
  public func watchData(
    _ path: String
  ) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat, events: WatchEvents) {
    let (events, watcher) = await makeWatcher()
    let reply = try await getData(path, watcher: watcher)
    return (reply.data, reply.stat, events)
  }

  /// The stat of a znode or nil, and a watch on its creation, next change or deletion.
  ///
  /// - Throws: `ZooKeeperError`; a missing znode is not an error.
  public func watchExists(_ path: String) async throws(ZooKeeperError) -> (stat: Stat?, events: WatchEvents) {
    let (events, watcher) = await makeWatcher()
    return (try await exists(path, watcher: watcher), events)
  }

  /// The names of the children, and a watch on the next change of their set or the parent's deletion.
  ///
  /// - Throws: NoNode, NoAuth.
  public func watchChildren(
    _ path: String
  ) async throws(ZooKeeperError) -> (children: [String], events: WatchEvents) {
    let (events, watcher) = await makeWatcher()
    return (try await getChildren(path, watcher: watcher), events)
  }

  /// Sets a persistent watch: on every change of a znode, or of it and all its descendants.
  ///
  /// The znode need not exist. Servers know this from 3.6 on. Up to 3.8 they keep one kind of watch per path and
  /// connection, and the last request wins: a one-shot watch that is set later on the same path ends this one.
  ///
  /// - Throws: Unimplemented from servers before 3.6.
  public func addWatch(_ path: String, mode: AddWatchMode) async throws(ZooKeeperError) -> WatchEvents {
    let (events, watcher) = await makeWatcher()
    try await addWatch(path, mode: mode, watcher: watcher)
    return events
  }

  /// As `addWatch`, for the default watcher.
  ///
  /// - Throws: Unimplemented from servers before 3.6.
  public func addDefaultWatch(_ path: String, mode: AddWatchMode) async throws(ZooKeeperError) {
    try await addWatch(path, mode: mode, watcher: .default)
  }

  /// Removes the watches of a type on a path, on the server and in this client; their sequences end.
  ///
  /// - Parameter local: whether they are removed from this client even if no server answers.
  /// - Throws: NoWatcher if the server has no such watch.
  public func removeWatches(_ path: String, type: WatcherType = .any, local: Bool = false) async throws(ZooKeeperError)
  {
    let serverPath = try serverPath(path)
    do throws(ZooKeeperError) {
      let body = WatchesRequest(path: serverPath, type: type)
      _ = try await call(.removeWatches(body), path: path, as: EmptyResponse.self)
    } catch {
      if case .server = error.code { throw error }
      if !local { throw error }
    }
    driver.loop.execute { [driver] in driver.removeWatches(path: serverPath, type: type) }
  }

  /// Whether the server has a watch of a type on a path for this connection.
  ///
  /// - Throws: `ZooKeeperError`; a missing watch is not an error.
  public func checkWatches(_ path: String, type: WatcherType) async throws(ZooKeeperError) -> Bool {
    do throws(ZooKeeperError) {
      let body = WatchesRequest(path: try serverPath(path), type: type)
      _ = try await call(.checkWatches(body), path: path, as: EmptyResponse.self)
      return true
    } catch {
      if error.code == .server(.noWatcher) { return false }
      throw error
    }
  }

  private func addWatch(_ path: String, mode: AddWatchMode, watcher: WatcherID) async throws(ZooKeeperError) {
    let serverPath = try serverPath(path)
    let kind: WatchKind = mode == .persistent ? .persistent : .persistentRecursive
    _ = try await call(
      .addWatch(AddWatchRequest(path: serverPath, mode: mode)), path: path,
      watch: WatchIntent(path: serverPath, kind: kind, watcher: watcher), as: IntResponse.self)
  }

  private func makeWatcher() async -> (WatchEvents, WatcherID) {
    let (events, sink) = WatchEvents.make()
    let watcher = await withCheckedContinuation { continuation in
      driver.loop.execute { [driver] in continuation.resume(returning: driver.addSink(sink)) }
    }
    return (events, watcher)
  }
}
