public import ZooKeeperClient
public import ZooKeeperProtocol

/// A state of a znode that can be waited for.
///
/// ```swift
/// let result = try await Condition.children(.atLeast, 3).awaited(client, at: "/workers", limit: .seconds(30))
/// ```
public enum Condition: Hashable, Sendable {
  /// It exists.
  case exists
  /// It does not exist.
  case absent
  /// It exists and has this data; null equals empty data.
  case equals([UInt8])
  /// The number of its children compares so to a number; a znode that does not exist has no children.
  case children(Comparison, Int)

  /// How two numbers compare.
  public enum Comparison: String, CaseIterable, Hashable, Sendable {
    /// Greater than or equal to.
    case atLeast = ">="
    /// Less than or equal to.
    case atMost = "<="
    /// Equal to.
    case equal = "=="
    /// Not equal to.
    case unequal = "!="
    /// Greater than.
    case more = ">"
    /// Less than.
    case less = "<"

    /// Whether `left` compares so to `right`.
    public func holds(_ left: Int, _ right: Int) -> Bool {
      switch self {
      case .atLeast: left >= right
      case .atMost: left <= right
      case .equal: left == right
      case .unequal: left != right
      case .more: left > right
      case .less: left < right
      }
    }
  }

  /// The state of the znode when the condition held.
  public struct Fulfilment: Hashable, Sendable {
    /// nil if the znode did not exist.
    public var stat: Stat?
    /// The data, if the condition is about it.
    public var data: [UInt8]?
  }

  /// Waits until the condition holds.
  ///
  /// Each read of the znode sets a watch in the same request, so that no change after it is missed. A state that begins
  /// and ends between two reads can be missed.
  ///
  /// - Parameter limit: how long to wait; nil waits indefinitely, zero reads once.
  /// - Returns: nil if the condition did not hold before the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func awaited(
    _ client: ZooKeeperClient, at path: String, limit: Duration? = nil
  ) async throws -> Fulfilment? {
    let recipe = RecipeClient(client)
    if limit == .zero { return try await fulfilment(recipe, path) }
    return try await withTimeout(limit) {
      while true {
        let (fulfilment, events) = try await look(recipe, path)
        if let fulfilment { return fulfilment }
        try await events.awaitChange()
      }
    }
  }

  /// Reads the znode once, without a watch.
  ///
  /// - Returns: nil if the condition does not hold.
  func fulfilment(_ recipe: RecipeClient, _ path: String) async throws(ZooKeeperError) -> Fulfilment? {
    switch self {
    case .exists, .absent:
      let stat = try await recipe.stat(of: path)
      return (stat != nil) == (self == .exists) ? Fulfilment(stat: stat) : nil
    case .equals(let wanted):
      guard let (data, stat) = try await recipe.data(of: path), (data ?? []) == wanted else { return nil }
      return Fulfilment(stat: stat, data: data)
    case .children(let comparison, let number):
      let stat = try await recipe.stat(of: path)
      return comparison.holds(stat.map { Int($0.numChildren) } ?? 0, number) ? Fulfilment(stat: stat) : nil
    }
  }

  /// Whether a change of the znode `changed` can make the condition true for the znode at `path`.
  func concerns(_ changed: String?, at path: String) -> Bool {
    guard let changed, changed != path else { return changed != nil }
    // A recursive watch reports the creation and the deletion of children instead of a change of their set.
    guard case .children = self else { return false }
    return ZnodePath.parent(of: changed) == path
  }

  private func look(
    _ recipe: RecipeClient, _ path: String
  ) async throws -> (fulfilment: Fulfilment?, events: WatchEvents) {
    while true {
      do throws(ZooKeeperError) {
        switch self {
        case .exists, .absent:
          let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchExists(path) }
          let holds = (watch.stat != nil) == (self == .exists)
          return (holds ? Fulfilment(stat: watch.stat) : nil, watch.events)
        case .equals(let wanted):
          let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchData(path) }
          let holds = (watch.data ?? []) == wanted
          return (holds ? Fulfilment(stat: watch.stat, data: watch.data) : nil, watch.events)
        case .children(let comparison, let number):
          let watch = try await recipe.retrying { client throws(ZooKeeperError) in
            try await client.watchChildren(path)
          }
          guard comparison.holds(watch.children.count, number) else { return (nil, watch.events) }
          return (Fulfilment(stat: try await recipe.stat(of: path)), watch.events)
        }
      } catch {
        guard error.code == .server(.noNode) else { throw error }
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchExists(path) }
        guard watch.stat == nil else { continue }
        if case .children(let comparison, let number) = self, comparison.holds(0, number) {
          return (Fulfilment(), watch.events)
        }
        return (nil, watch.events)
      }
    }
  }
}
