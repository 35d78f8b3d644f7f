import ZooKeeperClient
public import ZooKeeperProtocol

/// A client that holds a lock, a lease or the leadership, or waits for it.
public struct Participant: Hashable, Sendable {
  /// Its znode.
  public var path: String
  /// Whether it holds what it asked for; otherwise it waits.
  public var isHolder: Bool
  /// Whether it can share the lock with other shared participants.
  public var isShared: Bool
  /// The session that owns the znode.
  public var session: SessionID
  /// The transaction that created the znode.
  public var zxid: Zxid
  /// When the znode was created: milliseconds since 1970, on the leader's clock.
  public var sinceMilliseconds: Int64
  /// The data of the znode, in which the participant describes itself; nil for null.
  public var data: [UInt8]?
}

extension WaitQueue {
  /// All participants with their stats and data, without those that leave meanwhile.
  ///
  /// - Parameter isHolder: whether the participant at this index, given all positions, is a holder.
  func participants(isHolder: (Int, [Position]) -> Bool) async throws(ZooKeeperError) -> [Participant] {
    let positions = try await positions()
    var participants: [Participant] = []
    for (index, position) in positions.enumerated() {
      let path = ZnodePath.child(position.name, of: parent)
      guard let (data, stat) = try await recipe.data(of: path) else { continue }
      participants.append(
        Participant(
          path: path, isHolder: isHolder(index, positions), isShared: position.isShared, session: stat.ephemeralOwner,
          zxid: stat.czxid, sinceMilliseconds: stat.ctimeMilliseconds, data: data))
    }
    return participants
  }

  /// What this session holds, in the order of the queue.
  ///
  /// - Parameter isHolder: as for `participants`.
  func own(
    isHolder: (Int, [Position]) -> Bool
  ) async throws(ZooKeeperError) -> [(hold: Hold, participant: Participant)] {
    let session = await recipe.client.snapshot().sessionID
    let asked = ContinuousClock.now
    return try await participants(isHolder: isHolder).filter { $0.isHolder && $0.session == session }.map {
      (Hold(path: $0.path, zxid: $0.zxid, recipe: recipe, lastConfirmed: asked), $0)
    }
  }
}
