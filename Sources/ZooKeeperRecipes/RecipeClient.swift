import ZooKeeperClient
import ZooKeeperProtocol

/// A client for recipes, which repeats requests that failed because of the connection, as long as the session lives.
///
/// Only requests that may be carried out twice go through `retrying`. For the others there are `createProtected` and
/// `MarkedWrite`, which find out after a lost connection whether the write was carried out.
struct RecipeClient: Sendable {
  /// The client, without a time limit: the limits of recipes are for the whole recipe, not for each request.
  let client: ZooKeeperClient

  init(_ client: ZooKeeperClient) { self.client = client.withTimeLimit(nil) }

  /// Runs `body` until a server has answered.
  ///
  /// - Throws: what `body` throws, except for errors of the connection; `sessionExpired` if those last too long.
  @discardableResult
  func retrying<Value>(
    _ body: (ZooKeeperClient) async throws(ZooKeeperError) -> Value
  ) async throws(ZooKeeperError) -> Value {
    while true {
      do throws(ZooKeeperError) {
        return try await body(client)
      } catch {
        guard error.isTransient else { throw error }
        try await client.connected(failsFast: false)
      }
    }
  }

  /// The names of the children; empty if the parent does not exist.
  func children(of path: String) async throws(ZooKeeperError) -> [String] {
    do throws(ZooKeeperError) {
      return try await retrying { client throws(ZooKeeperError) in try await client.getChildren(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return []
    }
  }

  /// The data and stat of a znode, or nil if it does not exist.
  func data(of path: String) async throws(ZooKeeperError) -> (data: [UInt8]?, stat: Stat)? {
    do throws(ZooKeeperError) {
      return try await retrying { client throws(ZooKeeperError) in try await client.getData(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
      return nil
    }
  }

  /// The stat of a znode, or nil if it does not exist.
  func stat(of path: String) async throws(ZooKeeperError) -> Stat? {
    try await retrying { client throws(ZooKeeperError) in try await client.exists(path) }
  }

  /// Makes this server catch up with the leader, so that the effects of requests on a lost connection are visible.
  func sync(_ path: String) async throws(ZooKeeperError) {
    try await retrying { client throws(ZooKeeperError) in try await client.sync(path) }
  }

  /// Deletes a znode. It is not an error if it is deleted already.
  func remove(_ path: String) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await retrying { client throws(ZooKeeperError) in try await client.delete(path) }
    } catch {
      guard error.code == .server(.noNode) else { throw error }
    }
  }

  /// Creates a znode, unless it exists.
  ///
  /// - Throws: NoNode if the parent does not exist.
  func createIfMissing(
    _ path: String, data: [UInt8]? = nil, mode: CreateMode = .persistent
  ) async throws(ZooKeeperError) {
    do throws(ZooKeeperError) {
      try await retrying { client throws(ZooKeeperError) in try await client.create(path, data: data, mode: mode) }
    } catch {
      guard error.code == .server(.nodeExists) else { throw error }
    }
  }

  /// Creates a znode and its missing ancestors as containers, which servers delete once they are empty.
  ///
  /// *Source*: Curator's `creatingParentContainersIfNeeded`.
  func ensureContainer(_ path: String) async throws(ZooKeeperError) {
    guard path != "/" else { return try await ensureRoot() }
    // Servers may delete an empty container between two steps; ten attempts are enough for any real case.
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

  /// Creates the missing ancestors of a znode.
  func ensureParent(of path: String) async throws(ZooKeeperError) {
    if let parent = ZnodePath.parent(of: path) { try await ensureContainer(parent) }
  }

  /// Creates the chroot. Without one, the root exists always.
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
      // Servers before 3.5 do not have containers.
      guard error.code == .server(.unimplemented) else { throw error }
      try await createIfMissing(path)
    }
  }

  /// Creates a sequential ephemeral znode exactly once, even if the connection is lost meanwhile.
  ///
  /// If the reply is lost, the children of the parent are searched for `prefix`, which no one else uses. The search
  /// syncs with the leader first: a server that lags might not show the znode, and a second znode would wait for the
  /// first indefinitely. A request that is still on its way to the leader at that time is refused there, because the
  /// session has moved.
  ///
  /// - Returns: the name with its sequence number.
  func createProtected(
    in parent: String, prefix: String, base: String, data: [UInt8]?
  ) async throws(ZooKeeperError) -> String {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // The data is never null, because Curator's programs fail when they read a participant whose data is.
        let path = try await client.create(
          ZnodePath.child(prefix + base, of: parent), data: data ?? [], mode: .ephemeralSequential)
        return ZnodePath.name(of: path)
      } catch {
        if error.code == .server(.noNode), attempt < 100 {
          try await ensureContainer(parent)
        } else if error.isTransient {
          try await client.connected(failsFast: false)
          if let name = try await find(prefix: prefix, in: parent) { return name }
        } else {
          throw error
        }
      }
    }
    preconditionFailure("the attempts have no end")
  }

  /// The child with a protected prefix, if it was created.
  func find(prefix: String, in parent: String) async throws(ZooKeeperError) -> String? {
    try await sync(parent)
    return try await children(of: parent).first { $0.hasPrefix(prefix) }
  }

  /// Deletes the child with a protected prefix, if there is one, after an attempt was given up.
  func withdraw(prefix: String, from parent: String) async throws(ZooKeeperError) {
    while let name = try await find(prefix: prefix, in: parent) { try await remove(ZnodePath.child(name, of: parent)) }
  }
}

extension ZooKeeperError {
  /// Whether only the connection failed, so that the session may still be alive.
  var isTransient: Bool {
    switch code {
    case .connectionLoss, .cannotConnect, .timedOut: true
    default: false
    }
  }

  /// Whether the session is over.
  var isSessionOver: Bool {
    switch code {
    case .sessionExpired, .closed, .authFailed, .saslFailed, .server(.sessionExpired): true
    default: false
    }
  }
}
