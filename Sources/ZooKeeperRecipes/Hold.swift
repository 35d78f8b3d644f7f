import ZooKeeperClient
public import ZooKeeperProtocol

/// Something that a client holds by an ephemeral znode: a lock, a lease, the leadership, a membership.
///
/// A hold ends when it is released, when its znode is deleted, or with the session. A process that is cut off from the
/// servers does not hear of any of that. Work that must not overlap with the next holder's therefore runs beside
/// `loss`, and stops when it returns:
///
/// ```swift
/// guard let hold = try await Lock(client, path: "/lock").acquire(limit: .seconds(10)) else { return }
/// try await withThrowingTaskGroup(of: Void.self) { group in
///   group.addTask { _ = try await hold.loss() }
///   group.addTask { try await work() }
///   try await group.next()
///   group.cancelAll()
/// }
/// try await hold.release()
/// ```
public struct Hold: Sendable {
  /// The ephemeral znode.
  public let path: String
  /// The transaction that created the znode.
  ///
  /// Each later holder of the same lock has a greater one. It can be used as a *fencing token*, by which a storage
  /// service refuses the writes of a former holder.
  public let zxid: Zxid
  let recipe: RecipeClient
  /// The latest moment at which the session is known to have been alive when this value was made. It is taken before
  /// the request was sent that confirmed it.
  public let lastConfirmed: ContinuousClock.Instant

  /// Why a hold has ended, or must be assumed to have ended.
  public enum Loss: Hashable, Sendable {
    /// The session is over; another client may hold it now.
    case expired
    /// Another client has deleted the znode.
    case removed
    /// No server has answered for five sixths of the session timeout. The session still exists, but may end after
    /// another sixth: what must not overlap must stop now.
    case unconfirmed
  }

  /// The data that is written into a znode to ask its holder to release it.
  ///
  /// *Source*: Curator's `Revoker`.
  static let revocation = [UInt8]("__REVOKE__".utf8)

  /// Releases the hold, even in a task that is cancelled. Does nothing if the znode is deleted already.
  ///
  /// - Throws: `ZooKeeperError` if the session is over, and the hold with it, or with `timedOut` if no server could be
  ///   reached for so long that the session must be over.
  public func release() async throws {
    try await recipe.shieldedFromCancellation { [self] in try await recipe.remove(path) }
  }

  /// Waits until the hold is lost.
  ///
  /// Every quarter of the session timeout a read confirms that the session is alive. The confirmation counts from the
  /// moment before the read was sent, not from its reply: a process that was stopped in between, or whose machine
  /// slept, finds out as soon as it runs again. Only elapsed time matters, so that setting the clock has no
  /// effect.
  ///
  /// - Parameters:
  ///   - onRevocation: called once, when another client asks for the release.
  ///   - onProof: called after each confirmation, with the moment up to which the hold is safe: five sixths of the
  ///     session timeout after the confirmation.
  /// - Returns: why the hold has ended.
  /// - Throws: `CancellationError` or `ZooKeeperError` with `cancelled`, if the task is cancelled; `ZooKeeperError` if
  ///   a server refuses the read.
  public func loss(
    onRevocation: @escaping @Sendable () -> Void = {},
    onProof: @escaping @Sendable (ContinuousClock.Instant) -> Void = { _ in }
  ) async throws -> Loss {
    try await withThrowingTaskGroup(of: Loss.self) { group in
      group.addTask { try await watchOwn(onRevocation) }
      group.addTask { try await heartbeat(onProof) }
      defer { group.cancelAll() }
      return try await group.next() ?? .expired
    }
  }

  private func watchOwn(_ onRevocation: @Sendable () -> Void) async throws -> Loss {
    var isRevoked = false
    while true {
      do {
        let (data, stat, events) = try await recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchData(path)
        }
        guard stat.czxid == zxid else { return .removed }
        if data == Self.revocation, !isRevoked {
          isRevoked = true
          onRevocation()
        }
        try await events.awaitChange()
      } catch let error as ZooKeeperError {
        if error.code == .server(.noNode) { return .removed }
        if error.isSessionOver { return .expired }
        throw error
      }
    }
  }

  private func heartbeat(_ onProof: @Sendable (ContinuousClock.Instant) -> Void) async throws -> Loss {
    let clock = ContinuousClock()
    let timeout = Duration.milliseconds(await recipe.client.snapshot().timeoutMilliseconds)
    var lastConfirmed = lastConfirmed
    onProof(lastConfirmed + timeout * 5 / 6)
    while true {
      let asked = clock.now
      let deadline = lastConfirmed + timeout * 5 / 6
      guard asked < deadline else { return .unconfirmed }
      do {
        guard let stat = try await recipe.client.withTimeLimit(deadline - asked).exists(path), stat.czxid == zxid
        else { return .removed }
        lastConfirmed = asked
        onProof(lastConfirmed + timeout * 5 / 6)
        try await clock.sleep(for: timeout / 4)
      } catch let error as ZooKeeperError {
        if error.isSessionOver { return .expired }
        guard error.isTransient else { throw error }
        if clock.now < deadline {
          // On success or failure, the loop checks the deadline and reads again.
          try? await recipe.client.withTimeLimit(deadline - clock.now).connected(failsFast: false)
        }
        try Task.checkCancellation()
      }
    }
  }
}
