import ZooKeeperProtocol

/// When the last transactions were proposed, by zxid: those that are not settled yet, which on a leader means
/// committed, and the ones before them, which slow servers have still to acknowledge.
///
/// The zxids of an epoch are consecutive, so a transaction is found by counting.
struct ProposalTimes {
  /// How many settled ones are kept at least, and how many unsettled ones at most: what neither the log nor a quorum
  /// has taken is limited elsewhere, and this bounds the memory even so.
  static let settledLimitCount = 1 << 12
  private static let limitCount = 1 << 16

  /// The zxid of the first element of `times`.
  private var first = Zxid.zero
  private var times: [Int64] = []
  /// The elements of `times` before this one are settled.
  private var head = 0

  init() {}

  /// Adds the transaction after the last one; any other begins anew.
  mutating func append(_ zxid: Zxid, at time: Int64) {
    if zxid.rawValue != first.rawValue &+ Int64(times.count) || times.count - head >= Self.limitCount { removeAll() }
    if times.isEmpty { first = zxid }
    times.append(time)
  }

  /// Forgets all.
  mutating func removeAll() {
    times.removeAll(keepingCapacity: true)
    head = 0
  }

  /// When a transaction was proposed; nil if that is not known, or was forgotten.
  func time(of zxid: Zxid) -> Int64? {
    let offset = zxid.rawValue &- first.rawValue
    guard offset >= 0, offset < Int64(times.count) else { return nil }
    return times[Int(offset)]
  }

  /// Settles the oldest transaction that is not settled, if it is not after `zxid`.
  ///
  /// *Complexity*: constant on average.
  ///
  /// - Returns: when it was proposed; nil if there is none.
  mutating func settleFirst(through zxid: Zxid) -> Int64? {
    guard head < times.count, first.rawValue &+ Int64(head) <= zxid.rawValue else { return nil }
    let time = times[head]
    head += 1
    if head >= 2 * Self.settledLimitCount {
      times.removeFirst(Self.settledLimitCount)
      first = Zxid(rawValue: first.rawValue &+ Int64(Self.settledLimitCount))
      head -= Self.settledLimitCount
    }
    return time
  }
}
