public import ZooKeeperClient

/// A fair lock on a path, exclusive or shared: participants get it in the order in which they came.
///
/// Each participant creates an ephemeral sequential znode under the path. It holds the lock if no earlier participant
/// is in its way; otherwise it watches the last one that is, so that a release wakes one client and not all of them.
/// Exclusive and shared participants of all layouts exclude each other as they must.
///
/// ```swift
/// let lock = Lock(client, path: "/locks/report")
/// if let hold = try await lock.acquire(limit: .seconds(10)) {
///   await work()  // `Hold.loss` says when it must stop
///   try await hold.release()
/// }
/// ```
///
/// *Source*: ZooKeeper's documentation, "Locks" and "Shared Locks"; Curator's `InterProcessMutex` and
/// `InterProcessReadWriteLock`; kazoo's `Lock`, `ReadLock` and `WriteLock`.
public struct Lock: Sendable {
  /// Who may hold it at the same time.
  public enum Kind: Hashable, Sendable {
    /// One holder at a time.
    case exclusive
    /// Any number of shared holders, but no exclusive holder at the same time.
    case shared
  }

  /// How the znodes are named, which determines the other programs that can use the same lock.
  public enum Layout: String, CaseIterable, Hashable, Sendable {
    /// `_c_<uuid>-lock-<n>` and, shared, `_c_<uuid>-__READ__<n>`: Curator's `InterProcessMutex`, and kazoo's locks that
    /// are given `extra_lock_patterns=["-lock-"]`.
    case curator
    /// `_c_<uuid>-__WRIT__<n>` and `_c_<uuid>-__READ__<n>`: Curator's `InterProcessReadWriteLock`.
    case curatorReadWrite = "curator-rw"
    /// `<hex>__lock__<n>` and `<hex>__rlock__<n>`: kazoo's locks with their default patterns.
    case kazoo
  }

  /// The parent of the participants' znodes.
  public let path: String
  /// Whether `acquire` asks for the exclusive or the shared lock.
  public let kind: Kind
  /// How `acquire` names its znode. Znodes of all layouts are recognised.
  public let layout: Layout
  private let queue: WaitQueue

  /// A lock on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String, kind: Kind = .exclusive, layout: Layout = .curator) {
    self.path = path
    self.kind = kind
    self.layout = layout
    queue = WaitQueue(recipe: RecipeClient(client), parent: path)
  }

  /// Waits for the lock.
  ///
  /// - Parameters:
  ///   - data: the data of this participant's znode, for others to read.
  ///   - limit: how long to wait; nil waits indefinitely, zero not at all.
  /// - Returns: nil if the lock was not acquired before the limit passed; the participant's znode is then deleted.
  /// - Throws: `RecipeError` with `removed` if another client deletes the participant's znode; `ZooKeeperError`;
  ///   `CancellationError`. The znode is deleted then too.
  public func acquire(data: [UInt8]? = nil, limit: Duration? = nil) async throws -> Hold? {
    let guid = ProtectedName()
    let (queue, prefix, base) = (queue, layout == .kazoo ? guid.kazooPrefix : guid.curatorPrefix, base)
    let sharesWithShared = kind == .shared
    let blocks: @Sendable (WaitQueue.Position) -> Bool = { !(sharesWithShared && $0.isShared) }
    let withdraw: @Sendable () async throws -> Void = {
      try await queue.recipe.withdraw(prefix: prefix, from: queue.parent)
    }
    return try await queue.recipe.rollingBackOnFailure(withdraw) {
      if limit == .zero {
        let own = try await queue.recipe.createProtected(in: queue.parent, prefix: prefix, base: base, data: data)
        return try await queue.blocker(of: own, blocks: blocks) == nil ? queue.hold(own) : nil
      }
      return try await withTimeout(limit) {
        let own = try await queue.recipe.createProtected(in: queue.parent, prefix: prefix, base: base, data: data)
        try await queue.awaitTurn(of: own, blocks: blocks)
        return try await queue.hold(own)
      }
    }
  }

  /// The holders and the participants that wait, in the order in which they came.
  ///
  /// - Throws: `ZooKeeperError`.
  public func participants() async throws -> [Participant] {
    try await queue.participants(isHolder: Self.isHolder)
  }

  private static func isHolder(_ index: Int, among positions: [WaitQueue.Position]) -> Bool {
    positions[..<index].allSatisfy { $0.isShared && positions[index].isShared }
  }

  /// The hold of this session. A session that holds the lock must not acquire it again: it would wait for itself.
  ///
  /// - Returns: the hold and its kind; nil if the session does not hold the lock.
  /// - Throws: `ZooKeeperError`.
  public func own() async throws -> (hold: Hold, kind: Kind)? {
    try await queue.own(isHolder: Self.isHolder).first.map { ($0.hold, $0.participant.isShared ? .shared : .exclusive) }
  }

  /// Asks the holders to release the lock. Those that pass `onRevocation` to `Hold.loss` are informed; whether they
  /// release it is their decision.
  ///
  /// - Returns: the number of holders that were asked.
  /// - Throws: `ZooKeeperError`.
  public func revoke() async throws -> Int {
    var count = 0
    for holder in try await participants() where holder.isHolder {
      do throws(ZooKeeperError) {
        try await queue.recipe.retrying { client throws(ZooKeeperError) in
          try await client.setData(holder.path, data: Hold.revocation)
        }
        count += 1
      } catch {
        guard error.code == .server(.noNode) else { throw error }
      }
    }
    return count
  }

  /// Deletes the znodes of this session on the path: those with which it holds the lock, and those with which it waits.
  ///
  /// - Returns: the number of znodes.
  /// - Throws: `ZooKeeperError`.
  public func releaseOwn() async throws -> Int {
    let session = await queue.recipe.client.snapshot().sessionID
    let own = try await participants().filter { $0.session == session }
    for participant in own { try await queue.recipe.remove(participant.path) }
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
