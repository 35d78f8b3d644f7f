public import ZooKeeperClient
public import ZooKeeperProtocol

/// The election of a leader among those who stand for it on a path.
///
/// *Source*: ZooKeeper's documentation, "Leader Election"; Curator's `LeaderLatch`, whose znodes these are. The data
/// of a candidate's znode is its name.
public struct Election: Sendable {
  public let path: String
  private let line: WaitingLine

  /// Who leads at a moment.
  public struct Leader: Hashable, Sendable {
    /// The name that the leader gave; nil for no data.
    public var name: [UInt8]?
    /// Its znode.
    public var path: String
    /// The transaction that created the znode: greater for each later leader.
    public var zxid: Zxid
  }

  /// An election on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    line = WaitingLine(recipe: RecipeClient(client), parent: path)
  }

  /// Stands for the leadership and waits until it is won.
  ///
  /// - Parameters:
  ///   - name: what others see of the candidate.
  ///   - limit: how long to wait; nil without end.
  /// - Returns: nil when it was not won in time; the candidature is then withdrawn.
  public func lead(name: [UInt8], limit: Duration? = nil) async throws -> Hold? {
    let prefix = ProtectedName().curatorPrefix
    let line = line
    return try await line.recipe.orTakingBack({ try await line.recipe.withdraw(prefix: prefix, from: line.parent) }) {
      try await within(limit) {
        let own = try await line.recipe.createProtected(in: line.parent, prefix: prefix, base: "latch-", data: name)
        try await line.awaitTurn(of: own) { _ in true }
        return try await line.hold(own)
      }
    }
  }

  /// The leader and the candidates, in the order in which they came.
  public func participants() async throws -> [Participant] {
    try await line.participants { index, _ in index == 0 }
  }

  /// The leadership of this session and the name that it was won under: standing once more, the session would wait for
  /// itself.
  ///
  /// - Returns: nil when this session does not lead.
  public func own() async throws -> (hold: Hold, name: [UInt8]?)? {
    try await line.own { index, _ in index == 0 }.first.map { ($0.hold, $0.participant.data) }
  }

  /// Withdraws what this session stands for or leads on the path.
  ///
  /// - Returns: how many znodes that were.
  public func resignOwn() async throws -> Int {
    try await Lock(line.recipe.client, path: path).releaseOwn()
  }

  /// Calls `body` with the present leader, and again with each that follows; nil while there is none.
  ///
  /// Leaders that come and go between two looks are not told. An observer watches the leader alone, so that no
  /// candidate wakes it. Ends when `body` says false.
  ///
  /// - Parameter limit: for how long; nil without end.
  /// - Returns: false when the time was up before `body` said so.
  public func observe(
    limit: Duration? = nil, _ body: @escaping @Sendable (Leader?) async throws -> Bool
  ) async throws -> Bool {
    try await within(limit) { try await observe(body) } != nil
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

  /// The leader, and a watch on whatever ends that.
  private func look() async throws(ZooKeeperError) -> (Leader?, WatchEvents) {
    while true {
      do throws(ZooKeeperError) {
        if let first = try await line.places().first {
          let path = ZnodePath.child(first.name, of: path)
          let watch = try await line.recipe.retrying { client throws(ZooKeeperError) in
            try await client.watchData(path)
          }
          return (Leader(name: watch.data, path: path, zxid: watch.stat.czxid), watch.events)
        }
        let watch = try await line.recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchChildren(path)
        }
        if watch.children.compactMap(WaitingLine.Place.init).isEmpty { return (nil, watch.events) }
      } catch {
        guard error.code == .server(.noNode) else { throw error }
        let watch = try await line.recipe.retrying { client throws(ZooKeeperError) in
          try await client.watchExists(path)
        }
        if watch.stat == nil { return (nil, watch.events) }
      }
    }
  }
}
