import ZooKeeperClient
public import ZooKeeperProtocol

/// Something held on the servers by an ephemeral znode: a lock, a lease, the leadership, a place in a group.
public struct Hold: Sendable {
  /// The znode that stands for it.
  public let path: String
  /// The transaction that created the znode.
  ///
  /// Of one lock, each later holder's is greater: a *fencing token*, which storage can use to refuse those who think
  /// that they still hold it.
  public let zxid: Zxid
  let recipe: RecipeClient
  /// When the session was last known to be alive before this was given: a moment before a server said so.
  public let proven: ContinuousClock.Instant

  /// Why a hold is over, or must be taken for over.
  public enum Loss: Hashable, Sendable {
    /// The session is over; somebody else may hold it now.
    case expired
    /// Somebody has deleted the znode.
    case removed
    /// No server has answered for five sixths of the session timeout. The session still lives, but may be over in a
    /// sixth: time to stop what must not overlap.
    case silent
  }

  /// What the data of the znode becomes to ask its holder to let go.
  ///
  /// *Source*: Curator's `Revoker`.
  static let revocation = [UInt8]("__REVOKE__".utf8)

  /// Lets go, also in a task that is cancelled.
  ///
  /// - Throws: `ZooKeeperError` when the session is over, and with it the hold.
  public func release() async throws {
    try await recipe.uncancelled { [self] in try await recipe.remove(path) }
  }

  /// Waits until the hold is lost, and tells meanwhile of those who ask to let go, and until when it is safe.
  ///
  /// The session is proved alive by a read every quarter of its timeout, whose time counts from before it was sent:
  /// a process that was stopped, or whose machine slept, finds out as soon as it runs again. Only the length of time
  /// counts, so the setting of a clock does not matter.
  ///
  /// - Parameters:
  ///   - onRevocation: called when somebody asks to let go.
  ///   - onProof: called with each moment until which no loss need be feared: five sixths of the session timeout behind
  ///     the last proof.
  /// - Throws: `CancellationError` or `ZooKeeperError` with `cancelled`.
  public func loss(
    onRevocation: @escaping @Sendable () -> Void = {},
    onProof: @escaping @Sendable (ContinuousClock.Instant) -> Void = { _ in }
  ) async throws -> Loss {
    try await withThrowingTaskGroup(of: Loss.self) { group in
      group.addTask { try await watchOwn(onRevocation) }
      group.addTask { try await proveAlive(onProof) }
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
        if error.isFinal { return .expired }
        throw error
      }
    }
  }

  private func proveAlive(_ onProof: @Sendable (ContinuousClock.Instant) -> Void) async throws -> Loss {
    let clock = ContinuousClock()
    let timeout = Duration.milliseconds(await recipe.client.snapshot().timeoutMilliseconds)
    var proven = proven
    onProof(proven + timeout * 5 / 6)
    while true {
      let asked = clock.now
      let deadline = proven + timeout * 5 / 6
      guard asked < deadline else { return .silent }
      do {
        guard let stat = try await recipe.client.withTimeLimit(deadline - asked).exists(path), stat.czxid == zxid
        else { return .removed }
        proven = asked
        onProof(proven + timeout * 5 / 6)
        try await clock.sleep(for: timeout / 4)
      } catch let error as ZooKeeperError {
        if error.isFinal { return .expired }
        guard error.isPassing else { throw error }
        if clock.now < deadline {
          // Whatever comes of it: the loop looks at the time and asks again.
          try? await recipe.client.withTimeLimit(deadline - clock.now).connected(failsFast: false)
        }
        try Task.checkCancellation()
      }
    }
  }
}
