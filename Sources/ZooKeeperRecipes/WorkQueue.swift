public import ZooKeeperClient
public import ZooKeeperProtocol

/// A queue of items, which can have priorities.
///
/// An item is a persistent sequential znode. A client claims it with an ephemeral znode of the same name under
/// `.locks`, in one transaction with the check that the item exists, and deletes both in another. An item is therefore
/// taken once, and becomes free again if the client that claimed it dies. Clients that find nothing queue under
/// `.takers`. Only the first of them watches the items, so that a new item wakes one client and not all of them.
///
/// ```swift
/// let queue = WorkQueue(client, path: "/jobs")
/// _ = try await queue.put(Array("job".utf8))
/// if let claim = try await queue.claim(limit: .seconds(10)) {
///   // work on claim.item.data
///   try await claim.complete()
/// }
/// ```
///
/// *Source*: ZooKeeper's documentation, "Queues" and "Priority Queues". The names of items are those of Curator's
/// `SimpleDistributedQueue` and ZooKeeper's own recipe (`qn-<n>`) and, with a priority, of `DistributedPriorityQueue`
/// (`queue-<priority><n>`, the data in Curator's frame); those of kazoo's `Queue` (`entry-<priority>-<n>`) are
/// recognised too.
public struct WorkQueue: Sendable {
  /// The parent of the items.
  public let path: String
  let recipe: RecipeClient

  var locks: String { ZnodePath.child(".locks", of: path) }

  /// A queue at `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// An item in the queue.
  public struct Item: Hashable, Sendable {
    /// Its znode.
    public var path: String
    /// Lower ones are taken first; 0 for an item without a priority.
    public var priority: Int32
    /// The data, without Curator's frame; nil for null.
    public var data: [UInt8]?
    /// The znode's counters and times.
    public var stat: Stat
    /// Whether a client has claimed it.
    public var isClaimed = false
  }

  /// Puts an item into the queue, exactly once, even if the reply is lost.
  ///
  /// - Parameter priority: lower ones are taken first; an item without one has the priority 0.
  /// - Returns: the item's znode; nil if the reply was lost, and it is only known that the item was put.
  /// - Throws: `RecipeError` with `exhausted` if the queue has had so many items that names could repeat;
  ///   `ZooKeeperError`.
  public func put(_ data: [UInt8], priority: Int32? = nil) async throws -> String? {
    let puts = ZnodePath.child(".puts", of: path)
    let name = priority.map(QueueItemName.prefix) ?? "qn-"
    let create = CreateRequest(
      path: ZnodePath.child(name, of: path), data: priority == nil ? data : QueueItemName.framed(data),
      acl: ACL.openUnsafe, flags: CreateMode.persistentSequential.flags)
    let exhausted = RecipeError(
      .exhausted(
        "the queue has used up its sequence numbers; use another path, or delete this one once it is empty"),
      path: path)
    if let stat = try await recipe.stat(of: path), SequenceNumbers.created(stat) >= Self.lastNumber { throw exhausted }
    for attempt in 1... {
      do throws(ZooKeeperError) {
        let results = try await MarkedWrite(recipe, markUnder: puts).run([.create(create)])
        guard case .create(let path)? = results?.first else { return nil }
        return path
      } catch {
        if error.keeperError == .nodeExists { throw exhausted }
        guard error.keeperError == .noNode, attempt < 10 else { throw error }
        try await recipe.ensureContainer(puts)
      }
    }
    return nil
  }

  /// The last sequence number at which an item is put. It is so far from the end that items which other clients put at
  /// the same time stay below the end too.
  private static let lastNumber = SequenceNumbers.end - 10_000

  /// The items in the order in which they are taken, claimed ones included.
  ///
  /// - Throws: `ZooKeeperError`.
  public func items() async throws -> [Item] {
    let claimed = Set(try await recipe.children(of: locks))
    var items: [Item] = []
    for name in try await names() {
      guard var item = try await item(name) else { continue }
      item.isClaimed = claimed.contains(name.name)
      items.append(item)
    }
    return items
  }

  /// The number of items, claimed ones included.
  ///
  /// - Throws: `ZooKeeperError`.
  public func count() async throws -> Int { try await names().count }

  /// The first item that is free, which stays in the queue; nil if there is none.
  ///
  /// - Throws: `ZooKeeperError`.
  public func peek() async throws -> Item? {
    let claimed = Set(try await recipe.children(of: locks))
    for name in try await names() where !claimed.contains(name.name) {
      if let item = try await item(name) { return item }
    }
    return nil
  }

  /// Removes the first free item from the queue.
  ///
  /// If the process dies before it has used the item, the item is lost. `claim` avoids that.
  ///
  /// - Parameter limit: how long to wait for one; nil waits indefinitely, zero not at all.
  /// - Returns: nil if there was no free item when the limit passed.
  /// - Throws: `ZooKeeperError`; `CancellationError`; `RecipeError`, as `claim`.
  public func take(limit: Duration? = nil) async throws -> Item? {
    let deadline = limit.map { ContinuousClock.now + $0 }
    while true {
      let rest = limit == .zero ? limit : deadline.map { max($0 - .now, .milliseconds(1)) }
      guard let claim = try await claim(limit: rest) else { return nil }
      do {
        try await claim.complete()
        return claim.item
      } catch let error as RecipeError where error.code == .removed {
        // A client of a recipe without claims has taken the item.
        try await claim.giveBack()
      }
    }
  }

  /// The names of the items in the order in which they are taken.
  func names() async throws(ZooKeeperError) -> [QueueItemName] {
    try await sorted(try await recipe.children(of: path))
  }

  /// The items among the children of the queue, in the order in which they are taken.
  func sorted(_ children: [String]) async throws(ZooKeeperError) -> [QueueItemName] {
    try await recipe.withOrder(children.compactMap(QueueItemName.init), in: path).sorted { $0.isBefore($1) }
  }

  /// The item with a name; nil if it was deleted.
  func item(_ name: QueueItemName) async throws(ZooKeeperError) -> Item? {
    let path = ZnodePath.child(name.name, of: path)
    guard let (data, stat) = try await recipe.data(of: path) else { return nil }
    let content = name.isFramed ? data.flatMap(QueueItemName.unframed) ?? data : data
    return Item(path: path, priority: name.priority, data: content, stat: stat)
  }
}
