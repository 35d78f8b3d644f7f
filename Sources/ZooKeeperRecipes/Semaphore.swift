public import ZooKeeperClient
import ZooKeeperProtocol

/// A lock that a number of participants may hold at the same time.
///
/// Participants that wait queue at a mutex, `<path>/locks`. Only its holder watches the leases, `<path>/leases`, so
/// that a release wakes one client and not all of them. All participants must use the same number of slots; nothing
/// enforces it.
///
/// *Source*: Curator's `InterProcessSemaphoreV2`, whose znodes these are.
public struct Semaphore: Sendable {
  /// The parent of `locks` and `leases`.
  public let path: String
  /// The number of participants that can hold it at the same time.
  public let slots: Int
  private let queue: WaitQueue
  private let mutex: Lock

  /// A semaphore on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String, slots: Int) {
    precondition(slots > 0, "a semaphore of \(slots) slots")
    self.path = path
    self.slots = slots
    queue = WaitQueue(recipe: RecipeClient(client), parent: ZnodePath.child("leases", of: path))
    mutex = Lock(client, path: ZnodePath.child("locks", of: path))
  }

  /// Waits for a slot.
  ///
  /// - Parameters:
  ///   - data: the data of this participant's lease, for others to read.
  ///   - limit: how long to wait; nil waits indefinitely, zero not at all.
  /// - Returns: nil if there was no free slot when the limit passed; the participant's znodes are then deleted.
  /// - Throws: as ``Lock/acquire(data:limit:)``.
  public func acquire(data: [UInt8]? = nil, limit: Duration? = nil) async throws -> Hold? {
    let prefix = ProtectedName().curatorPrefix
    let (queue, mutex, slots) = (queue, mutex, slots)
    // A limit of zero does not limit the requests, but excludes waiting between them.
    let deadline = limit == .zero ? nil : limit.map { ContinuousClock.now + $0 }
    guard let turn = try await mutex.acquire(limit: limit) else { return nil }
    do {
      let withdraw: @Sendable () async throws -> Void = {
        try await queue.recipe.withdraw(prefix: prefix, from: queue.parent)
      }
      let hold = try await queue.recipe.rollingBackOnFailure(withdraw) {
        try await withTimeout(deadline.map { max($0 - .now, .zero) }) {
          let own = try await queue.recipe.createProtected(in: queue.parent, prefix: prefix, base: "lease-", data: data)
          return try await Self.awaitSlot(own, in: queue, slots: slots, isPatient: limit != .zero)
        }
      }
      // A failure is of no consequence: the mutex is then released when a server answers, or with the session.
      try? await turn.release()
      return hold ?? nil
    } catch {
      try? await turn.release()
      throw error
    }
  }

  /// - Returns: nil if there is no slot and it must not wait.
  private static func awaitSlot(
    _ own: String, in queue: WaitQueue, slots: Int, isPatient: Bool
  ) async throws -> Hold? {
    while true {
      let watch = try await queue.recipe.retrying { client throws(ZooKeeperError) in
        try await client.watchChildren(queue.parent)
      }
      guard watch.children.contains(own) else {
        throw RecipeError(.removed, path: ZnodePath.child(own, of: queue.parent))
      }
      if watch.children.count <= slots { return try await queue.hold(own) }
      guard isPatient else {
        try await queue.recipe.remove(ZnodePath.child(own, of: queue.parent))
        return nil
      }
      try await watch.events.awaitChange()
    }
  }

  /// The holders, then the participants that wait: first the one that waits at the leases, then those at the mutex.
  ///
  /// - Throws: `ZooKeeperError`.
  public func participants() async throws -> [Participant] {
    let slots = slots
    let leases = try await queue.participants { index, _ in index < slots }
    // The participant that waits at the leases holds the mutex meanwhile, and would be listed twice.
    let waiting = Set(leases.filter { !$0.isHolder }.map(\.session))
    let others = try await mutex.participants().filter { !waiting.contains($0.session) }
    return leases
      + others.map { participant in
        var participant = participant
        participant.isHolder = false
        return participant
      }
  }

  /// The slots that this session holds.
  ///
  /// - Throws: `ZooKeeperError`.
  public func own() async throws -> [Hold] {
    try await queue.own { index, _ in index < slots }.map(\.hold)
  }

  /// Deletes the znodes of this session on the path: those with which it holds slots, and those with which it waits.
  ///
  /// - Returns: the number of znodes.
  /// - Throws: `ZooKeeperError`.
  public func releaseOwn() async throws -> Int {
    let session = await queue.recipe.client.snapshot().sessionID
    let own = try await participants().filter { $0.session == session }
    for participant in own { try await queue.recipe.remove(participant.path) }
    return own.count
  }
}
