public import ZooKeeperClient

/// A gate at which everybody waits while it is set.
///
/// *Source*: ZooKeeper's documentation, "Barriers"; Curator's `DistributedBarrier`: the gate is set while the znode
/// exists. It outlives the session that set it.
public struct Barrier: Sendable {
  public let path: String
  private let recipe: RecipeClient

  /// A barrier at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Sets the barrier; it may be set already.
  public func set() async throws {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        return try await recipe.createIfMissing(path)
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureParent(of: path)
      }
    }
  }

  /// Clears the barrier, and lets all pass who wait; it may be clear already.
  public func clear() async throws { try await recipe.remove(path) }

  /// Waits until the barrier is clear.
  ///
  /// - Returns: false when it was not in time.
  public func pass(limit: Duration? = nil) async throws -> Bool {
    try await Condition.absent.awaited(recipe.client, at: path, limit: limit) != nil
  }
}
