internal import ZooKeeperProtocol

/// A session, as the server that decides about its end keeps it.
final class SessionRecord {
  let id: SessionID
  var timeoutMilliseconds: Int32
  /// When it expires if nothing is heard: the end of a bucket, on the monotonic clock.
  var expiryMilliseconds: Int64 = 0
  /// The server that its client is connected to. A write through another server is refused with `sessionMoved`.
  var owner: UInt64?
  /// Whether its end has been proposed.
  var isClosing = false
  /// On a learner: whether it was heard from since the last report to the leader.
  var wasHeardFrom = false
  /// Whether only this server knows it.
  let isLocal: Bool

  init(id: SessionID, timeoutMilliseconds: Int32, isLocal: Bool) {
    self.id = id
    self.isLocal = isLocal
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}

/// The sessions that have not ended, in buckets of one tick by the time at which they expire.
///
/// A message from a session only changes a number in its record. The session is moved to its new bucket when the old
/// one is due, so that the cost of a message does not depend on the number of sessions. A bucket that is due may have
/// all of them, so it is looked at in pieces.
///
/// *Source*: `org.apache.zookeeper.server.SessionTrackerImpl`, `ExpiryQueue`; `ClientProtocol` 2.7.
struct SessionTracker {
  private(set) var sessions: [SessionID: SessionRecord] = [:]
  private var buckets: [Int64: [SessionRecord]] = [:]
  /// What is left of the bucket that is being looked at, in reverse order.
  private var due: [SessionRecord] = []
  /// Whether the last call of `expire` has left sessions that may have expired too.
  private(set) var hasMoreDue = false
  private let tickMilliseconds: Int64
  private let areLocal: Bool
  /// Whether sessions are ended here. Otherwise there are no buckets, because `expire` is never called.
  private let expires: Bool

  /// How many sessions a call of `expire` looks at for each one that it may end. Most were heard from, and only move.
  private static let lookCount = 16

  /// No sessions.
  init(tickMilliseconds: Int64, areLocal: Bool = false, expires: Bool = true) {
    self.tickMilliseconds = max(1, tickMilliseconds)
    self.areLocal = areLocal
    self.expires = expires
  }

  /// Adds a session, or extends one that exists, with a new timeout.
  @discardableResult
  mutating func track(_ id: SessionID, timeoutMilliseconds: Int32, now: Int64) -> SessionRecord {
    if let record = sessions[id] {
      record.timeoutMilliseconds = timeoutMilliseconds
      touch(record, now: now)
      return record
    }
    let record = SessionRecord(id: id, timeoutMilliseconds: timeoutMilliseconds, isLocal: areLocal)
    sessions[id] = record
    touch(record, now: now)
    if expires { buckets[record.expiryMilliseconds, default: []].append(record) }
    return record
  }

  /// Extends a session that was heard from.
  func touch(_ record: SessionRecord, now: Int64) {
    record.expiryMilliseconds =
      ((now + Int64(record.timeoutMilliseconds)) / tickMilliseconds + 1) * tickMilliseconds
  }

  /// Removes a session that has ended.
  mutating func remove(_ id: SessionID) {
    // Its bucket drops it when it is due, because it is closing.
    sessions.removeValue(forKey: id)?.isClosing = true
  }

  /// Marks sessions that have expired as closing, those first that were due first, and returns them in ascending order
  /// of their ids. `hasMoreDue` says whether there may be more.
  ///
  /// One that is heard from before its turn comes lives on.
  ///
  /// - Parameter limit: how many at most.
  mutating func expire(now: Int64, limit: Int) -> [SessionID] {
    var expired: [SessionID] = []
    var seenCount = 0
    hasMoreDue = false
    while let record = takeDue(now) {
      if record.isClosing {
        // Its end has been proposed already.
      } else if record.expiryMilliseconds > now {
        buckets[record.expiryMilliseconds, default: []].append(record)
      } else {
        record.isClosing = true
        expired.append(record.id)
      }
      seenCount += 1
      guard expired.count < limit, seenCount / Self.lookCount < limit else {
        hasMoreDue = !due.isEmpty || buckets.keys.contains { $0 <= now }
        break
      }
    }
    return expired.sorted { $0.rawValue < $1.rawValue }
  }

  /// Takes the next session out of the buckets that are due.
  private mutating func takeDue(_ now: Int64) -> SessionRecord? {
    if due.isEmpty {
      guard let time = buckets.keys.min(), time <= now else { return nil }
      // Each bucket has a session when it is made.
      due = buckets.removeValue(forKey: time) ?? []
      due.reverse()
    }
    return due.popLast()
  }

  /// Checks that a session may write through the server `owner`. A session without an owner gets this one.
  ///
  /// - Throws: `sessionExpired` if the session is unknown or closing, `sessionMoved` if it has another owner.
  mutating func check(_ id: SessionID, owner: UInt64) throws(KeeperError) {
    guard let record = sessions[id], !record.isClosing else { throw .sessionExpired }
    if record.owner == nil { record.owner = owner }
    guard record.owner == owner else { throw .sessionMoved }
  }
}
