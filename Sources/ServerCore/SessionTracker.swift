internal import ZooKeeperProtocol

/// A session as the server that decides about its end sees it.
final class SessionRecord {
  let id: SessionID
  var timeoutMilliseconds: Int32
  /// When it ends if nothing is heard: the end of a bucket, on the monotonic clock.
  var expiryMilliseconds: Int64 = 0
  /// The server that its client is on; a write through another is refused with `sessionMoved`.
  var owner: UInt64?
  /// Whether its end has been proposed.
  var isClosing = false
  /// Whether a learner's server has heard from it since it last told the leader.
  var isTouched = false

  /// A session from which nothing was heard yet.
  init(id: SessionID, timeoutMilliseconds: Int32) {
    self.id = id
    self.timeoutMilliseconds = timeoutMilliseconds
  }
}

/// The living sessions, in buckets of one tick by the time at which they end.
///
/// Hearing from a session only writes a number; it changes buckets when its old one comes due.
///
/// *Source*: `org.apache.zookeeper.server.SessionTrackerImpl`, `ExpiryQueue`; `ClientProtocol` 2.7.
struct SessionTracker {
  private(set) var sessions: [SessionID: SessionRecord] = [:]
  private var buckets: [Int64: [SessionRecord]] = [:]
  private let tickMilliseconds: Int64

  /// No sessions.
  init(tickMilliseconds: Int64) { self.tickMilliseconds = max(1, tickMilliseconds) }

  /// Adds a session, or hears from one that is there.
  @discardableResult
  mutating func track(_ id: SessionID, timeoutMilliseconds: Int32, now: Int64) -> SessionRecord {
    if let record = sessions[id] {
      record.timeoutMilliseconds = timeoutMilliseconds
      touch(record, now: now)
      return record
    }
    let record = SessionRecord(id: id, timeoutMilliseconds: timeoutMilliseconds)
    sessions[id] = record
    touch(record, now: now)
    buckets[record.expiryMilliseconds, default: []].append(record)
    return record
  }

  /// Hears from a session.
  func touch(_ record: SessionRecord, now: Int64) {
    record.expiryMilliseconds =
      ((now + Int64(record.timeoutMilliseconds)) / tickMilliseconds + 1) * tickMilliseconds
  }

  /// Forgets a session that has ended.
  mutating func remove(_ id: SessionID) {
    // Its bucket finds it closing, and drops it.
    sessions.removeValue(forKey: id)?.isClosing = true
  }

  /// The sessions whose time is over, which are then closing; in the order of their numbers.
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

  /// Whether a write of this session through `owner` may go on; the first owner is remembered.
  ///
  /// - Throws: `sessionExpired` for a session that is unknown or closing, `sessionMoved` for one that has
  ///   another owner.
  func check(_ id: SessionID, owner: UInt64) throws(KeeperError) {
    guard let record = sessions[id], !record.isClosing else { throw .sessionExpired }
    if record.owner == nil { record.owner = owner }
    guard record.owner == owner else { throw .sessionMoved }
  }
}
