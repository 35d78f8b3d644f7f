public import ZooKeeperClient
public import ZooKeeperProtocol

/// A group whose members are known by name, as long as their sessions live.
///
/// A member is an ephemeral znode with the member's name and data.
///
/// *Source*: ZooKeeper's paper, section 2.4, "Group Membership"; Curator's `GroupMember`.
public struct Group: Sendable {
  /// The parent of the members' znodes.
  public let path: String
  private let recipe: RecipeClient

  /// A member of a group.
  public struct Member: Hashable, Sendable {
    /// The name of the znode.
    public var name: String
    /// nil for null.
    public var data: [UInt8]?
    /// The znode's counters and times; `ephemeralOwner` is the member's session.
    public var stat: Stat
  }

  /// A group at `path`, which is created when the first member joins.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Joins under a name.
  ///
  /// - Parameters:
  ///   - name: the name of the member's znode; it must not contain a slash.
  ///   - data: the data of the member, for others to read.
  ///   - limit: how long to wait until another member of that name has left; nil waits indefinitely, zero not at all.
  /// - Returns: nil if another session had the name when the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func join(_ name: String, data: [UInt8]? = nil, limit: Duration? = .zero) async throws -> Hold? {
    let own = ZnodePath.child(name, of: path)
    if limit == .zero { return try await tryJoining(own, data) }
    return try await withTimeout(limit) {
      while true {
        if let hold = try await tryJoining(own, data) { return hold }
        _ = try await Condition.absent.awaited(recipe.client, at: own)
      }
    }
  }

  /// - Returns: nil if another session has the name.
  private func tryJoining(_ own: String, _ data: [UInt8]?) async throws -> Hold? {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // The data is never null, because Curator's members fail when they read a member whose data is.
        try await recipe.createIfMissing(own, data: data ?? [], mode: .ephemeral)
        let session = await recipe.client.snapshot().sessionID
        let asked = ContinuousClock.now
        guard let stat = try await recipe.stat(of: own) else { continue }
        // If the znode existed already, it may be this session's: a reply was lost, or it has joined before.
        guard stat.ephemeralOwner == session else { return nil }
        return Hold(path: own, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked)
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureContainer(path)
      }
    }
    return nil
  }

  /// The membership of this session under a name; nil if it is not a member.
  ///
  /// - Throws: `ZooKeeperError`.
  public func own(_ name: String) async throws -> Hold? {
    let path = ZnodePath.child(name, of: path)
    let session = await recipe.client.snapshot().sessionID
    let asked = ContinuousClock.now
    guard let stat = try await recipe.stat(of: path), stat.ephemeralOwner == session else { return nil }
    return Hold(path: path, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked)
  }

  /// Removes a member of any session.
  ///
  /// - Returns: whether there was a member of that name.
  /// - Throws: `ZooKeeperError`.
  public func remove(_ name: String) async throws -> Bool {
    let member = ZnodePath.child(name, of: path)
    guard try await recipe.stat(of: member) != nil else { return false }
    try await recipe.remove(member)
    return true
  }

  /// The members, sorted by name.
  ///
  /// - Throws: `ZooKeeperError`.
  public func members() async throws -> [Member] {
    var members: [Member] = []
    for name in try await recipe.children(of: path).sorted() {
      guard let (data, stat) = try await recipe.data(of: ZnodePath.child(name, of: path)) else { continue }
      members.append(Member(name: name, data: data, stat: stat))
    }
    return members
  }

  /// Calls `body` with the names of the members, sorted, and again after each change, until it returns false.
  ///
  /// A member that comes and goes between two reads is not reported.
  ///
  /// - Parameter limit: for how long; nil for indefinitely.
  /// - Returns: false if the limit passed before `body` returned false.
  /// - Throws: `ZooKeeperError`; `CancellationError`; what `body` throws.
  public func observe(
    limit: Duration? = nil, _ body: @escaping @Sendable ([String]) async throws -> Bool
  ) async throws -> Bool {
    try await withTimeout(limit) {
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
