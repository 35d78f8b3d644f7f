public import ZooKeeperClient
public import ZooKeeperProtocol

/// A group whose members are known by name, for as long as their sessions live.
///
/// *Source*: ZooKeeper's paper, section 2.4, "Group Membership"; Curator's `GroupMember`: an ephemeral znode of the
/// member's name, with its data.
public struct Group: Sendable {
  public let path: String
  private let recipe: RecipeClient

  /// A member of a group.
  public struct Member: Hashable, Sendable {
    public var name: String
    /// nil for no data.
    public var data: [UInt8]?
    public var stat: Stat
  }

  /// A group at `path`, which is created when somebody joins.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Joins under a name.
  ///
  /// - Parameters:
  ///   - data: what others see of the member.
  ///   - limit: how long to wait until a member of that name has left; nil without end, zero not at all.
  /// - Returns: nil when the name was not free in time.
  public func join(_ name: String, data: [UInt8]? = nil, limit: Duration? = .zero) async throws -> Hold? {
    let own = ZnodePath.child(name, of: path)
    if limit == .zero { return try await tryJoining(own, data) }
    return try await within(limit) {
      while true {
        if let hold = try await tryJoining(own, data) { return hold }
        _ = try await Condition.absent.awaited(recipe.client, at: own)
      }
    }
  }

  /// - Returns: nil when another session has the name.
  private func tryJoining(_ own: String, _ data: [UInt8]?) async throws -> Hold? {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // Never null: Curator's members fail at a member without data.
        try await recipe.createIfMissing(own, data: data ?? [], mode: .ephemeral)
        let session = await recipe.client.snapshot().sessionID
        let asked = ContinuousClock.now
        guard let stat = try await recipe.stat(of: own) else { continue }
        // One that existed already may be an answer that was lost.
        guard stat.ephemeralOwner == session else { return nil }
        return Hold(path: own, zxid: stat.czxid, recipe: recipe, proven: asked)
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureContainer(path)
      }
    }
    return nil
  }

  /// The membership of this session under a name; nil when it has none.
  public func own(_ name: String) async throws -> Hold? {
    let path = ZnodePath.child(name, of: path)
    let session = await recipe.client.snapshot().sessionID
    let asked = ContinuousClock.now
    guard let stat = try await recipe.stat(of: path), stat.ephemeralOwner == session else { return nil }
    return Hold(path: path, zxid: stat.czxid, recipe: recipe, proven: asked)
  }

  /// Takes a member out, whoever's it is.
  ///
  /// - Returns: whether there was one of that name.
  public func remove(_ name: String) async throws -> Bool {
    let member = ZnodePath.child(name, of: path)
    guard try await recipe.stat(of: member) != nil else { return false }
    try await recipe.remove(member)
    return true
  }

  /// The members by name.
  public func members() async throws -> [Member] {
    var members: [Member] = []
    for name in try await recipe.children(of: path).sorted() {
      guard let (data, stat) = try await recipe.data(of: ZnodePath.child(name, of: path)) else { continue }
      members.append(Member(name: name, data: data, stat: stat))
    }
    return members
  }

  /// Calls `body` with the names of the members, and again whenever they are others, until it says false.
  ///
  /// Members that come and go between two looks are not told.
  ///
  /// - Parameter limit: for how long; nil without end.
  /// - Returns: false when the time was up before `body` said so.
  public func observe(
    limit: Duration? = nil, _ body: @escaping @Sendable ([String]) async throws -> Bool
  ) async throws -> Bool {
    try await within(limit) {
      var last: [String]?
      while true {
        let (names, events) = try await look()
        if names != last {
          last = names
          guard try await body(names) else { return true }
        }
        try await events.awaitChange()
      }
    } != nil
  }

  private func look() async throws(ZooKeeperError) -> ([String], WatchEvents) {
    while true {
      do throws(ZooKeeperError) {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchChildren(path) }
        return (watch.children.sorted(), watch.events)
      } catch {
        guard error.code == .server(.noNode) else { throw error }
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchExists(path) }
        if watch.stat == nil { return ([], watch.events) }
      }
    }
  }
}
