public import ZooKeeperClient

/// A gate at which clients wait while it is set.
///
/// The barrier is set while its znode exists. The znode is persistent: a barrier outlives the session that set it, and
/// any client can clear it.
///
/// *Source*: ZooKeeper's documentation, "Barriers"; Curator's `DistributedBarrier`.
public struct Barrier: Sendable {
  /// The znode whose existence is the barrier.
  public let path: String
  private let recipe: RecipeClient

  /// A barrier at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Sets the barrier; does nothing if it is set already.
  ///
  /// - Throws: `ZooKeeperError`.
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

  /// Clears the barrier, so that all clients that wait at it pass; does nothing if it is clear already.
  ///
  /// - Throws: `ZooKeeperError`.
  public func clear() async throws { try await recipe.remove(path) }

  /// Waits until the barrier is clear.
  ///
  /// - Parameter limit: how long to wait; nil waits indefinitely, zero looks once.
  /// - Returns: false if the barrier was still set when the limit had passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func pass(limit: Duration? = nil) async throws -> Bool {
    try await Condition.absent.awaited(recipe.client, at: path, limit: limit) != nil
  }
}
