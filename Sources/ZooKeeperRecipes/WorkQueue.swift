public import ZooKeeperClient
public import ZooKeeperProtocol

/// A queue of items, some more urgent than others.
///
/// An item is a persistent sequential znode. Whoever takes it first claims it with an ephemeral znode of the same name
/// under `.locks`, in one transaction with the check that it is still there, and deletes both in another: an item is
/// taken once, and one whose taker dies is there again. Those who find nothing stand in line under `.takers`; the
/// first of them alone watches the queue, so that a new item wakes one.
///
/// *Source*: ZooKeeper's documentation, "Queues" and "Priority Queues". The names of items are those of Curator's
/// `SimpleDistributedQueue` and ZooKeeper's own recipe (`qn-<n>`) and, with a priority, of `DistributedPriorityQueue`
/// (`queue-<priority><n>`, the data in Curator's frame); those of kazoo's `Queue` (`entry-<priority>-<n>`) are taken
/// too.
public struct WorkQueue: Sendable {
  public let path: String
  let recipe: RecipeClient

  var locks: String { ZnodePath.child(".locks", of: path) }

  /// A queue at `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String) {
    self.path = path
    recipe = RecipeClient(client)
  }

  /// Something in the queue.
  public struct Item: Hashable, Sendable {
    /// The znode.
    public var path: String
    /// Lower ones come out first; 0 for an item without.
    public var priority: Int32
    /// nil for no data.
    public var data: [UInt8]?
    public var stat: Stat
    /// Whether somebody has claimed it.
    public var isClaimed = false
  }

  /// Puts an item into the queue, once, also when the answer is lost.
  ///
  /// - Parameter priority: lower ones come out first; without one an item has the priority 0.
  /// - Returns: the znode; nil when the answer was lost, and it is known only that the item is there.
  /// - Throws: `RecipeError` with `exhausted` when the queue has had so many items that names would be given twice.
  public func put(_ data: [UInt8], priority: Int32? = nil) async throws -> String? {
    let puts = ZnodePath.child(".puts", of: path)
    let name = priority.map(QueueItemName.prefix) ?? "qn-"
    let create = CreateRequest(
      path: ZnodePath.child(name, of: path), data: priority == nil ? data : QueueItemName.framed(data),
      acl: ACL.openUnsafe, flags: CreateMode.persistentSequential.flags)
    let exhausted = RecipeError(
      .exhausted(
        "it has had all the items that can be numbered; use another path, or delete this one once it is empty"),
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

  /// No item is put in behind this one: far enough from the end of the numbers that whoever is putting one in at the
  /// moment stays under it.
  private static let lastNumber = SequenceNumbers.end - 10_000

  /// The items in the order in which they come out, those that are claimed too.
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

  /// How many items there are, those that are claimed too.
  public func count() async throws -> Int { try await names().count }

  /// The first item that nobody has claimed; it stays.
  public func peek() async throws -> Item? {
    let claimed = Set(try await recipe.children(of: locks))
    for name in try await names() where !claimed.contains(name.name) {
      if let item = try await item(name) { return item }
    }
    return nil
  }

  /// Takes the first item out of the queue.
  ///
  /// Between this and the use of the item a process that dies loses it; `claim` does not.
  ///
  /// - Parameter limit: how long to wait for one; nil without end, zero not at all.
  /// - Returns: nil when there was none in time.
  public func take(limit: Duration? = nil) async throws -> Item? {
    let deadline = limit.map { ContinuousClock.now + $0 }
    while true {
      let rest = limit == .zero ? limit : deadline.map { max($0 - .now, .milliseconds(1)) }
      guard let claim = try await claim(limit: rest) else { return nil }
      do {
        try await claim.complete()
        return claim.item
      } catch let error as RecipeError where error.code == .removed {
        // Somebody took it who knows nothing of claims: then it is theirs.
        try await claim.giveBack()
      }
    }
  }

  /// The names of the items in the order in which they come out.
  func names() async throws(ZooKeeperError) -> [QueueItemName] {
    try await sorted(try await recipe.children(of: path))
  }

  /// The items among the children of the queue, in the order in which they come out.
  func sorted(_ children: [String]) async throws(ZooKeeperError) -> [QueueItemName] {
    try await recipe.withOrder(children.compactMap(QueueItemName.init), in: path).sorted { $0.isBefore($1) }
  }

  /// An item by its name; nil when it is gone.
  func item(_ name: QueueItemName) async throws(ZooKeeperError) -> Item? {
    let path = ZnodePath.child(name.name, of: path)
    guard let (data, stat) = try await recipe.data(of: path) else { return nil }
    let content = name.isFramed ? data.flatMap(QueueItemName.unframed) ?? data : data
    return Item(path: path, priority: name.priority, data: content, stat: stat)
  }
}
