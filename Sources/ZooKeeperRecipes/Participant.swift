import ZooKeeperClient
public import ZooKeeperProtocol

/// Somebody who holds a lock, a lease or the leadership, or waits for it.
public struct Participant: Hashable, Sendable {
  /// The znode that stands for it.
  public var path: String
  /// Whether it has what it came for.
  public var isHolder: Bool
  /// Whether it shares with others of its kind.
  public var isShared: Bool
  /// The session that owns the znode.
  public var session: SessionID
  /// The transaction that created the znode.
  public var zxid: Zxid
  /// When that was, in milliseconds since 1970 by the leader's clock.
  public var sinceMilliseconds: Int64
  /// Whom the participant says that it is; nil for no data.
  public var data: [UInt8]?
}

extension WaitingLine {
  /// All participants with their stats and data; those that leave meanwhile are left out.
  ///
  /// - Parameter isHolder: whether the one at this place, with those before it, has what it came for.
  func participants(isHolder: (Int, [Place]) -> Bool) async throws(ZooKeeperError) -> [Participant] {
    let places = try await places()
    var participants: [Participant] = []
    for (index, place) in places.enumerated() {
      let path = ZnodePath.child(place.name, of: parent)
      guard let (data, stat) = try await recipe.data(of: path) else { continue }
      participants.append(
        Participant(
          path: path, isHolder: isHolder(index, places), isShared: place.isShared, session: stat.ephemeralOwner,
          zxid: stat.czxid, sinceMilliseconds: stat.ctimeMilliseconds, data: data))
    }
    return participants
  }

  /// What this session holds, in the order of the line.
  ///
  /// - Parameter isHolder: as for `participants`.
  func own(
    isHolder: (Int, [Place]) -> Bool
  ) async throws(ZooKeeperError) -> [(hold: Hold, participant: Participant)] {
    let session = await recipe.client.snapshot().sessionID
    let asked = ContinuousClock.now
    return try await participants(isHolder: isHolder).filter { $0.isHolder && $0.session == session }.map {
      (Hold(path: $0.path, zxid: $0.zxid, recipe: recipe, proven: asked), $0)
    }
  }
}
