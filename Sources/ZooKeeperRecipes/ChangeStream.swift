public import ZooKeeperClient
public import ZooKeeperProtocol

/// The changes of a znode, or of it and all its descendants, with a mark wherever some may be missing.
///
/// Servers do not report what changes while the client has no connection: a persistent watch then has a gap. The stream
/// reports it, as `gap`, before anything that follows it. A consumer that needs the whole state reads it again at that
/// point, or has the stream do so (`beginsWithState`).
///
/// ```swift
/// let stream = ChangeStream(path: "/config", isRecursive: true, readsData: true, beginsWithState: true)
/// _ = try await stream.follow(client, reopen: { ZooKeeperClient(configuration) }) { record in
///   print(record)
///   return true
/// }
/// ```
///
/// It needs servers of version 3.6 or later.
public struct ChangeStream: Sendable {
  /// The znode that is followed.
  public let path: String
  /// Whether changes of all descendants are reported; otherwise, of the children, only changes of their set are.
  public var isRecursive: Bool
  /// Whether the data of a znode that was created or changed is read. It may be newer than the change.
  public var readsData: Bool
  /// Whether the present state is reported first, and again after each gap.
  public var beginsWithState: Bool
  /// What ends the stream once the znode meets it; nil to go on until the consumer ends it.
  ///
  /// The znode is read at the start, after each change that can matter and after each gap. A state that begins and
  /// ends between two reads can be missed.
  public var until: Condition?

  /// What the stream reports.
  public enum Record: Hashable, Sendable {
    /// A znode as it is (`beginsWithState`).
    case present(path: String, data: [UInt8]?, stat: Stat)
    /// A change, with data and stat if the stream reads them and the znode still exists.
    case change(WatchEvent, data: [UInt8]?, stat: Stat?)
    /// Changes may be missing here.
    case gap(Gap)
  }

  /// Why changes may be missing.
  public enum Gap: String, Hashable, Sendable {
    /// The connection was lost and has been re-established.
    case reconnected
    /// The session expired and was replaced by another.
    case expired
    /// More changes came than the consumer took, and some were dropped.
    case overflow
  }

  /// A stream of changes of `path`, which need not exist.
  public init(
    path: String, isRecursive: Bool = false, readsData: Bool = false, beginsWithState: Bool = false,
    until: Condition? = nil
  ) {
    self.path = path
    self.isRecursive = isRecursive
    self.readsData = readsData
    self.beginsWithState = beginsWithState
    self.until = until
  }

  /// Passes records to `body` until it returns false or `until` is met.
  ///
  /// - Parameters:
  ///   - limit: for how long; nil for indefinitely.
  ///   - reopen: creates a new session when the present one has expired.
  /// - Returns: false if the limit passed first.
  /// - Throws: `ZooKeeperError`, and what `reopen` and `body` throw.
  public func follow(
    _ client: ZooKeeperClient, limit: Duration? = nil, reopen: @escaping @Sendable () async throws -> ZooKeeperClient,
    _ body: @escaping @Sendable (Record) async throws -> Bool
  ) async throws -> Bool {
    try await withTimeout(limit) { try await follow(client, reopen, body) } != nil
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
        guard try await begin(after: gap, recipe, body), try await take(events, recipe, body) else { return }
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

  /// - Returns: false if the stream has ended, because of `body` or of `until`.
  private func begin(after gap: Gap?, _ recipe: RecipeClient, _ body: @Sendable (Record) async throws -> Bool)
    async throws
    -> Bool
  {
    if let gap, try await !body(.gap(gap)) { return false }
    if beginsWithState, try await !reportState(recipe, body) { return false }
    return try await until?.fulfilment(recipe, path) == nil
  }

  /// - Returns: false if the stream has ended, because of `body` or of `until`; true if the watch has ended with its
  ///   session.
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
        guard try await begin(after: .reconnected, recipe, body) else { return false }
      case (.none, .closed): throw ZooKeeperError(.closed)
      case (.none, .authFailed): throw ZooKeeperError(.authFailed)
      case (.none, _): continue
      default:
        guard try await body(change(event, recipe)) else { return false }
        if let until, until.concerns(event.path, at: path), try await until.fulfilment(recipe, path) != nil {
          return false
        }
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

  private func reportState(
    _ recipe: RecipeClient, _ body: @Sendable (Record) async throws -> Bool
  ) async throws -> Bool {
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
