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
/// one is due, so that the cost of a message does not depend on the number of sessions.
///
/// *Source*: `org.apache.zookeeper.server.SessionTrackerImpl`, `ExpiryQueue`; `ClientProtocol` 2.7.
struct SessionTracker {
  private(set) var sessions: [SessionID: SessionRecord] = [:]
  private var buckets: [Int64: [SessionRecord]] = [:]
  private let tickMilliseconds: Int64
  private let areLocal: Bool

  /// No sessions.
  init(tickMilliseconds: Int64, areLocal: Bool = false) {
    self.tickMilliseconds = max(1, tickMilliseconds)
    self.areLocal = areLocal
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
    buckets[record.expiryMilliseconds, default: []].append(record)
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

  /// Marks the sessions that have expired as closing, and returns them in ascending order of their ids.
  mutating func expire(now: Int64) -> [SessionID] {
    var expired: [SessionID] = []
    for time in buckets.keys.filter({ $0 <= now }).sorted() {
      for record in buckets.removeValue(forKey: time) ?? [] where !record.isClosing {
        if record.expiryMilliseconds > now {
          buckets[record.expiryMilliseconds, default: []].append(record)
        } else {
          record.isClosing = true
          expired.append(record.id)
        }
      }
    }
    return expired.sorted { $0.rawValue < $1.rawValue }
  }

  /// Checks that a session may write through the server `owner`. A session without an owner gets this one.
  ///
  /// - Throws: `sessionExpired` if the session is unknown or closing, `sessionMoved` if it has another owner.
  func check(_ id: SessionID, owner: UInt64) throws(KeeperError) {
    guard let record = sessions[id], !record.isClosing else { throw .sessionExpired }
    if record.owner == nil { record.owner = owner }
    guard record.owner == owner else { throw .sessionMoved }
  }
}
