public import ZooKeeperClient
public import ZooKeeperProtocol

/// The changes of a znode, or of it and all under it, one after the other, with a word wherever some may be missing.
///
/// Servers tell nothing of what happens while the client has no connection: a persistent watch then has a gap. The
/// stream says so, with `gap`, before anything that follows it; nobody need believe that he has seen everything.
///
/// Needs servers of version 3.6 or later.
public struct ChangeStream: Sendable {
  public let path: String
  /// Whether everything under the znode counts too; otherwise only the set of its children's names does.
  public var isRecursive: Bool
  /// Whether the data of a znode that was created or changed is read. It may be newer than the change.
  public var readsData: Bool
  /// Whether the present state comes first, and again behind each gap.
  public var beginsWithState: Bool

  /// Something that the stream has to tell.
  public enum Record: Hashable, Sendable {
    /// A znode as it is (`beginsWithState`).
    case present(path: String, data: [UInt8]?, stat: Stat)
    /// A change; data and stat only where the stream reads them and the znode still exists.
    case change(WatchEvent, data: [UInt8]?, stat: Stat?)
    /// Changes may be missing here.
    case gap(Gap)
  }

  /// Why changes may be missing.
  public enum Gap: String, Hashable, Sendable {
    /// The connection was lost and is back.
    case reconnected
    /// The session expired; another has taken its place.
    case expired
    /// More changes came than were taken.
    case overflow
  }

  /// A stream of changes of `path`, which need not exist.
  public init(path: String, isRecursive: Bool = false, readsData: Bool = false, beginsWithState: Bool = false) {
    self.path = path
    self.isRecursive = isRecursive
    self.readsData = readsData
    self.beginsWithState = beginsWithState
  }

  /// Hands records to `body` until that says false.
  ///
  /// - Parameters:
  ///   - limit: for how long; nil without end.
  ///   - reopen: makes a new session when the one in use has expired.
  /// - Returns: false when the time was up before `body` said so.
  /// - Throws: `ZooKeeperError`, and what `reopen` and `body` throw.
  public func follow(
    _ client: ZooKeeperClient, limit: Duration? = nil, reopen: @escaping @Sendable () async throws -> ZooKeeperClient,
    _ body: @escaping @Sendable (Record) async throws -> Bool
  ) async throws -> Bool {
    try await within(limit) { try await follow(client, reopen, body) } != nil
  }

  private func follow(
    _ client: ZooKeeperClient, _ reopen: @Sendable () async throws -> ZooKeeperClient,
    _ body: @Sendable (Record) async throws -> Bool
  ) async throws {
    var recipe = RecipeClient(client)
    var gap: Gap?
    while true {
      do {
        let events = try await recipe.retrying { client throws(ZooKeeperError) in
          try await client.addWatch(path, mode: isRecursive ? .persistentRecursive : .persistent)
        }
        guard try await begin(behind: gap, recipe, body), try await take(events, recipe, body) else { return }
        throw ZooKeeperError(.sessionExpired)
      } catch let error as ZooKeeperError {
        if case .eventOverflow = error.code {
          gap = .overflow
        } else if error.code == .sessionExpired || error.code == .server(.sessionExpired) {
          recipe = RecipeClient(try await reopen())
          gap = .expired
        } else {
          throw error
        }
      }
    }
  }

  /// - Returns: false when `body` has seen enough.
  private func begin(behind gap: Gap?, _ recipe: RecipeClient, _ body: @Sendable (Record) async throws -> Bool)
    async throws
    -> Bool
  {
    if let gap, try await !body(.gap(gap)) { return false }
    return beginsWithState ? try await tellState(recipe, body) : true
  }

  /// - Returns: false when `body` has seen enough, true when the watch has ended with its session.
  private func take(
    _ events: WatchEvents, _ recipe: RecipeClient, _ body: @Sendable (Record) async throws -> Bool
  ) async throws -> Bool {
    var isConnected = true
    for try await event in events {
      switch (event.type, event.state) {
      case (.none, .disconnected): isConnected = false
      case (.none, .syncConnected), (.none, .connectedReadOnly):
        guard !isConnected else { continue }
        isConnected = true
        guard try await begin(behind: .reconnected, recipe, body) else { return false }
      case (.none, .closed): throw ZooKeeperError(.closed)
      case (.none, .authFailed): throw ZooKeeperError(.authFailed)
      case (.none, _): continue
      default:
        guard try await body(change(event, recipe)) else { return false }
      }
    }
    try Task.checkCancellation()
    return true
  }

  private func change(_ event: WatchEvent, _ recipe: RecipeClient) async throws -> Record {
    guard readsData, let path = event.path, event.type == .nodeCreated || event.type == .nodeDataChanged,
      let (data, stat) = try await recipe.data(of: path)
    else { return .change(event, data: nil, stat: nil) }
    return .change(event, data: data, stat: stat)
  }

  private func tellState(_ recipe: RecipeClient, _ body: @Sendable (Record) async throws -> Bool) async throws -> Bool {
    var level = [path]
    while !level.isEmpty {
      var next: [String] = []
      for path in level {
        guard let (data, stat) = try await recipe.data(of: path) else { continue }
        guard try await body(.present(path: path, data: readsData ? data : nil, stat: stat)) else { return false }
        guard isRecursive else { continue }
        next += try await recipe.children(of: path).sorted().map { ZnodePath.child($0, of: path) }
      }
      level = next
    }
    return true
  }
}
