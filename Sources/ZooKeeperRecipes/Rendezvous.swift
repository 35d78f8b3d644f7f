public import ZooKeeperClient
public import ZooKeeperProtocol

/// A znode in which one client leaves data that others wait for, such as the address of a master that is started after
/// its workers.
///
/// A missing znode, and one with null or empty data, means that nothing was left yet.
///
/// *Source*: ZooKeeper's paper, section 2.4, "Rendezvous".
public struct Rendezvous: Sendable {
  /// The znode.
  public let path: String
  private let recipe: RecipeClient

  /// A rendezvous at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Leaves data until a client deletes it, in place of what was there before.
  ///
  /// - Throws: `ZooKeeperError`.
  public func put(_ data: [UInt8]) async throws {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        try await recipe.retrying { client throws(ZooKeeperError) in try await client.setData(path, data: data) }
        return
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureParent(of: path)
        try await recipe.createIfMissing(path, data: data)
      }
    }
  }

  /// Leaves data as long as the session lives.
  ///
  /// - Returns: nil if another session has left data there, or if `path` is the root.
  /// - Throws: `ZooKeeperError`.
  public func hold(_ data: [UInt8]) async throws -> Hold? {
    guard let parent = ZnodePath.parent(of: path) else { return nil }
    return try await Group(recipe.client, path: parent).join(ZnodePath.name(of: path), data: data)
  }

  /// Waits for data.
  ///
  /// - Parameter limit: how long to wait; nil waits indefinitely, zero reads once.
  /// - Returns: nil if there was no data when the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func get(limit: Duration? = nil) async throws -> (data: [UInt8], stat: Stat)? {
    if limit == .zero { return try await recipe.data(of: path).flatMap(Self.present) }
    return try await withTimeout(limit) {
      while true {
        do {
          let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchData(path) }
          if let found = Self.present(watch.data, watch.stat) { return found }
          try await watch.events.awaitChange()
        } catch let error as ZooKeeperError {
          guard error.code == .server(.noNode) else { throw error }
          _ = try await Condition.exists.awaited(recipe.client, at: path)
        }
      }
    }
  }

  private static func present(_ data: [UInt8]?, _ stat: Stat) -> (data: [UInt8], stat: Stat)? {
    guard let data, !data.isEmpty else { return nil }
    return (data, stat)
  }
}
