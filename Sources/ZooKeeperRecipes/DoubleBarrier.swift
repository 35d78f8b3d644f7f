public import ZooKeeperClient
import ZooKeeperProtocol

/// A computation that a number of participants begin together and end together.
///
/// Each participant has an ephemeral znode under the path. The one that makes the number complete creates `ready`, for
/// which the others wait. At the end each deletes its znode and waits for the first one, whose owner waits for the
/// last, so that each deletion wakes one client and not all of them. A participant whose session ends has left.
///
/// *Source*: ZooKeeper's documentation, "Double Barriers"; Curator's `DistributedDoubleBarrier`, whose znodes these
/// are.
public struct DoubleBarrier: Sendable {
  /// The parent of the participants' znodes.
  public let path: String
  /// The number of participants that must have entered.
  public let count: Int
  private let recipe: RecipeClient

  private static let ready = "ready"

  /// A barrier at `path` for `count` participants. More may enter: the number is a threshold.
  public init(_ client: ZooKeeperClient, path: String, count: Int) {
    precondition(count > 0, "a barrier for \(count) participants")
    self.path = path
    self.count = count
    recipe = RecipeClient(client)
  }

  /// Enters, and waits until enough participants have entered.
  ///
  /// - Parameters:
  ///   - data: the data of this participant's znode, for others to read.
  ///   - limit: how long to wait; nil waits indefinitely.
  /// - Returns: the entry, for `leave`; nil if too few had entered when the limit passed, and this one has left again.
  /// - Throws: `RecipeError` with `removed` if another client has deleted this participant's znode; `ZooKeeperError`;
  ///   `CancellationError`.
  public func enter(data: [UInt8]? = nil, limit: Duration? = nil) async throws -> Hold? {
    let name = ProtectedName().uuid
    let own = ZnodePath.child(name, of: path)
    return try await recipe.rollingBackOnFailure({ [recipe] in try await recipe.remove(own) }) {
      try await withTimeout(limit) { try await enter(own, data) }
    }
  }

  private func enter(_ own: String, _ data: [UInt8]?) async throws -> Hold {
    let readyPath = ZnodePath.child(Self.ready, of: path)
    while true {
      let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchExists(readyPath) }
      if watch.stat != nil, try await participants().isEmpty {
        // It is left over from a round whose participants all died: no one is inside.
        try await recipe.remove(readyPath)
        continue
      }
      try await createOwn(own, data)
      if watch.stat != nil { return try await hold(own) }
      if try await participants().count >= count {
        try await recipe.createIfMissing(readyPath)
        return try await hold(own)
      }
      try await watch.events.awaitChange()
      return try await hold(own)
    }
  }

  /// The hold of a participant that is inside. It is confirmed by a new read, because the wait may have been long.
  private func hold(_ own: String) async throws -> Hold {
    let asked = ContinuousClock.now
    guard let stat = try await recipe.stat(of: own) else { throw RecipeError(.removed, path: own) }
    return Hold(path: own, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked)
  }

  /// Leaves, and waits until all participants have left.
  ///
  /// - Parameter limit: how long to wait; nil waits indefinitely.
  /// - Returns: false if some had not left when the limit passed; this one has left in any case.
  /// - Throws: `ZooKeeperError`; `CancellationError`.
  public func leave(_ entry: Hold, limit: Duration? = nil) async throws -> Bool {
    let name = ZnodePath.name(of: entry.path)
    let hasEnded: Bool? = try await recipe.rollingBackOnFailure({ [recipe] in try await recipe.remove(entry.path) }) {
      try await withTimeout(limit) {
        try await leave(name)
        return true
      }
    }
    return hasEnded != nil
  }

  private func leave(_ own: String) async throws {
    while true {
      let names = try await participants()
      guard let first = names.first, let last = names.last else { break }
      if names == [own] {
        try await recipe.remove(ZnodePath.child(own, of: path))
        break
      }
      if first != own { try await recipe.remove(ZnodePath.child(own, of: path)) }
      let awaited = ZnodePath.child(first == own ? last : first, of: path)
      do {
        let watch = try await recipe.retrying { client throws(ZooKeeperError) in try await client.watchData(awaited) }
        try await watch.events.awaitChange()
      } catch let error as ZooKeeperError {
        guard error.code == .server(.noNode) else { throw error }
      }
    }
    try await recipe.remove(ZnodePath.child(Self.ready, of: path))
  }

  /// Leaves with the entry of this session; see `leave(_:limit:)`.
  ///
  /// - Throws: `RecipeError` with `refused` if the session has not entered; `ZooKeeperError`; `CancellationError`.
  public func leaveOwn(limit: Duration? = nil) async throws -> Bool {
    let session = await recipe.client.snapshot().sessionID
    for name in try await participants() {
      let own = ZnodePath.child(name, of: path)
      let asked = ContinuousClock.now
      guard let stat = try await recipe.stat(of: own), stat.ephemeralOwner == session else { continue }
      return try await leave(Hold(path: own, zxid: stat.czxid, recipe: recipe, lastConfirmed: asked), limit: limit)
    }
    throw RecipeError(.refused("this session has not entered"), path: path)
  }

  /// The names of those inside, sorted, so that all participants agree on the first and the last.
  private func participants() async throws(ZooKeeperError) -> [String] {
    try await recipe.children(of: path).filter { $0 != Self.ready }.sorted()
  }

  private func createOwn(_ own: String, _ data: [UInt8]?) async throws {
    for attempt in 1... {
      do throws(ZooKeeperError) {
        // No one else uses the name: if it exists already, a reply was lost.
        return try await recipe.createIfMissing(own, data: data, mode: .ephemeral)
      } catch {
        guard error.code == .server(.noNode), attempt < 10 else { throw error }
        try await recipe.ensureContainer(path)
      }
    }
  }
}
