import ZooKeeperClient
import ZooKeeperProtocol

/// A client for recipes: what fails for want of a connection is asked again, for as long as the session lives.
///
/// Only requests that may be repeated go through `retrying`; for the others there are `createProtected` and markers
/// (`MarkedWrite`), which find out after a lost connection whether the write has happened.
struct RecipeClient: Sendable {
  /// Without a time limit: a recipe waits for the session, not for a request.
  let client: ZooKeeperClient

  init(_ client: ZooKeeperClient) { self.client = client.withTimeLimit(nil) }

  /// Runs `body` until it has an answer of a server's.
  ///
  /// - Throws: what `body` throws, but for a lost connection; `sessionExpired` when that lasts too long.
  @discardableResult
  func retrying<Value>(
    _ body: (ZooKeeperClient) async throws(ZooKeeperError) -> Value
  ) async throws(ZooKeeperError) -> Value {
    while true {
      do throws(ZooKeeperError) {
        return try await body(client)
      } catch {
        guard error.isPassing else { throw error }
        try await client.connected(failsFast: false)
      }
    }
  }

  /// The names of the children; none when the parent does not exist.
  func children(of path: String) async throws(ZooKeeperError) -> [String] {
    do throws(ZooKeeperError) {
      return try await retrying { client throws(ZooKeeperError) in try await client.getChildren(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return []
    }
  }

  /// The data and stat of a znode, or nil when it does not exist.
  func data(of path: String) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat)? {
    do throws(ZooKeeperError) {
      return try await retrying { client throws(ZooKeeperError) in try await client.getData(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return nil
    }
  }

  /// The stat of a znode, or nil when it does not exist.
  func stat(of path: String) async throws(ZooKeeperError) -> Stat? {
    try await retrying { client throws(ZooKeeperError) in try await client.exists(path) }
  }

  /// Makes this server catch up with the leader, so that what was sent over a lost connection shows, if it happened.
  func sync(_ path: String) async throws(ZooKeeperError) {
    try await retrying { client throws(ZooKeeperError) in try await client.sync(path) }
  }

  /// Deletes a znode; one that is gone already is no error.
  func remove(_ path: String) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await retrying { client throws(ZooKeeperError) in try await client.delete(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
    }
  }

  /// Creates a znode that anybody may have created before.
  ///
  /// - Throws: NoNode when the parent does not exist.
  func createIfMissing(
    _ path: String, data: [UInt8]? = nil, mode: CreateMode = .persistent
  ) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await retrying { client throws(ZooKeeperError) in try await client.create(path, data: data, mode: mode) }
    } catch {
      guard error.code == .server(.nodeExists) else { throw error }
    }
  }

  /// Creates a znode and all above it that are missing, as containers: servers delete those once they are empty.
  ///
  /// *Source*: Curator's `creatingParentContainersIfNeeded`.
  func ensureContainer(_ path: String) async throws(ZooKeeperError) {
    guard path != "/" else { return try await ensureRoot() }
    // Another participant's container may be taken away between two steps; that goes on for ever in no real case.
    for attempt in 1... {
      do throws(ZooKeeperError) {
        return try await createContainer(path)
      } catch {
        guard error.code == .server(.noNode), attempt < 10, let parent = ZnodePath.parent(of: path)
        else { throw error }
        try await ensureContainer(parent)
      }
    }
  }

  /// Creates all above a znode that is missing.
  func ensureParent(of path: String) async throws(ZooKeeperError) {
    if let parent = ZnodePath.parent(of: path) { try await ensureContainer(parent) }
  }

  /// The root always exists, unless it is a path behind the servers.
  private func ensureRoot() async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await retrying { client throws(ZooKeeperError) in try await client.createRoot(mode: .container) }
    } catch {
      guard error.code == .server(.unimplemented) else { throw error }
      try await retrying { client throws(ZooKeeperError) in try await client.createRoot() }
    }
  }

  private func createContainer(_ path: String) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await createIfMissing(path, mode: .container)
    } catch {
      // Servers before 3.5 know no containers.
      guard error.code == .server(.unimplemented) else { throw error }
      try await createIfMissing(path)
    }
  }

  /// Creates a sequential ephemeral znode, once, whatever becomes of the connection meanwhile.
  ///
  /// When the answer is lost, the children of the parent are searched for `prefix`, which nobody else uses. The
  /// search asks the leader first: a server that lags would not show the znode, and a second one would wait for the
  /// first for ever. (A request that is still on its way to the leader then is refused there, because the session
  /// has moved.)
  ///
  /// - Returns: the name that the server gave.
  func createProtected(
    in parent: String, prefix: String, base: String, data: [UInt8]?
  ) async throws(ZooKeeperError) -> String {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // Never null: Curator's programs fail at a participant without data.
        let path = try await client.create(
          ZnodePath.child(prefix + base, of: parent), data: data ?? [], mode: .ephemeralSequential)
        return ZnodePath.name(of: path)
      } catch {
        if error.code == .server(.noNode), attempt < 100 {
          try await ensureContainer(parent)
        } else if error.isPassing {
          try await client.connected(failsFast: false)
          if let name = try await find(prefix: prefix, in: parent) { return name }
        } else {
          throw error
        }
      }
    }
    preconditionFailure("the attempts have no end")
  }

  /// The child with a protected prefix, if it has come into being.
  func find(prefix: String, in parent: String) async throws(ZooKeeperError) -> String? {
    try await sync(parent)
    return try await children(of: parent).first { $0.hasPrefix(prefix) }
  }

  /// Deletes the child with a protected prefix, if there is one: what is left of an attempt that was given up.
  func withdraw(prefix: String, from parent: String) async throws(ZooKeeperError) {
    while let name = try await find(prefix: prefix, in: parent) { try await remove(ZnodePath.child(name, of: parent)) }
  }
}

extension ZooKeeperError {
  /// Whether the session may be well, and only the connection is not.
  var isPassing: Bool {
    switch code {
    case .connectionLoss, .cannotConnect, .timedOut: true
    default: false
    }
  }

  /// Whether the session is over.
  var isFinal: Bool {
    switch code {
    case .sessionExpired, .closed, .authFailed, .server(.sessionExpired): true
    default: false
    }
  }
}
