public import ZooKeeperClient
public import ZooKeeperProtocol

/// A place where one leaves what others wait for, such as the address of a master that is started after its workers.
///
/// *Source*: ZooKeeper's paper, section 2.4, "Rendezvous": data of a znode; missing or empty data is not there yet.
public struct Rendezvous: Sendable {
  public let path: String
  private let recipe: RecipeClient

  /// A rendezvous at `path`.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Leaves data for as long as nobody takes it away; what was there before is replaced.
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

  /// Leaves data for as long as the session lives.
  ///
  /// - Returns: nil when somebody else has left something there.
  public func hold(_ data: [UInt8]) async throws -> Hold? {
    guard let parent = ZnodePath.parent(of: path) else { return nil }
    return try await Group(recipe.client, path: parent).join(ZnodePath.name(of: path), data: data)
  }

  /// Waits for data.
  ///
  /// - Parameter limit: how long to wait; nil without end, zero for one look.
  /// - Returns: nil when none came in time.
  public func get(limit: Duration? = nil) async throws -> (data: [UInt8], stat: Stat)? {
    if limit == .zero { return try await recipe.data(of: path).flatMap(Self.present) }
    return try await within(limit) {
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
