import ZooKeeperClient
import ZooKeeperProtocol

extension WorkQueue {
  /// A claimed item, which no one else gets while the session lives.
  public struct Claim: Sendable {
    /// The item.
    public let item: Item
    /// The claim's znode. Its `loss` ends when the work on the item must stop.
    public let hold: Hold
    let recipe: RecipeClient

    /// Removes the item from the queue, and ends the claim.
    ///
    /// - Throws: `RecipeError` with `removed` if the item was deleted already; the claim then still exists.
    ///   `ZooKeeperError` if the session is over; the item is then free again.
    public func complete() async throws {
      var isUncertain = false
      while true {
        do throws(ZooKeeperError) {
          if isUncertain {
            try await recipe.sync(hold.path)
            // The transaction deletes both, and no one else deletes the claim.
            if try await recipe.stat(of: hold.path) == nil { return }
          }
          let operations = [item.path, hold.path].map {
            MultiOperation.delete(PathVersionRequest(path: $0, version: -1))
          }
          try await recipe.client.multi(operations)
          return
        } catch {
          if error.failedOperation?.error == .noNode { throw RecipeError(.removed, path: item.path) }
          guard error.isTransient else { throw error }
          try await recipe.client.connected(failsFast: false)
          isUncertain = true
        }
      }
    }

    /// Ends the claim without taking the item, so that others can claim it.
    ///
    /// - Throws: as ``Hold/release()``.
    public func giveBack() async throws { try await hold.release() }
  }

  /// The result of an attempt to claim an item.
  private enum Attempt: Sendable {
    case claimed(Claim)
    /// Another client has claimed or taken the item.
    case lost
    /// The parent of claims does not exist.
    case noParent
  }

  /// Claims the first item that is free.
  ///
  /// - Parameter limit: how long to wait for one; nil waits indefinitely, zero not at all.
  /// - Returns: nil if there was no free item when the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`; `RecipeError` with `removed` if another client deletes the znode
  ///   with which this one waits.
  public func claim(limit: Duration? = nil) async throws -> Claim? {
    if let claim = try await claimFirst(among: try await names()) { return claim }
    if limit == .zero { return nil }
    let queue = WaitQueue(recipe: recipe, parent: ZnodePath.child(".takers", of: path))
    let prefix = ProtectedName().curatorPrefix
    let withdraw: @Sendable () async throws -> Void = { [recipe] in
      try await recipe.withdraw(prefix: prefix, from: queue.parent)
    }
    let claim = try await recipe.rollingBackOnFailure(withdraw) {
      try await withTimeout(limit) {
        let own = try await recipe.createProtected(in: queue.parent, prefix: prefix, base: "lock-", data: nil)
        try await queue.awaitTurn(of: own) { _ in true }
        let claim = try await awaitItem()
        // A cancellation at this point must not lose the claim.
        try? await recipe.shieldedFromCancellation(withdraw)
        return claim
      }
    }
    return claim
  }

  /// Watches the queue, as the first of the clients that wait.
  private func awaitItem() async throws -> Claim {
    while true {
      let items = try await watchChildren(of: path)
      // An item also becomes free when a claim ends.
      let claims = try await watchChildren(of: locks)
      let claimed = Set(claims.names)
      let names = try await sorted(items.names)
      if let claim = try await claimFirst(among: names.filter { !claimed.contains($0.name) }) { return claim }
      try await awaitChange(ofAny: [items.events, claims.events])
    }
  }

  private func watchChildren(of path: String) async throws -> (names: [String], events: WatchEvents) {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchChildren(path) }
        return (watch.children, watch.events)
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureContainer(path)
      }
    }
    preconditionFailure("the attempts have no end")
  }

  private func claimFirst(among names: [QueueItemName]) async throws -> Claim? {
    let claimed = Set(try await recipe.children(of: locks))
    for name in names where !claimed.contains(name.name) {
      var attempt = try await tryToClaim(name)
      if case .noParent = attempt {
        try await recipe.ensureContainer(locks)
        attempt = try await tryToClaim(name)
      }
      if case .claimed(let claim) = attempt { return claim }
    }
    return nil
  }

  private func tryToClaim(_ name: QueueItemName) async throws -> Attempt {
    let lock = ZnodePath.child(name.name, of: locks)
    let itemPath = ZnodePath.child(name.name, of: path)
    let mark = [UInt8](ProtectedName().uuid.utf8)
    let operations: [MultiOperation] = [
      .check(PathVersionRequest(path: itemPath, version: -1)),
      .create(CreateRequest(path: lock, data: mark, acl: ACL.openUnsafe, flags: CreateMode.ephemeral.flags)),
    ]
    let asked = ContinuousClock.now
    return try await recipe.rollingBackOnFailure({ [recipe] in
      try await recipe.sync(lock)
      if try await recipe.data(of: lock)?.data == mark { try await recipe.remove(lock) }
    }) {
      if let refusal = try await create(lock, marked: mark, operations) { return refusal }
      guard let stat = try await recipe.stat(of: lock), let item = try await item(name) else { return nil }
      let hold = Hold(path: lock, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked)
      return .claimed(Claim(item: item, hold: hold, recipe: recipe))
    } ?? .lost
  }

  /// - Returns: why the claim could not be created; nil if it was.
  private func create(
    _ lock: String, marked mark: [UInt8], _ operations: [MultiOperation]
  ) async throws(ZooKeeperError) -> Attempt? {
    while true {
      do throws(ZooKeeperError) {
        try await recipe.client.multi(operations)
        return nil
      } catch {
        if let failed = error.failedOperation {
          return failed.index == 1 && failed.error == .noNode ? .noParent : .lost
        }
        guard error.isTransient else { throw error }
        try await recipe.client.connected(failsFast: false)
        try await recipe.sync(lock)
        if try await recipe.data(of: lock)?.data == mark { return nil }
      }
    }
  }
}
