public import ZooKeeperClient
import ZooKeeperProtocol

/// A lock that a number of participants may hold at the same time.
///
/// Those who wait stand in line at a mutex, `<path>/locks`; only its holder watches the leases, `<path>/leases`, so
/// that a release wakes one. All must agree on the number of slots: nothing enforces it.
///
/// *Source*: Curator's `InterProcessSemaphoreV2`, whose znodes these are.
public struct Semaphore: Sendable {
  public let path: String
  public let slots: Int
  private let line: WaitingLine
  private let mutex: Lock

  /// A semaphore on `path`, which is created when it does not exist.
  public init(_ client: ZooKeeperClient, path: String, slots: Int) {
    precondition(slots > 0, "a semaphore of \(slots) slots")
    self.path = path
    self.slots = slots
    line = WaitingLine(recipe: RecipeClient(client), parent: ZnodePath.child("leases", of: path))
    mutex = Lock(client, path: ZnodePath.child("locks", of: path))
  }

  /// Waits for a slot; see `Lock.acquire`.
  public func acquire(data: [UInt8]? = nil, limit: Duration? = nil) async throws -> Hold? {
    let prefix = ProtectedName().curatorPrefix
    let (line, mutex, slots) = (line, mutex, slots)
    // Zero does not mean no time for the requests, but no waiting between them.
    let deadline = limit == .zero ? nil : limit.map { ContinuousClock.now + $0 }
    guard let turn = try await mutex.acquire(limit: limit) else { return nil }
    do {
      let withdraw: @Sendable () async throws -> Void = {
        try await line.recipe.withdraw(prefix: prefix, from: line.parent)
      }
      let hold = try await line.recipe.orTakingBack(withdraw) {
        try await within(deadline.map { max($0 - .now, .zero) }) {
          let own = try await line.recipe.createProtected(in: line.parent, prefix: prefix, base: "lease-", data: data)
          return try await Self.awaitSlot(own, in: line, slots: slots, isPatient: limit != .zero)
        }
      }
      // Whatever comes of it: a turn that cannot be given back now goes when a server answers, or with the session.
      try? await turn.release()
      return hold ?? nil
    } catch {
      try? await turn.release()
      throw error
    }
  }

  /// - Returns: nil when it may not wait and there is no slot.
  private static func awaitSlot(
    _ own: String, in line: WaitingLine, slots: Int, isPatient: Bool
  ) async throws -> Hold? {
    while true {
      let watch = try await line.recipe.retrying { client throws(ZooKeeperError) in
        try await client.watchChildren(line.parent)
      }
      guard watch.children.contains(own) else {
        throw RecipeError(.removed, path: ZnodePath.child(own, of: line.parent))
      }
      if watch.children.count <= slots { return try await line.hold(own) }
      guard isPatient else {
        try await line.recipe.remove(ZnodePath.child(own, of: line.parent))
        return nil
      }
      try await watch.events.awaitChange()
    }
  }

  /// The holders, and those who wait: one with a lease that is over the number, the others in line for it.
  public func participants() async throws -> [Participant] {
    let slots = slots
    let leases = try await line.participants { index, _ in index < slots }
    // Who waits at the leases holds the mutex meanwhile, and would be listed twice.
    let waiting = Set(leases.filter { !$0.isHolder }.map(\.session))
    let others = try await mutex.participants().filter { !waiting.contains($0.session) }
    return leases
      + others.map { participant in
        var participant = participant
        participant.isHolder = false
        return participant
      }
  }

  /// The slots that this session has.
  public func own() async throws -> [Hold] {
    try await line.own { index, _ in index < slots }.map(\.hold)
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
}
