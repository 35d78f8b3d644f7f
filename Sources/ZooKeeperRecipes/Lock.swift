public import ZooKeeperClient

/// A lock on a path, exclusive or shared, fair: those who came first get it first.
///
/// The holder is whoever has an ephemeral sequential znode under the path with nobody in its way before it; everybody
/// else watches one znode. Exclusive and shared participants of all layouts respect each other here.
///
/// *Source*: ZooKeeper's documentation, "Locks" and "Shared Locks"; Curator's `InterProcessMutex` and
/// `InterProcessReadWriteLock`; kazoo's `Lock`, `ReadLock` and `WriteLock`.
public struct Lock: Sendable {
  /// Who may hold it at the same time.
  public enum Kind: Hashable, Sendable {
    /// One alone.
    case exclusive
    /// Any number of shared holders, and no exclusive one.
    case shared
  }

  /// How the znodes are named, which decides who else understands them.
  public enum Layout: String, CaseIterable, Hashable, Sendable {
    /// `_c_<uuid>-lock-<n>` and, shared, `_c_<uuid>-__READ__<n>`: Curator's `InterProcessMutex`, and kazoo's locks that
    /// are given `extra_lock_patterns=["-lock-"]`.
    case curator
    /// `_c_<uuid>-__WRIT__<n>` and `_c_<uuid>-__READ__<n>`: Curator's `InterProcessReadWriteLock`.
    case curatorReadWrite = "curator-rw"
    /// `<hex>__lock__<n>` and `<hex>__rlock__<n>`: kazoo's locks as they are.
    case kazoo
  }

  public let path: String
  public let kind: Kind
  public let layout: Layout
  private let line: WaitingLine

  /// A lock on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String, kind: Kind = .exclusive, layout: Layout = .curator) {
    self.path = path
    self.kind = kind
    self.layout = layout
    line = WaitingLine(recipe: RecipeClient(client), parent: path)
  }

  /// Waits for the lock.
  ///
  /// - Parameters:
  ///   - data: what others see of this participant.
  ///   - limit: how long to wait; nil without end, zero not at all.
  /// - Returns: nil when it was not to be had in time; nothing is left behind then.
  /// - Throws: `ZooKeeperError`; `RecipeError` with `removed` when somebody deletes the waiting znode.
  public func acquire(data: [UInt8]? = nil, limit: Duration? = nil) async throws -> Hold? {
    let guid = ProtectedName()
    let (line, prefix, base) = (line, layout == .kazoo ? guid.kazooPrefix : guid.curatorPrefix, base)
    let sharesWithShared = kind == .shared
    let blocks: @Sendable (WaitingLine.Place) -> Bool = { !(sharesWithShared && $0.isShared) }
    return try await line.recipe.orTakingBack({ try await line.recipe.withdraw(prefix: prefix, from: line.parent) }) {
      if limit == .zero {
        let own = try await line.recipe.createProtected(in: line.parent, prefix: prefix, base: base, data: data)
        return try await line.blocker(of: own, blocks: blocks) == nil ? line.hold(own) : nil
      }
      return try await within(limit) {
        let own = try await line.recipe.createProtected(in: line.parent, prefix: prefix, base: base, data: data)
        try await line.awaitTurn(of: own, blocks: blocks)
        return try await line.hold(own)
      }
    }
  }

  /// The holders and those who wait, in the order in which they came.
  public func participants() async throws -> [Participant] {
    try await line.participants(isHolder: Self.isHolder)
  }

  private static func isHolder(_ index: Int, among places: [WaitingLine.Place]) -> Bool {
    places[..<index].allSatisfy { $0.isShared && places[index].isShared }
  }

  /// What this session holds of the lock: waiting for it once more, the session would wait for itself.
  ///
  /// - Returns: the hold and its kind; nil when the session holds nothing.
  public func own() async throws -> (hold: Hold, kind: Kind)? {
    try await line.own(isHolder: Self.isHolder).first.map { ($0.hold, $0.participant.isShared ? .shared : .exclusive) }
  }

  /// Asks the holders to let go; those that hold it as revocable do.
  ///
  /// - Returns: how many were asked.
  public func revoke() async throws -> Int {
    var count = 0
    for holder in try await participants() where holder.isHolder {
      do throws(ZooKeeperError) {
        try await line.recipe.retrying { client throws(ZooKeeperError) in
          try await client.setData(holder.path, data: Hold.revocation)
        }
        count += 1
      } catch {
        guard error.code == .server(.noNode) else { throw error }
      }
    }
    return count
  }

  /// Lets go of what this session holds or waits for on the path.
  ///
  /// - Returns: how many znodes that were.
  public func releaseOwn() async throws -> Int {
    let session = await line.recipe.client.snapshot().sessionID
    let own = try await participants().filter { $0.session == session }
    for participant in own { try await line.recipe.remove(participant.path) }
    return own.count
  }

  private var base: String {
    switch (layout, kind) {
    case (.curator, .exclusive): "lock-"
    case (.curatorReadWrite, .exclusive): "__WRIT__"
    case (.curator, .shared), (.curatorReadWrite, .shared): "__READ__"
    case (.kazoo, .exclusive): "__lock__"
    case (.kazoo, .shared): "__rlock__"
    }
  }
}
