public import ZooKeeperClient
public import ZooKeeperProtocol

/// The election of a leader among the candidates on a path.
///
/// The candidate that came first leads, until it resigns or its session ends; then the next one does. The data of a
/// candidate's znode is its name.
///
/// ```swift
/// if let leadership = try await Election(client, path: "/service/leader").lead(name: Array("host1".utf8)) {
///   let loss = try await leadership.loss()  // returns when this process must stop leading
/// }
/// ```
///
/// *Source*: ZooKeeper's documentation, "Leader Election"; Curator's `LeaderLatch`, whose znodes these are.
public struct Election: Sendable {
  /// The parent of the candidates' znodes.
  public let path: String
  private let queue: WaitQueue

  /// A leader, as others see it.
  public struct Leader: Hashable, Sendable {
    /// The name that it gave as a candidate; nil for null.
    public var name: [UInt8]?
    /// Its znode.
    public var path: String
    /// The transaction that created the znode. Each later leader has a greater one.
    public var zxid: Zxid
  }

  /// An election on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    queue = WaitQueue(recipe: RecipeClient(client), parent: path)
  }

  /// Becomes a candidate, and waits until it leads.
  ///
  /// - Parameters:
  ///   - name: the name of the candidate, for others to read.
  ///   - limit: how long to wait; nil waits indefinitely.
  /// - Returns: nil if it did not lead when the limit passed; the candidature is then withdrawn.
  /// - Throws: `RecipeError` with `removed` if another client deletes the candidate's znode; `ZooKeeperError`;
  ///   `CancellationError`. The candidature is withdrawn then too.
  public func lead(name: [UInt8], limit: Duration? = nil) async throws -> Hold? {
    let prefix = ProtectedName().curatorPrefix
    let queue = queue
    let withdraw: @Sendable () async throws -> Void = {
      try await queue.recipe.withdraw(prefix: prefix, from: queue.parent)
    }
    return try await queue.recipe.rollingBackOnFailure(withdraw) {
      try await withTimeout(limit) {
        let own = try await queue.recipe.createProtected(in: queue.parent, prefix: prefix, base: "latch-", data: name)
        try await queue.awaitTurn(of: own) { _ in true }
        return try await queue.hold(own)
      }
    }
  }

  /// The leader and the other candidates, in the order in which they will lead.
  ///
  /// - Throws: `ZooKeeperError`.
  public func participants() async throws -> [Participant] {
    try await queue.participants { index, _ in index == 0 }
  }

  /// The leadership of this session, and the name that it gave as a candidate. A session that leads must not call
  /// `lead` again: it would wait for itself.
  ///
  /// - Returns: nil if this session does not lead.
  /// - Throws: `ZooKeeperError`.
  public func own() async throws -> (hold: Hold, name: [UInt8]?)? {
    try await queue.own { index, _ in index == 0 }.first.map { ($0.hold, $0.participant.data) }
  }

  /// Withdraws the candidatures and the leadership of this session on the path.
  ///
  /// - Returns: the number of znodes that were deleted.
  /// - Throws: `ZooKeeperError`.
  public func resignOwn() async throws -> Int {
    try await Lock(queue.recipe.client, path: path).releaseOwn()
  }

  /// Calls `body` with the present leader, and with each new one, until it returns false; nil stands for no leader.
  ///
  /// A leader that comes and goes between two reads is not reported. An observer watches the leader only, so that other
  /// candidates do not wake it.
  ///
  /// - Parameter limit: for how long; nil for indefinitely.
  /// - Returns: false if the limit passed before `body` returned false.
  /// - Throws: `ZooKeeperError`; `CancellationError`; what `body` throws.
  public func observe(
    limit: Duration? = nil, _ body: @escaping @Sendable (Leader?) async throws -> Bool
  ) async throws -> Bool {
    try await withTimeout(limit) { try await observe(body) } != nil
  }

  private func observe(_ body: @Sendable (Leader?) async throws -> Bool) async throws {
    var last: Leader??
    while true {
      let (leader, events) = try await look()
      if last != .some(leader) {
        last = .some(leader)
        guard try await body(leader) else { return }
      }
      try await events.awaitChange()
    }
  }

  /// The leader, and a watch on the end of its leadership.
  private func look() async throws(ZooKeeperError) -> (Leader?, WatchEvents) {
    while true {
      do throws(ZooKeeperError) {
        if let first = try await queue.positions().first {
          let path = ZnodePath.child(first.name, of: path)
          let watch = try await queue.recipe.retrying { client throws(ZooKeeperError) in
            try await client.watchData(path)
          }
          return (Leader(name: watch.data, path: path, zxid: watch.stat.czxid), watch.events)
        }
        let watch = try await queue.recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchChildren(path)
        }
        if watch.children.compactMap(WaitQueue.Position.init).isEmpty { return (nil, watch.events) }
      } catch {
        guard error.code == .server(.noNode) else { throw error }
        let watch = try await queue.recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchExists(path)
        }
        if watch.stat == nil { return (nil, watch.events) }
      }
    }
  }
}
